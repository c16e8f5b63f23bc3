"""Two plain ways to code lay text, to compare with: official terms written out, and the whole vocabulary by similarity.

Both know every description of the release and nothing else; neither says a role or a trait. They need the package
simple-icd-10-cm, which the development extra installs and a user's installation lacks.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import cache
from importlib import import_module, util
from typing import TYPE_CHECKING, Protocol

import ahocorasick
from rapidfuzz import fuzz, process

from adverse_events.coding.select import CodingSettings
from adverse_events.records import Concept, Entity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.coding.evaluation.gold import GoldPost

PACKAGE = "simple_icd_10_cm"
"""ICD-10-CM, release April 2026, MIT licence."""

LEAST_ALIKE = (60, 80)
"""Similarities of 100 at which the second baseline is measured: as many codes as one can get, and few wrong ones."""

NO_LIMITS = CodingSettings(entity_min_score=0, concept_min_score=0)
"""A baseline decides itself what it gives; the coder's score limits are not for it."""

_WORD = re.compile(r"[^\W_]+")
_CODE = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")
_FULL_MARKS = 100


class Baseline(Protocol):
    """Codes gold posts in some plain way."""

    @property
    def name(self) -> str:
        """What it is called beside the coder's scores."""

    def code(self, posts: Sequence[GoldPost]) -> list[tuple[Entity, ...]]:
        """Return the entities of each post, same order."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every category and code of the release, in tabular order, and its description at the same place."""

    codes: tuple[str, ...]
    descriptions: tuple[str, ...]


def is_available() -> bool:
    """Whether the official descriptions are installed."""
    return util.find_spec(PACKAGE) is not None


@cache
def vocabulary() -> Vocabulary:
    """Return the official descriptions; takes some seconds.

    Raises:
        ModuleNotFoundError: The package is not installed; see `is_available`.
    """
    with warnings.catch_warnings():
        # It reads its data through a function of importlib.resources that is deprecated; drop once it does not.
        warnings.simplefilter("ignore", DeprecationWarning)
        icd = import_module(PACKAGE)
    codes = tuple(code for code in icd.get_all_codes() if _CODE.fullmatch(code))
    return Vocabulary(codes, tuple(icd.get_description(code) for code in codes))


def baselines() -> list[Baseline]:
    """Return the baselines, simplest first."""
    official = vocabulary()
    similarity = Similarity(official)
    return [ExactTerms(official), *(FuzzyTerms(similarity, least) for least in LEAST_ALIKE)]


class ExactTerms:
    """Finds official descriptions in a text, in any case, longest first; of equal ones the first code counts."""

    name = "exact official terms"

    def __init__(self, official: Vocabulary) -> None:
        """Build the look-up."""
        self._automaton = ahocorasick.Automaton()
        for code, description in zip(official.codes, official.descriptions, strict=True):
            words = _WORD.findall(description.casefold())
            key = f" {' '.join(words)} "
            if words and key not in self._automaton:
                self._automaton.add_word(key, (len(words), Concept(code, description, 1.0)))
        self._automaton.make_automaton()

    def code(self, posts: Sequence[GoldPost]) -> list[tuple[Entity, ...]]:
        """Return the entities of each post, same order."""
        return [self._find(post.text) for post in posts]

    def _find(self, text: str) -> tuple[Entity, ...]:
        words = [(match.group().casefold(), *match.span()) for match in _WORD.finditer(text)]
        ends, place = {}, 0
        for number, (word, _, _) in enumerate(words, 1):
            place += len(word) + 1
            ends[place] = number
        hits = [
            (ends[last] - n_words, ends[last], concept)
            for last, (n_words, concept) in self._automaton.iter(f" {' '.join(word for word, _, _ in words)} ")
        ]
        found, free_from = [], 0
        for first, after, concept in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
            if first >= free_from:
                begin, end, free_from = words[first][1], words[after - 1][2], after
                found.append(Entity(text[begin:end], begin, end, 1.0, concepts=(concept,)))
        return tuple(found)


class Similarity:
    """Finds the official description most like a phrase, words in any order; remembers the phrases it was asked.

    Source:
        Indel similarity of the sorted words: ``token_sort_ratio``, rapidfuzz 3.14.
    """

    def __init__(self, official: Vocabulary) -> None:
        """Sort the words of every description once."""
        self._official = official
        self._descriptions = [_sorted_words(description) for description in official.descriptions]
        self._known: dict[str, Concept | None] = {}

    def closest(self, phrase: str) -> Concept | None:
        """Return the concept most like `phrase`, of equal ones the first, with the similarity; None below the least."""
        words = _sorted_words(phrase)
        if words not in self._known:
            found = process.extractOne(words, self._descriptions, scorer=fuzz.ratio, score_cutoff=min(LEAST_ALIKE))
            self._known[words] = found and self._concept(found[2], found[1])
        return self._known[words]

    def _concept(self, place: int, alike: float) -> Concept:
        return Concept(self._official.codes[place], self._official.descriptions[place], alike / _FULL_MARKS)


class FuzzyTerms:
    """Gives each gold span the description most like it; it is told where the conditions are.

    Args:
        similarity: Finds the description.
        least: Lowest similarity, of 100, at which it gives a code.
    """

    def __init__(self, similarity: Similarity, least: int) -> None:
        """Give codes at `least`."""
        self.name = f"whole vocabulary by similarity, {least} of {_FULL_MARKS}"
        self._similarity, self._least = similarity, least / _FULL_MARKS

    def code(self, posts: Sequence[GoldPost]) -> list[tuple[Entity, ...]]:
        """Return the entities of each post, same order."""
        return [
            tuple(
                Entity(mention.text, mention.begin, mention.end, concept.score, concepts=(concept,))
                for mention in post.mentions
                if (concept := self._similarity.closest(mention.text)) is not None and concept.score >= self._least
            )
            for post in posts
        ]


def _sorted_words(text: str) -> str:
    return " ".join(sorted(_WORD.findall(text.casefold())))
