"""Near misses of long drug names: a typing error away from one ingredient, and from one only."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_NAME_LETTERS = 8
MIN_NAME_LETTERS_FOR_TWO_EDITS = 10
_CACHED_WORDS = 65_536


class MisspellingIndex:
    """Finds the ingredient a misspelt word stands for.

    A word counts when one edit (insertion, deletion, substitution, swap of neighbours) from a name of
    at least 8 letters, or two from one of at least 10, with the same first letter, and when every name
    that close belongs to one ingredient: prednisolne could be either steroid, so it is neither.
    """

    def __init__(self, names: Mapping[str, str], ordinary_words: frozenset[str]) -> None:
        """Index the `names` (to ingredients) that are long enough; `ordinary_words` are never misspellings."""
        self._names: dict[tuple[str, int], list[tuple[str, str]]] = defaultdict(list)
        for name, ingredient in sorted(names.items()):
            if len(name) >= MIN_NAME_LETTERS and name.isalpha():
                self._names[name[0], len(name)].append((name, ingredient))
        self._ordinary_words = ordinary_words
        self.ingredient_of = lru_cache(maxsize=_CACHED_WORDS)(self._ingredient_of)

    def _ingredient_of(self, word: str) -> str | None:
        if word in self._ordinary_words or word.removesuffix("s") in self._ordinary_words:
            return None
        found = {
            ingredient
            for n_letters in range(len(word) - 2, len(word) + 3)
            for name, ingredient in self._names.get((word[0], n_letters), ())
            if OSA.distance(word, name, score_cutoff=_edits_allowed(name)) <= _edits_allowed(name)
        }
        return found.pop() if len(found) == 1 else None


def _edits_allowed(name: str) -> int:
    return 2 if len(name) >= MIN_NAME_LETTERS_FOR_TWO_EDITS else 1
