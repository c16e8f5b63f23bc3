"""A case-folded copy of a text whose every character knows where it came from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_QUOTES = "\u2018\u2019\u201a\u201b\u02bc\u00b4\u0060\uff07"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
_ASCII = str.maketrans("\t\n\r\v\f`", "     '")


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A text in lower case, without accents and invisible characters, spaces and quotes made plain.

    Attributes:
        text: The folded copy; may be shorter or longer than the original.
        origin: For each character of `text`, the code point of the original it came from; None
            when the two run in step.
    """

    text: str
    origin: list[int] | None

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Return the code points of the original that the non-empty ``[begin, end)`` came from."""
        if self.origin is None:
            return begin, end
        return self.origin[begin], self.origin[end - 1] + 1


def fold(text: str) -> FoldedText:
    """Return `text` folded for matching, with the way back."""
    if text.isascii():
        return FoldedText(text.translate(_ASCII).lower(), None)
    pieces: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        piece = _fold_character(character)
        pieces.append(piece)
        origin.extend([index] * len(piece))
    return FoldedText("".join(pieces), origin)


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    if character in _QUOTES:
        return "'"
    if character in _DASHES:
        return "-"
    if character.isspace():
        return " "
    if unicodedata.category(character) == "Cf":  # zero-width joiners, soft hyphens, byte order marks
        return ""
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    return "".join(part for part in decomposed if not unicodedata.combining(part) and part not in "\ufe0e\ufe0f")
