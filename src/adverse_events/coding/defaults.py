"""What a condition has to do with the drugs of a text where no cue speaks of it: word order and what drugs treat.

An illness that drugs are taken for is an INDICATION unless it is listed with a symptom or stands right behind a drug
that is not taken for it; a symptom is an ADE where a drug is named before it or beside it. See `context`.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from adverse_events.coding.blame import is_one_list
from adverse_events.coding.hearing import NEAR, NEGATION, REACH, WITHDRAWAL
from adverse_events.coding.lexicon import REASON, STOPPED, TAKEN, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from adverse_events.coding.hearing import Hearing
    from adverse_events.coding.matching import FoundForm

PRIOR = "no cue: what it is when nothing else is said (column prior of conditions.csv)"
NO_DRUG = "no cue, and no drug to blame"
SYMPTOM_TREATED = "no cue: told before any drug, and then one was taken"
_SYMPTOM_AFTER = "no cue: told after a drug was named"
_SYMPTOM_BESIDE = "no cue: told beside a drug"
_NOT_TREATED = "no cue: named behind a drug that is not taken for it (treats.csv)"
_TREATED = "no cue: the drug is taken for it (treats.csv)"
_SHUNNED = "the drug is shunned because of it"
_REGIME = "the last thing said of the drug is that it was stopped"
_OPEN_ILLNESS = "no cue says what the illness has to do with the drug"

_NAME_REACH = 6
"""Words from a drug to an illness listed after it."""
_FOLLOWS = frozenset({"after", "following", "since"})
_OWNED = frozenset({"my", "his", "her", "their", "with", "chronic", "have", "and"})
_TAKES = frozenset({"take", "takes", "took", "taken", "taking", "use", "uses", "used", "using"})


class Defaults:
    """Gives roles by word order and by what drugs are taken for.

    Args:
        classes: Word classes LED_BY and SHUNS.
        hearing: The text.
        forms: Its conditions, in text order.
        before: For each condition the word right before it, fillers included.
        is_about_drug: The whole text is about a drug it need not name.
    """

    def __init__(
        self,
        classes: Mapping[str, AbstractSet[str]],
        hearing: Hearing,
        forms: Sequence[FoundForm],
        before: Sequence[str],
        *,
        is_about_drug: bool,
    ) -> None:
        """Take the text."""
        self._classes, self._hearing, self._forms, self._before = classes, hearing, forms, before
        self._words = hearing.words
        self._is_about_drug = is_about_drug

    def role(self, index: int, traits: Mapping[str, object]) -> tuple[str, str]:
        """Return the role of condition `index`, of which no cue speaks, and the rule; `traits` are what was heard."""
        form, drugs = self._forms[index], self._hearing.drugs
        n_before = bisect_left(drugs, form.begin)
        if form.form.condition.prior and not self._is_listed_with_symptom(index):
            return self._of_illness(index, n_before, traits)
        if n_before and self._hearing.is_treated(form) and self._is_named_as_cause(form.begin):
            return "INDICATION", _TREATED
        if n_before or self._is_about_drug:
            is_stopped = NEGATION not in traits and self._is_after_a_stop(form.begin)
            return (WITHDRAWAL, _REGIME) if is_stopped else ("ADE", _SYMPTOM_AFTER)
        if not drugs or drugs[0] - form.end > REACH:
            return UNKNOWN, NO_DRUG
        return self._before_drugs(form, drugs[0], traits)

    def _of_illness(self, index: int, n_before: int, traits: Mapping[str, object]) -> tuple[str, str]:
        """Return the role of an illness that drugs are taken for, and the rule; `n_before` drugs stand before it."""
        form, drugs = self._forms[index], self._hearing.drugs
        if NEGATION in traits or "HYPOTHETICAL" in traits:
            return ("ADE", _SYMPTOM_AFTER) if n_before else (UNKNOWN, _OPEN_ILLNESS)
        if n_before and self._is_listed_after_a_drug(index, drugs[n_before - 1]):
            return "ADE", _NOT_TREATED
        is_over = "PAST_HISTORY" in traits and not self._hearing.is_treated(form)
        return (UNKNOWN, _OPEN_ILLNESS) if is_over else (form.form.condition.prior, PRIOR)

    def _before_drugs(self, form: FoundForm, drug: int, traits: Mapping[str, object]) -> tuple[str, str]:
        """Return the role of a symptom told before the first drug, and the rule."""
        taken = self._hearing.last(TAKEN, drug + 1)
        is_taken = taken is not None and taken >= form.end and drug - taken <= NEAR + 2
        if taken is not None and is_taken and self._is_led_by(form.end, taken):
            is_taken = False
        is_shunned = self._words[drug - 1] in self._classes["SHUNS"]
        is_shunned |= is_taken and taken is not None and self._words[taken - 1] in self._classes["SHUNS"]
        if "PAST_HISTORY" in traits and is_shunned:
            return UNKNOWN, _SHUNNED
        is_apart = drug - form.end > NEAR and not self._hearing.has_stop(form.end, drug)
        is_over = "PAST_HISTORY" in traits and is_apart
        return ("INDICATION", SYMPTOM_TREATED) if is_taken or is_over else ("ADE", _SYMPTOM_BESIDE)

    def _is_listed_after_a_drug(self, index: int, drug: int) -> bool:
        """Whether an illness that the drugs of the text are not taken for stands behind one, with little between."""
        form, is_owned = self._forms[index], self._before[index] in _OWNED
        is_near = form.begin - drug <= _NAME_REACH and not self._hearing.has_stop(drug, form.begin)
        is_told = any(self._hearing.has(mark, drug, form.begin) for mark in (TAKEN, STOPPED, WITHDRAWAL))
        return is_near and not is_owned and not is_told and self._hearing.is_untreated(form)

    def _is_named_as_cause(self, at: int) -> bool:
        """Whether "after" or "because i" stands right before a place."""
        return self._words[at - 1] in _FOLLOWS or "because" in self._words[max(at - NEAR, 0) : at]

    def _is_led_by(self, begin: int, end: int) -> bool:
        """Whether the words right before a place say "when", "every time": what follows came first."""
        is_led = not self._classes["LED_BY"].isdisjoint(self._words[max(begin, end - NEAR - 1) : end])
        return is_led and self._words[end] in _TAKES

    def _is_after_a_stop(self, at: int) -> bool:
        """Whether the last thing said of a drug before `at`, in this sentence or the ones before, was a stop."""
        hearing = self._hearing
        last = hearing.last(WITHDRAWAL, at)
        if last is None or at - last > REACH:
            return False
        is_excused = hearing.has(REASON, last, at) or hearing.has(TAKEN, last + 1, at)
        return not (is_excused or hearing.has_drug(last + NEAR + 2, at))

    def _is_listed_with_symptom(self, index: int) -> bool:
        return any(
            self._are_listed(index, other) and not self._forms[other].form.condition.prior
            for other in (index - 1, index + 1)
            if 0 <= other < len(self._forms)
        )

    def _are_listed(self, one: int, other: int) -> bool:
        left, right = sorted((one, other))
        return is_one_list(self._words[self._forms[left].end : self._forms[right].begin])
