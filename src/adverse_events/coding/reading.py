"""Reading a post: words in one spelling, each knowing where it stands in the original text.

Matching happens on the words, so case, quotes, elongation, hashtags, contractions, plural endings and
misspellings never reach the lexicon, and every match leads back to code points of the text as given.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from adverse_events.records import DrugMention

DRUG = "DRUG"
"""Stands for a drug mention; upper case, so no word of a post can be taken for it."""

NUMBER = "#"
"""Stands for any number."""

STOPS = frozenset({".", "?"})
"""Ends of a sentence."""

PAUSE = ","
"""A break inside a sentence: comma, bracket, dash, slash, emoji."""

MIN_FUZZY_LETTERS = 8
_CACHED_WORDS = 1 << 16
_MIN_STEM_LETTERS = 4
_MIN_COMPACT_LETTERS = 7
_MAX_RUNS = 3
_MAX_WORD_LETTERS = 40

_TOKEN = re.compile(
    r"(?P<entity>&(?:amp|lt|gt|quot|nbsp|\#\d+);)"
    r"|(?P<with>(?<!\w)[wW]/(?:[oO]\b)?)"
    r"|(?P<word>\#?[^\W\d_]+(?:['`\u2018\u2019\u00b4\u02bc][^\W\d_]+)*)"
    r"|(?P<number>\d+(?:[.,:]\d+)*)"
    r"|(?P<stop>[.!?;\n\u2026]+)"
    r"|(?P<and>[&+])"
    r"|(?P<pause>[,:()\[\]/|\"\u2013\u2014\u201c\u201d\u2600-\u27bf\U0001f000-\U0001faff])"
)
_SIGNS: dict[str | None, Callable[[str], str]] = {
    "number": lambda _: NUMBER,
    "stop": lambda raw: "?" if "?" in raw else ".",
    "with": lambda raw: "with" if len(raw) == len("w/") else "without",
    "and": lambda _: "and",
    "entity": lambda raw: "and" if raw == "&amp;" else PAUSE,
    "pause": lambda _: PAUSE,
}
_APOSTROPHES = str.maketrans("", "", "'`\u2018\u2019\u00b4\u02bc")
_RUN = re.compile(r"(.)\1{2,}")
_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as words.

    Attributes:
        words: Every word and break, normalised.
        begins: First code point of each word in the original text.
        ends: First code point after it.
        guessed: Indices of words that were recognised only at edit distance one.
    """

    words: list[str]
    begins: list[int]
    ends: list[int]
    guessed: frozenset[int]


@dataclass(frozen=True)
class Spelling:
    """Brings words to the one spelling the lexicon uses.

    Attributes:
        variants: Known variants (misspelling, British form, contraction) and the words meant; a word
            mapped to itself keeps its final s.
        vocabulary: Every word of the lexicon.
        compounds: Multi-word lexicon forms written as one word, as hashtags do, and their words.
        fuzzy: Words that may be recognised at edit distance one.
    """

    variants: Mapping[str, tuple[str, ...]]
    vocabulary: AbstractSet[str]
    compounds: Mapping[str, tuple[str, ...]]
    fuzzy: Sequence[str]

    def resolve(self, raw: str) -> tuple[tuple[str, ...], bool]:
        """Return the words that `raw`, one word of a post, stands for, and whether they are a guess."""
        word = plain(raw)
        known = canonical(word, self.variants)
        if len(known) > 1 or known[0] in self.vocabulary:
            return known, False
        for shorter in _shortened(word):
            words = canonical(shorter, self.variants)
            if len(words) > 1 or words[0] in self.vocabulary:
                return words, False
            word = shorter
        if len(word) >= _MIN_COMPACT_LETTERS and (compound := self.compounds.get(word)):
            return compound, False
        known = canonical(word, self.variants)
        if guess := self._guess(known[0]):
            return canonical(guess, self.variants), True
        return known, False

    def _guess(self, word: str) -> str | None:
        """Return the one fuzzy word at edit distance one from `word`, same first letter; None when several."""
        if len(word) < MIN_FUZZY_LETTERS:
            return None
        near = [known for known in self.fuzzy if known[0] == word[0] and OSA.distance(known, word, score_cutoff=1) <= 1]
        return near[0] if len(near) == 1 else None


