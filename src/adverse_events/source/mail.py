"""E-mails as rows: the words of their writer, and nothing of what was quoted, signed or attached.

Cut: quoted lines, the message that is replied to, and the signature. What is quoted was said by somebody else, or
earlier, and would count twice; signatures hold names and numbers. A message of which nothing else is left, such as a
bare forward, is kept whole.

Source of the marks: RFC 3676 (sections 4.3 and 4.5, signature and quotes); the others are what mail programs write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from email import message_from_bytes, policy
from email.errors import MessageError
from email.utils import parseaddr, parsedate_to_datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from email.message import EmailMessage

_REPLY_PREFIX = re.compile(r"^(?:(?:re|aw|fw|fwd|wg|tr|sv)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_REPLIED_TO = re.compile(
    r"^[ \t]*(?:-{2,}\s*original message\s*-{2,}|_{10,}|on\b.{5,200}\bwrote:|.{0,100}<[^>\s]+@[^>\s]+>\s+wrote:"
    r"|from:\s.{1,200}\n[ \t]*(?:sent|date):\s)",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED_LINE = re.compile(r"^[ \t]*>.*(?:\n|\Z)", re.MULTILINE)
_SIGNATURE = re.compile(r"^-- ?\r?\n.*\Z", re.MULTILINE | re.DOTALL)
_BLANK_LINES = re.compile(r"\n{3,}")

_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript", "svg"})
_BREAKS = frozenset({"p", "div", "br", "li", "tr", "table", "h1", "h2", "h3", "h4", "blockquote", "hr", "ul", "ol"})
_VOID = frozenset({"br", "hr", "img", "meta", "link", "input"})


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail.

    Attributes:
        message_id: Its Message-ID; None where it has none.
        sent_at: Aware; None where it does not say.
        sender: Address it comes from.
        text: Subject and what its writer wrote; empty where there is nothing.
        n_attachments: Attachments, which are passed over.
    """

    message_id: str | None
    sent_at: datetime | None
    sender: str | None
    text: str
    n_attachments: int


def read_mail(raw: bytes, *, keep_quotes: bool = False) -> Mail | None:
    """Return the e-mail that `raw` is; None where it is none.

    Args:
        raw: As in a .eml file.
        keep_quotes: Cut nothing.
    """
    try:
        message: EmailMessage = message_from_bytes(raw, policy=policy.default)
        if not message.keys():
            return None
        body = _body(message)
        subject = _REPLY_PREFIX.sub("", _header(message, "Subject"))
        text = body if keep_quotes else own_words(body)
        n_attachments = sum(1 for _ in message.iter_attachments()) if message.is_multipart() else 0
        sender = parseaddr(_header(message, "From"))[1].lower() or None
        message_id = _header(message, "Message-ID").strip("<>") or None
    except (MessageError, LookupError, ValueError, TypeError, AttributeError):
        # The standard parser is lenient, but headers that are no headers make it fail in many ways.
        return None
    return Mail(message_id, _sent_at(message), sender, "\n\n".join(filter(None, (subject, text))), n_attachments)


def own_words(body: str) -> str:
    """Return `body` without what is quoted, replied to or signed; whole where nothing else is left."""
    text = body.replace("\r\n", "\n").replace("\r", "\n")
    replied = _REPLIED_TO.search(text)
    kept = text[: replied.start()] if replied else text
    kept = _BLANK_LINES.sub("\n\n", _QUOTED_LINE.sub("", _SIGNATURE.sub("", kept))).strip()
    return kept or text.strip()


def text_of_html(html: str) -> str:
    """Return what a reader would see of `html`, as text; nothing in it is run, fetched or trusted."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.pieces).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = part.get_content()
    if not isinstance(content, str):
        return ""
    return text_of_html(content) if part.get_content_type() == "text/html" else content.strip()


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _sent_at(message: EmailMessage) -> datetime | None:
    """Return the time of the Date header, or else of the last machine that passed the message on."""
    received = [str(value).rpartition(";")[2] for value in message.get_all("Received", [])[:1]]
    for value in (str(message.get("Date", "")), *received):
        try:
            found = parsedate_to_datetime(value.strip())
        except (ValueError, TypeError, IndexError):
            continue
        # "-0000" says UTC without a place (RFC 5322, section 3.3).
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = self._quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _UNSEEN and tag not in _VOID:
            self._unseen += 1
        if tag == "blockquote":
            self._quoted += 1
        if tag in _BREAKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._unseen:
            self._unseen -= 1
        if tag == "blockquote" and self._quoted:
            self._quoted -= 1
        if tag in _BREAKS and tag not in _VOID:
            self._break()

    def _break(self) -> None:
        # Marked as quoted lines of plain text are, so that both are cut alike.
        self.pieces.append("\n> " if self._quoted else "\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data.replace("\n", " "))
