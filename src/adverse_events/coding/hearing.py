"""Which cues reach a condition, and where in a text sentences, clauses, drugs and marks stand."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.coding.lexicon import END, ILLNESS, LISTS, NO, NOW, REASON, STOPPED, TAKEN, TURN, YES
from adverse_events.coding.reading import DRUG, NUMBER, PAUSE, STOPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from adverse_events.coding.lexicon import Cue
    from adverse_events.coding.matching import FoundCue, FoundForm

REACH = 40
"""Words looked at on either side of a condition; keeps very long posts linear."""
NEAR = 2
"""Words between two things said in one breath, such as a verb of taking and its drug."""
NEGATION, WITHDRAWAL = "NEGATION", "WITHDRAWAL"
DUE_TO = "DUE_TO"
"""Reasons that are named ("because of"), as against what only excuses a stop."""

_MARKS = (END, REASON, TAKEN, NOW, TURN, STOPPED, NEGATION, WITHDRAWAL, DUE_TO)
_NOT_PAST_A_DRUG = frozenset({NEGATION, "BENEFIT", "ADE", "LACK_OF_EFFECT"})
_OF_TREATED = frozenset({"BENEFIT", "LACK_OF_EFFECT"})
"""What cues for illnesses say of any condition that a drug of the text is taken for."""
_BARE = frozenset({"for", "got"})
_BREAKS = frozenset({PAUSE, *STOPS})
_MOSTLY_TREATED = ("F32", "F33", "F41", "G43", "K21", "L70", "M54", "R12")
"""Codes of complaints that drugs are mostly taken for; cues for illnesses speak of them too."""


@dataclass(frozen=True, slots=True)
class Said:
    """A cue that reaches a condition.

    Attributes:
        distance: Words between the two.
        is_after: It stands after the condition.
        is_bare: It is one word of `_BARE` alone, which any other cue beside it explains better.
    """

    distance: int
    is_after: bool
    found: FoundCue
    cue: Cue
    is_bare: bool

    @property
    def rank(self) -> tuple[bool, bool, bool, int, bool]:
        """What is heard first sorts first."""
        return self.cue.reach > 0, self.cue.crosses == YES, self.is_bare, self.distance, self.is_after


class Hearing:
    """The searched words of one text, with what stands where.

    Attributes:
        words: Searched words.
        treated: How the codes begin that the drugs of the text are taken for; None where that is not known.
        drugs: Places of drugs among them.
        stops: Places of sentence ends.

    Args:
        words: Searched words.
        forms: Conditions, in text order.
        cues: Cues, in text order.
        classes: Word classes.
        treated: See above.
        years: Places of numbers of four digits.
    """

    def __init__(
        self,
        words: Sequence[str],
        forms: Sequence[FoundForm],
        cues: Sequence[FoundCue],
        classes: Mapping[str, AbstractSet[str]],
        treated: tuple[str, ...] | None = None,
        years: AbstractSet[int] = frozenset(),
    ) -> None:
        """Split the text into sentences and clauses."""
        self.treated, self._years = treated, years
        self.words, self._forms, self._cues, self._classes = words, forms, cues, classes
        self.stops = [index for index, word in enumerate(words) if word in STOPS]
        self.drugs = [index for index, word in enumerate(words) if word == DRUG]
        self._form_begins = [form.begin for form in forms]
        self._cue_begins = [found.begin for found in cues]
        self._places: dict[str, list[int]] = {meaning: [] for meaning in _MARKS}
        for found in cues:
            for cue in found.cues:
                if (places := self._places.get(cue.meaning)) is not None and places[-1:] != [found.begin]:
                    places.append(found.begin)
                if cue.meaning == REASON and cue.reach:
                    self._places[DUE_TO].append(found.begin)
        pauses = [index for index, word in enumerate(words) if word == PAUSE]
        self._clause_ends = sorted({*self._places[END], *pauses, *self.stops})
        self._stopped = [found for found in cues if self._is_stop_of_a_drug(found)]
        self._stopped_begins = [found.begin for found in self._stopped]

    def has(self, mark: str, begin: int, end: int) -> bool:
        """Return whether a cue that means `mark` begins among words ``[begin, end)``."""
        return _is_any_between(self._places[mark], begin, end)

    def has_drug(self, begin: int, end: int) -> bool:
        """Return whether a drug stands among words ``[begin, end)``."""
        return _is_any_between(self.drugs, begin, end)

    def has_stop(self, begin: int, end: int) -> bool:
        """Return whether a sentence ends among words ``[begin, end)``."""
        return _is_any_between(self.stops, begin, end)

    def has_form(self, begin: int, end: int) -> bool:
        """Return whether a condition begins among words ``[begin, end)``."""
        return _is_any_between(self._form_begins, begin, end)

    def last(self, mark: str, before: int) -> int | None:
        """Return where the last cue that means `mark` begins before a place."""
        at = bisect_left(self._places[mark], before) - 1
        return self._places[mark][at] if at >= 0 else None

    def is_unbroken(self, begin: int, end: int) -> bool:
        """Return whether words ``[begin, end)`` hold no pause and no sentence end."""
        return _BREAKS.isdisjoint(self.words[begin:end])

    def sentence(self, at: int) -> tuple[int, int]:
        """Return the sentence around a place, at most `REACH` words to either side."""
        after = bisect_left(self.stops, at)
        begin = self.stops[after - 1] + 1 if after else 0
        end = self.stops[after] if after < len(self.stops) else len(self.words)
        return max(begin, at - REACH), min(end, at + REACH)

    def is_taken(self, begin: int, end: int) -> bool:
        """Return whether a verb of taking with its drug stands among words ``[begin, end)``."""
        places = self._places[TAKEN]
        first, last = bisect_left(places, begin), bisect_left(places, end)
        return any(self.has_drug(at, min(at + NEAR + 2, end)) for at in places[first:last])

    def stops_around(self, form: FoundForm) -> list[FoundCue]:
        """Return the stops of a drug in the sentence of `form` that tell what led to it."""
        begin, end = self.sentence(form.begin)
        first, last = bisect_left(self._stopped_begins, begin), bisect_left(self._stopped_begins, end)
        return [stop for stop in self._stopped[first:last] if self._led_to(stop, form)]

    def is_excused(self, stop: FoundCue, form: FoundForm) -> bool:
        """Return whether a stop before `form` had a reason, or was followed by another drug."""
        return self.has(REASON, stop.begin + 1, form.begin) or self.has(TAKEN, stop.end, form.begin)

    def is_treated(self, form: FoundForm) -> bool:
        """Return whether a drug of the text is known to be taken for a condition like `form`."""
        return self.treated is not None and form.form.condition.code.startswith(self.treated)

    def is_untreated(self, form: FoundForm) -> bool:
        """Return whether the drugs of the text are known, and none of them is taken for a condition like `form`."""
        code = form.form.condition.code
        return bool(code) and self.treated is not None and not code.startswith(self.treated)

    def heard(self, index: int) -> list[Said]:
        """Return the cues that reach condition `index`, in text order."""
        form = self._forms[index]
        condition = form.form.condition
        is_illness = bool(condition.prior) or condition.code.startswith(_MOSTLY_TREATED)
        is_treated = is_illness or self.is_treated(form)
        previous = self._previous(index)
        following = self._forms[index + 1].begin if index + 1 < len(self._forms) else len(self.words)
        first = bisect_left(self._cue_begins, form.begin - REACH)
        last = bisect_right(self._cue_begins, form.end + REACH)
        heard: list[Said] = []
        for found in self._cues[first:last]:
            is_after = found.end > form.begin
            begin, end = (form.end, found.begin) if is_after else (found.end, form.begin)
            if begin < end and self.has_stop(begin, end):
                continue
            is_beside = found.end <= following if is_after else found.begin >= previous
            for cue in found.cues:
                is_treatable = is_treated if cue.meaning in _OF_TREATED and cue.of == ILLNESS else is_illness
                if (cue.side == "after") != is_after or end - begin > cue.reach or cue.is_for_other(is_treatable):
                    continue
                is_heard = self._crosses(cue, begin, end, is_beside=is_beside)
                if is_heard and cue.meaning == "PAST_HISTORY" and not self._is_dated(found):
                    continue
                if is_heard and (is_after or not self._is_about_something_else(cue, form, begin, end)):
                    is_bare = found.end - found.begin == 1 and self.words[found.begin] in _BARE
                    heard.append(Said(end - begin, is_after, found, cue, is_bare))
        return heard

    def _previous(self, index: int) -> int:
        """Return where what stands before condition `index` ends; an illness that only names it ("PTSD nightmares")."""
        if not index:
            return 0
        before, form = self._forms[index - 1], self._forms[index]
        is_name = before.end == form.begin and before.form.condition.prior and not form.form.condition.prior
        return before.begin if is_name else before.end

    def _is_dated(self, found: FoundCue) -> bool:
        """Whether "in" and a number, where they are the cue, are "in" and a year."""
        is_number_of = self.words[found.begin : found.end] == ["in", NUMBER]
        return not is_number_of or found.end - 1 in self._years

    def _crosses(self, cue: Cue, begin: int, end: int, *, is_beside: bool) -> bool:
        """Whether a cue gets over what stands between it and a condition."""
        if cue.meaning == "PAST_HISTORY" and self.has(NOW, begin, end):
            return False
        if cue.meaning == "LOW_CONFIDENCE" and self.has(TURN, begin, end) and self.has_form(begin, end):
            return False
        if cue.crosses == YES:
            return True
        if cue.crosses == LISTS:
            return not self.has(END, begin, end)
        return is_beside and not _is_any_between(self._clause_ends, begin, end)

    def _is_about_something_else(self, cue: Cue, form: FoundForm, begin: int, end: int) -> bool:
        """Whether what a cue before a condition speaks of is not the condition.

        It is a drug between the two, something with a reason of its own, or what could not be done ("could not sleep").
        """
        if cue.meaning == "HYPOTHETICAL":
            is_beside = begin == end and form.form.is_verbal
            return is_beside and self.words[begin - 1] in self._classes["MODAL"]
        if cue.crosses != NO or cue.meaning not in _NOT_PAST_A_DRUG:
            return False
        return self.has_drug(begin, end) or (cue.meaning == NEGATION and self.has(DUE_TO, begin, end))

    def _is_stop_of_a_drug(self, found: FoundCue) -> bool:
        """Whether a verb of stopping is followed by the drug: "forgot to pack my DRUG"."""
        if not any(cue.meaning == STOPPED for cue in found.cues):
            return False
        following = self.words[found.end : found.end + NEAR + 2]
        if DRUG not in following:
            return False
        at = found.end + following.index(DRUG)
        return not self.has_form(found.end, at) and self.is_unbroken(found.end, at)

    def _led_to(self, stop: FoundCue, form: FoundForm) -> bool:
        if stop.begin < form.begin:
            return not self.is_excused(stop, form)
        before = self.words[max(stop.begin - NEAR - 1, form.end) : stop.begin]
        return not self._classes["LED_BY"].isdisjoint(before) or self.words[stop.begin] in self._classes["UNMEANT"]


def _is_any_between(positions: Sequence[int], begin: int, end: int) -> bool:
    """Return whether a sorted position lies in ``[begin, end)``."""
    at = bisect_left(positions, begin)
    return at < len(positions) and positions[at] < end
