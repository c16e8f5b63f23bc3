"""What makes two posts the same wording: words without dress, shingles of them, and the words that turn a meaning."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

from adverse_events.privacy import EMAIL, PHONE, URL, USER
from adverse_events.screening.folding import fold
from adverse_events.screening.lexicon_data import MEANING_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

_DRESS = re.compile("|".join(map(re.escape, (USER, URL, EMAIL, PHONE))) + r"|(?:https?://|www\.)\S+|(?<!\w)@\w+|'")
_WORD = re.compile(r"[^\W_]+")
_NEGATIONS = frozenset({"no", "not", "never", "without", "nor", "neither", "zero", "hardly", "barely", "stopped"})


def words_of(text: str) -> list[str]:
    """Return the words of `text`, case-folded; links, handles, placeholders, punctuation and emoji are gone.

    An advert posted with another link, or to another user, has the same words.
    """
    return _WORD.findall(_DRESS.sub(_undressed, fold(text).text))


def shingles_of(words: Sequence[str]) -> frozenset[tuple[str, ...]]:
    """Return the single words and neighbouring pairs: pairs keep word order from being lost."""
    return frozenset([*((word,) for word in words), *pairwise(words)])


def similarity(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    """Return the Jaccard similarity of two sets of shingles, 0-1."""
    return len(one & other) / len(one | other)


def turning_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return, in order, the words two near duplicates must share, a negation with the word it negates.

    Negations, symptoms, who it happened to, better or worse: posts that differ in one of these say different
    things, however alike the rest is.
    """
    listed = _meaning_words()
    return tuple(
        f"{word} {after}" if word in _NEGATIONS else word
        for word, after in zip_longest(words, words[1:], fillvalue="")
        if word in listed or word.removesuffix("s") in listed
    )


def _undressed(match: re.Match[str]) -> str:
    return "" if match[0] == "'" else " "


@cache
def _meaning_words() -> frozenset[str]:
    return frozenset((files(__package__) / "lexicon" / MEANING_WORDS).read_text("utf-8").split())
