"""Finding every lexicon entry in a sequence of words, in one pass.

From each word that opens an entry, the word sequences as long as the entries it opens are looked up. The cost is linear
in the text, word bounds come free, and there is nothing to build when the coder starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from adverse_events.coding.apart import PARTICLES
from adverse_events.coding.lexicon import APART_SCORE, Form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from adverse_events.coding.lexicon import Cue, Lexicon

    _PlacedCue = tuple[int, int, tuple[Cue, ...], bool]

_Found = TypeVar("_Found")

_FEW_LENGTHS = 3
_TO = frozenset(
    {"start", "started", "starting", "begin", "began", "begun", "beginning", "continue", "continued", "seem", "seemed"}
    | {"tend", "going", "got"}
)
_FOLLOWERS = {"on": frozenset({"keep", "kept", "keeping"}), "to": _TO}
"""Words that belong to the soft word before them: "started to fall out", "keeps on"."""
_LIKE = "like"
_LIKENED = frozenset({"it", "they", "im", "i"})
"""What "like" stands before where it only joins a clause: "feels like it is on fire", but "skin like leather"."""


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
    """Finds forms, idioms and cues, leftmost-longest.

    Conditions are looked for twice: among all words, and again without the soft words ("started to", "feels"),
    so that "hair has started to fall out" is the form "hair fall out". Cues are looked for among all words only.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        """Look up in `lexicon`; nothing is copied."""
        self._forms, self._idioms, self._starts = lexicon.forms, lexicon.idioms, lexicon.starts
        self._cues = {key: tuple(cues) for key, cues in lexicon.cues.items()}
        self._cue_starts = lexicon.cue_starts
        self._soft = lexicon.words["SOFT"]
        self._between = lexicon.words["BETWEEN"]
        self._verbal = lexicon.words["VERBAL"]
        self._conditions = lexicon.conditions
        self._apart = lexicon.apart

    def find(self, words: Sequence[str]) -> Matches:
        """Return the entries of the lexicon among `words`; cues are looked for when they are asked for."""
        spans: list[tuple[int, int, Form | None]] = []
        self._look_up(words, None, spans)
        if not self._soft.isdisjoint(words):
            kept = self._without_soft(words)
            if len(kept) < len(words):
                self._look_up([words[index] for index in kept], kept, spans)
        if not (self._apart.pairs.keys().isdisjoint(words) or self._apart.stems.keys().isdisjoint(words)):
            self._look_apart(words, spans)
        return Matches(spans, partial(self._find_cues, words))

    def _find_cues(self, words: Sequence[str]) -> list[_PlacedCue]:
        """Return the cues among `words`, and whether their words are a form too."""
        starts, known_cues, known_forms = self._cue_starts, self._cues, self._forms
        return [
            (begin, end, known_cues[key], key in known_forms)
            for begin, word in enumerate(words)
            if word in starts
            for begin, end in _spans(starts, words, begin)
            if (key := " ".join(words[begin:end])) in known_cues
        ]

    def _look_apart(self, words: Sequence[str], spans: list[tuple[int, int, Form | None]]) -> None:
        """Add the conditions whose words stand apart to `spans`.

        A change that is a condition of its own ("numbness") may go with a part; more than a change may not.
        """
        apart = self._apart
        whole = [
            (begin, end)
            for begin, end, form in spans
            if form is None or not (words[begin] in apart.stems and PARTICLES.issuperset(words[begin + 1 : end]))
        ]
        taken = {at for begin, end in whole for at in range(begin, end)}
        crossed = {at for begin, end, _ in spans for at in range(begin, end)}
        crossed.update(at for begin, end, _, _ in self._find_cues(words) for at in range(begin, end))
        for begin, end, name in apart.find(words, self._soft | self._between, taken, crossed):
            is_verbal = words[begin] in self._verbal
            spans.append((begin, end, Form(self._conditions[name], 2, 0, APART_SCORE, is_verbal)))

    def _look_up(
        self, words: Sequence[str], places: Sequence[int] | None, spans: list[tuple[int, int, Form | None]]
    ) -> None:
        """Add what is found to `spans` (None for an idiom); `places` are the words' own places."""
        starts, known_forms, idioms = self._starts, self._forms, self._idioms
        n_all = len(words)
        for begin, word in enumerate(words):
            lengths = starts.get(word)
            if lengths is None:
                continue
            if not lengths or lengths[-1] == 1:  # its pairs tell the longer keys apart
                lengths += starts.get(" ".join(words[begin : begin + 2]), ()) if begin + 1 < n_all else ()
            for n_words in lengths:
                end = begin + n_words
                if end > n_all or (places and places[end - 1] - places[begin] == n_words - 1):
                    continue  # no word was left out here, so it was found among all words
                key = " ".join(words[begin:end])
                if key in idioms:
                    spans.append((places[begin] if places else begin, places[end - 1] + 1 if places else end, None))
                elif form := known_forms.get(key):
                    first = begin + form.n_lead
                    spans.append((places[first] if places else first, places[end - 1] + 1 if places else end, form))

    def _without_soft(self, words: Sequence[str]) -> list[int]:
        """Return the places of the words that are neither soft nor belong to a soft word."""
        kept: list[int] = []
        before = ""
        for index, word in enumerate(words):
            if before == _LIKE and word in _LIKENED:
                kept.pop()
            elif word not in self._soft and not (word in _FOLLOWERS and before in _FOLLOWERS[word]):
                kept.append(index)
            before = word
        return kept


