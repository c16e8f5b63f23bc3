"""Finding every lexicon entry in a sequence of words, in one pass."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

import ahocorasick

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adverse_events.coding.lexicon import Cue, Form, Lexicon

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Entry:
    """What one word sequence means: a condition, an idiom to pass over, cues, or several of these."""

    n_words: int
    form: Form | None
    is_idiom: bool
    cues: tuple[Cue, ...]


@dataclass(frozen=True, slots=True)
class FoundForm:
    """A condition at words ``[begin, end)``, lead words not included."""

    begin: int
    end: int
    form: Form


@dataclass(frozen=True, slots=True)
class FoundCue:
    """Cue words at ``[begin, end)`` and what they mean."""

    begin: int
    end: int
    cues: tuple[Cue, ...]


class Matcher:
    """Finds forms and cues with one Aho-Corasick automaton.

    Word bounds come free: keys and text carry a space at both ends of every word.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        """Build the automaton of every form, idiom and cue of `lexicon`."""
        self._automaton = ahocorasick.Automaton()
        for key in {**lexicon.forms, **dict.fromkeys(sorted(lexicon.idioms)), **lexicon.cues}:
            entry = Entry(
                key.count(" ") + 1, lexicon.forms.get(key), key in lexicon.idioms, tuple(lexicon.cues.get(key, ()))
            )
            self._automaton.add_word(f" {key} ", entry)
        self._automaton.make_automaton()

    def find(self, words: Sequence[str]) -> Matches:
        """Return every entry of the lexicon among `words`."""
        found = list(self._automaton.iter(f" {' '.join(words)} "))
        # Position of the space before each word: the sum of the lengths before it, a space each.
        spaces = list(accumulate((len(word) + 1 for word in words), initial=0)) if found else []
        return Matches([(bisect_left(spaces, last), entry) for last, entry in found])


class Matches:
    """Where entries stand in one sequence of words.

    Args:
        placed: Each entry with the word after its last.
    """

    def __init__(self, placed: list[tuple[int, Entry]]) -> None:
        """Keep the entries as they were found."""
        self._placed = placed

    def forms(self) -> list[FoundForm]:
        """Return the conditions, leftmost-longest, in order; an idiom that covers a condition hides it."""
        if not any(entry.form for _, entry in self._placed):
            return []
        return _forms([(end, entry) for end, entry in self._placed if entry.form or entry.is_idiom])

    def cues(self, forms: Iterable[FoundForm]) -> list[FoundCue]:
        """Return the cues beside `forms`, leftmost-longest, in order.

        A cue that shares a word with a condition's span is no cue ("no" in "no sleep" denies nothing), unless the
        same words are both ("withdrawal").
        """
        covered = {index for form in forms for index in range(form.begin, form.end)}
        cues = [
            (end - entry.n_words, end, entry.cues)
            for end, entry in self._placed
            if entry.cues and (entry.form or covered.isdisjoint(range(end - entry.n_words, end)))
        ]
        return [FoundCue(*cue) for cue in _leftmost_longest(cues)]


def _forms(placed: list[tuple[int, Entry]]) -> list[FoundForm]:
    spans = [
        (end - entry.n_words + (entry.form.n_lead if entry.form and not entry.is_idiom else 0), end, entry)
        for end, entry in placed
    ]
    return [
        FoundForm(begin, end, entry.form)
        for begin, end, entry in _leftmost_longest(spans)
        if entry.form and not entry.is_idiom
    ]


def _leftmost_longest(spans: list[tuple[int, int, _Found]]) -> list[tuple[int, int, _Found]]:
    chosen: list[tuple[int, int, _Found]] = []
    free_from = 0
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if span[0] >= free_from:
            chosen.append(span)
            free_from = span[1]
    return chosen
