"""What a post carries besides its words: tags, character references and invisible characters.

They are resolved before the words are read, and every character that remains knows where it stood.
"""

from __future__ import annotations

import html
import re

_TAGS = (
    "a|abbr|article|b|big|blockquote|br|center|code|del|div|em|font|h[1-6]|hr|i|img|ins|li|mark|ol|p|pre|q|s|section"
)
_MORE_TAGS = "small|span|strike|strong|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul"
_MARKUP = re.compile(
    rf"(?P<tag></?(?P<name>{_TAGS}|{_MORE_TAGS})(?:\s[^<>]{{0,400}})?/?>)"
    r"|&(?:amp;)*(?P<reference>\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    r"|(?P<invisible>[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+)",
    re.IGNORECASE,
)
_INVISIBLE = re.compile(r"[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+")
_INLINE = re.compile(
    r"a|abbr|b|big|code|del|em|font|i|ins|mark|q|s|small|span|strike|strong|sub|sup|tt|u", re.IGNORECASE
)


def resolved(text: str) -> tuple[str, tuple[list[int], list[int]] | None]:
    """Return `text` as a reader sees it, and where each of its characters stood.

    Tags of a line or a block become a line break, other tags and invisible characters go, a character reference
    (``&eacute;``, ``&#39;``, also ``&amp;#39;``) becomes its character.

    Returns:
        The text and, where it differs, the places in `text` where each character begins and ends; None where it is as
        given.
    """
    if "<" not in text and "&" not in text and text.isprintable():
        return text, None
    pieces: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    position = 0
    for found in _MARKUP.finditer(text):
        begin, end = found.span()
        new = _meaning(found)
        if new is None:
            continue
        pieces += [text[position:begin], new]
        begins += [*range(position, begin), *[begin] * len(new)]
        ends += [*range(position + 1, begin + 1), *[end] * len(new)]
        position = end
    if not position:
        return text, None
    pieces.append(text[position:])
    begins += range(position, len(text))
    ends += range(position + 1, len(text) + 1)
    return "".join(pieces), (begins, ends)


def _meaning(found: re.Match[str]) -> str | None:
    """Return what stands for a piece of markup; None leaves it as it is."""
    if found["tag"]:
        return "" if _INLINE.fullmatch(found["name"]) else "\n"
    if found["invisible"]:
        return ""
    reference = f"&{found['reference']};"
    character = html.unescape(reference)
    return None if character == reference else _INVISIBLE.sub("", character)