class Matches:
    """Where entries stand in one sequence of words.

    Args:
        spans: Begin, end and form of each condition found, None for an idiom.
        find_cues: Returns begin, end and meanings of each cue, and whether its words are a form too.
    """

    def __init__(
        self, spans: list[tuple[int, int, Form | None]], find_cues: Callable[[], Iterable[_PlacedCue]]
    ) -> None:
        """Keep the entries as they were found; most texts hold no condition, and nobody asks for their cues."""
        self._spans, self._find_cues = spans, find_cues

    def forms(self) -> list[FoundForm]:
        """Return the conditions, leftmost-longest, in order; an idiom that covers a condition hides it."""
        if not any(form for _, _, form in self._spans):
            return []
        return [FoundForm(begin, end, form) for begin, end, form in _leftmost_longest(self._spans) if form]

    def cues(self, forms: Iterable[FoundForm]) -> list[FoundCue]:
        """Return the cues beside `forms`, leftmost-longest, in order.

        A cue that shares a word with a condition's span is no cue ("no" in "no sleep" denies nothing), unless the
        same words are both ("withdrawal").
        """
        covered = {index for form in forms for index in range(form.begin, form.end)}
        cues = [
            (begin, end, found)
            for begin, end, found, is_form in self._find_cues()
            if is_form or covered.isdisjoint(range(begin, end))
        ]
        return [FoundCue(*cue) for cue in _leftmost_longest(cues)]


def openings(keys: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return what opens `keys`, and how many words the keys have that it opens, shortest first.

    A word that opens keys of few lengths stands for all of them; one that opens many ("no", "feel") only for keys of
    one word, and its keys are told apart by their two first words.
    """
    lengths: dict[str, set[int]] = {}
    pairs: dict[str, set[int]] = {}
    for key in keys:
        words = key.split(" ", 2)
        n_words = key.count(" ") + 1
        lengths.setdefault(words[0], set()).add(n_words)
        if n_words > 1:
            pairs.setdefault(f"{words[0]} {words[1]}", set()).add(n_words)
    found = {word: tuple(sorted(of)) for word, of in lengths.items() if len(of) <= _FEW_LENGTHS}
    for word in lengths.keys() - found.keys():
        found[word] = (1,) if 1 in lengths[word] else ()
    found |= {pair: tuple(sorted(of)) for pair, of in pairs.items() if len(lengths[pair.split(" ")[0]]) > _FEW_LENGTHS}
    return dict(sorted(found.items()))


def _spans(starts: Mapping[str, tuple[int, ...]], words: Sequence[str], begin: int) -> list[tuple[int, int]]:
    """Return the stretches of `words` that may be a key opened by the word at `begin`, which is in `starts`."""
    word, n_left = words[begin], len(words) - begin
    lengths = starts[word]
    if n_left > 1 and (not lengths or lengths[-1] == 1):  # its pairs tell the longer keys apart
        lengths += starts.get(f"{word} {words[begin + 1]}", ())
    return [(begin, begin + n_words) for n_words in lengths if n_words <= n_left]


def _leftmost_longest(spans: list[tuple[int, int, _Found]]) -> list[tuple[int, int, _Found]]:
    chosen: list[tuple[int, int, _Found]] = []
    free_from = 0
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if span[0] >= free_from:
            chosen.append(span)
            free_from = span[1]
    return chosen