class Reader:
    """Reads texts with one spelling; remembers the words it has met."""

    def __init__(self, spelling: Spelling) -> None:
        """Read with `spelling`."""
        self._resolve = lru_cache(maxsize=_CACHED_WORDS)(spelling.resolve)

    def read(self, text: str, drugs: Sequence[DrugMention] = ()) -> Reading:
        """Read `text`; each drug mention becomes the word `DRUG`."""
        words: list[str] = []
        begins: list[int] = []
        ends: list[int] = []
        guessed: set[int] = set()
        spans = sorted({(drug.begin, drug.end) for drug in drugs})
        upcoming = 0
        for token in _TOKEN.finditer(text):
            begin, end = token.span()
            while upcoming < len(spans) and spans[upcoming][1] <= begin:
                upcoming += 1
            if upcoming < len(spans) and spans[upcoming][0] < end:
                drug_begin, drug_end = spans[upcoming]
                if not (words and words[-1] == DRUG and begins[-1] == drug_begin):
                    words.append(DRUG)
                    begins.append(drug_begin)
                    ends.append(drug_end)
                continue
            for norm, norm_begin, norm_end, is_guess in self._words(token, begin, end):
                if is_guess:
                    guessed.add(len(words))
                words.append(norm)
                begins.append(norm_begin)
                ends.append(norm_end)
        return Reading(words, begins, ends, frozenset(guessed))

    def _words(self, token: re.Match[str], begin: int, end: int) -> list[tuple[str, int, int, bool]]:
        raw = token.group()
        if token.lastgroup == "word":
            if raw[0] == "#":
                return self._hashtag(raw[1:], begin + 1)
            if len(raw) > _MAX_WORD_LETTERS:  # no word of the lexicon, and not worth remembering
                return [(plain(raw), begin, end, False)]
            norms, is_guess = self._resolve(raw)
            return [(norm, begin, end, is_guess) for norm in norms]
        return [(_SIGNS[token.lastgroup](raw), begin, end, False)]

    def _hashtag(self, tag: str, begin: int) -> list[tuple[str, int, int, bool]]:
        humps = list(_HUMP.finditer(tag))
        if len(humps) > 1 and "".join(hump.group() for hump in humps) == tag:
            pieces = [(hump.group(), begin + hump.start(), begin + hump.end()) for hump in humps]
        else:
            pieces = [(tag, begin, begin + len(tag))]
        found = []
        for piece, piece_begin, piece_end in pieces:
            norms, is_guess = self._resolve(piece)
            found += [(norm, piece_begin, piece_end, is_guess) for norm in norms]
        return found


def plain(raw: str) -> str:
    """Return `raw` case-folded, in compatibility form, without apostrophes."""
    if not raw.isascii():
        raw = unicodedata.normalize("NFKC", raw)
    return raw.translate(_APOSTROPHES).casefold()


def canonical(word: str, variants: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the words a plain `word` stands for: its known variant, or itself without a plural s."""
    known = variants.get(word)
    if known:
        return known
    if len(word) >= _MIN_STEM_LETTERS and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        stem = word[:-1]
        return variants.get(stem, (stem,))
    return (word,)


def _shortened(word: str) -> list[str]:
    """Return `word` with each run of three or more letters cut to two or one, likeliest first."""
    runs = list(_RUN.finditer(word))
    if not runs:
        return []
    lengths = itertools.product((2, 1), repeat=min(len(runs), _MAX_RUNS))
    return [_cut(word, runs, (*choice, *[1] * (len(runs) - len(choice)))) for choice in lengths]


def _cut(word: str, runs: Sequence[re.Match[str]], lengths: Sequence[int]) -> str:
    pieces, position = [], 0
    for run, length in zip(runs, lengths, strict=True):
        pieces += [word[position : run.start()], run.group(1) * length]
        position = run.end()
    return "".join(pieces) + word[position:]
