"""What the words around a condition say about it: its traits and its role.

The method follows ConText: cues have a side, a reach and ends. The rules, in the order they are applied:

* A cue speaks within its sentence, over at most its reach of words. Unless it crosses, a comma, an END cue ("but") and
  another condition stop it; a drug mention stops a denial ("didn't take DRUG and got dizzy").
* Of several roles the nearest plain cue wins, the one before the condition where two are as near; then the nearest
  crossing one. A withdrawal cue anywhere in the sentence turns an adverse or unexplained condition into WITHDRAWAL.
* Conditions in a list ("no nausea, headache or rash") share the denial and the role of the list's edge. A form that
  opens with a verb or a denial of its own ("can't sleep") takes only ADE or WITHDRAWAL from a list.
* Without a cue, a symptom right after the drug's name ("DRUG headache") is an ADE; an illness that drugs are taken
  for is an INDICATION (column ``prior``) unless it is listed with a symptom ("dry mouth, anxiety"); anything else
  stays UNKNOWN.
* The condition is someone else's when the nearest person before it is (PERTAINS_TO_FAMILY).

Source:
    Harkema H, Dowling JN, Thornblade T, Chapman WW. ConText: an algorithm for determining negation, experiencer, and
    temporal status from clinical reports. J Biomed Inform 2009;42:839-851.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.coding.lexicon import END, ROLES, TRAITS
from adverse_events.coding.reading import DRUG, PAUSE, STOPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.coding.lexicon import Cue, Lexicon
    from adverse_events.coding.matching import FoundCue, FoundForm
    from adverse_events.coding.reading import Reading

UNKNOWN = "UNKNOWN"
REACH = 40
"""Words looked at on either side of a condition; keeps very long posts linear."""

_CONNECTIVES = frozenset({PAUSE, "and", "or", "nor", "n", "plus", "with"})
_MAX_CONNECTIVES = 2
_SHARED_BY_VERBS = frozenset({"ADE", "WITHDRAWAL"})
_ASSERTED = frozenset({"ADE", UNKNOWN})


@dataclass(frozen=True, slots=True)
class Finding:
    """What the context says of one condition: its role and its traits, sorted."""

    role: str
    traits: tuple[str, ...]


@dataclass(slots=True)
class _Draft:
    """A finding in the making: cue role with its certainty, and traits."""

    role: str
    traits: set[str]


class Context:
    """Judges the conditions found in one text.

    Args:
        lexicon: Word classes.
        reading: The whole text.
        kept: For each searched word its index in `reading` (fillers were left out).
        forms: Conditions, in text order; positions count searched words.
        cues: Cues, likewise.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        reading: Reading,
        kept: Sequence[int],
        forms: Sequence[FoundForm],
        cues: Sequence[FoundCue],
    ) -> None:
        """Split the text into sentences and clauses."""
        self._classes = lexicon.words
        self._all_words = reading.words
        self._kept = kept
        self._forms = forms
        self._cues = cues
        self._words = [reading.words[index] for index in kept]
        self._starts = [cue.begin for cue in cues]
        self._stops = [index for index, word in enumerate(self._words) if word in STOPS]
        ends = {cue.begin for cue in cues if any(meaning.meaning == END for meaning in cue.cues)}
        pauses = {index for index, word in enumerate(self._words) if word == PAUSE}
        self._clause_ends = sorted({*ends, *pauses, *self._stops})
        self._drugs = [index for index, word in enumerate(self._words) if word == DRUG]

    def judge(self) -> list[Finding]:
        """Return one finding per condition, same order."""
        drafts = [self._draft(index) for index in range(len(self._forms))]
        for left in range(len(drafts) - 1):
            self._share(drafts, left, left + 1)
        for left in reversed(range(len(drafts) - 1)):
            self._share(drafts, left + 1, left)
        return [self._finding(index, draft) for index, draft in enumerate(drafts)]

    def _draft(self, index: int) -> _Draft:
        roles: list[tuple[bool, int, bool, str]] = []
        traits: set[str] = set()
        is_withdrawal = False
        for distance, cue in self._speaking(index):
            if cue.meaning in TRAITS:
                traits.add(cue.meaning)
            elif cue.meaning == "WITHDRAWAL":
                is_withdrawal = True
            elif cue.meaning in ROLES:
                roles.append((cue.crosses, distance, cue.side == "after", cue.meaning))
        role = min(roles)[-1] if roles else UNKNOWN
        is_withdrawal = is_withdrawal or self._forms[index].form.condition.prior == "WITHDRAWAL"
        if is_withdrawal and role in _ASSERTED:
            role = "WITHDRAWAL"
        return _Draft(role, traits)

    def _speaking(self, index: int) -> list[tuple[int, Cue]]:
        """Return the cues that reach condition `index` and the words between."""
        form = self._forms[index]
        previous = self._forms[index - 1].end if index else 0
        following = self._forms[index + 1].begin if index + 1 < len(self._forms) else len(self._words)
        first = bisect_left(self._starts, form.begin - REACH)
        last = bisect_right(self._starts, form.end + REACH)
        speaking: list[tuple[int, Cue]] = []
        for found in self._cues[first:last]:
            side = "before" if found.end <= form.begin else "after"
            begin, end = (found.end, form.begin) if side == "before" else (form.end, found.begin)
            if _any_between(self._stops, begin, end):
                continue
            is_plain = found.begin >= previous if side == "before" else found.end <= following
            is_plain = is_plain and not _any_between(self._clause_ends, begin, end)
            for cue in found.cues:
                if cue.side != side or end - begin > cue.reach or not (cue.crosses or is_plain):
                    continue
                if cue.meaning == "NEGATION" and _any_between(self._drugs, begin, end):
                    continue
                speaking.append((end - begin, cue))
        return speaking

    def _share(self, drafts: list[_Draft], giver: int, taker: int) -> None:
        """Let `taker` have what the condition next to it in a list was told."""
        if not self._are_listed(giver, taker):
            return
        left, right = sorted((giver, taker))
        between = self._words[self._forms[left].end : self._forms[right].begin]
        given, taken = drafts[giver], drafts[taker]
        is_verbal = self._forms[taker].form.is_verbal
        has_and = any(word != PAUSE for word in between)
        if not is_verbal and giver < taker:
            taken.traits |= given.traits & {"NEGATION", "HYPOTHETICAL"}
        is_illness = self._forms[taker].form.condition.kind == "DIAGNOSIS"
        may_share = given.role in _SHARED_BY_VERBS or (not is_verbal and (has_and or is_illness))
        if taken.role == UNKNOWN and may_share:
            taken.role = given.role

    def _are_listed(self, one: int, other: int) -> bool:
        """Return whether only list words stand between two neighbouring conditions."""
        left, right = sorted((one, other))
        between = self._words[self._forms[left].end : self._forms[right].begin]
        return len(between) <= _MAX_CONNECTIVES and _CONNECTIVES.issuperset(between)

    def _is_listed_with_symptom(self, index: int) -> bool:
        return any(
            self._are_listed(index, other) and not self._forms[other].form.condition.prior
            for other in (index - 1, index + 1)
            if 0 <= other < len(self._forms)
        )

    def _finding(self, index: int, draft: _Draft) -> Finding:
        form = self._forms[index]
        role = draft.role
        condition = form.form.condition
        if role == UNKNOWN and not draft.traits:
            follows_drug = form.begin > 0 and self._words[form.begin - 1] == DRUG
            if condition.prior:
                role = UNKNOWN if self._is_listed_with_symptom(index) else condition.prior
            elif follows_drug and condition.kind != "DIAGNOSIS":
                role = "ADE"
        if self._is_someone_elses(form):
            draft.traits.add("PERTAINS_TO_FAMILY")
        if "HYPOTHETICAL" not in draft.traits and self._is_asked(form):
            draft.traits.add("HYPOTHETICAL")
        return Finding(role, tuple(sorted(draft.traits)))

    def _is_someone_elses(self, form: FoundForm) -> bool:
        begin, end = self._kept[form.begin], self._kept[form.end - 1] + 1
        own_words = self._all_words[begin:end]
        if not self._classes["SELF"].isdisjoint(own_words):
            return False
        if not self._classes["THEIRS"].isdisjoint(own_words):
            return True
        for index in range(begin - 1, max(begin - REACH, 0) - 1, -1):
            word = self._all_words[index]
            if word in STOPS:
                return False
            if word in self._classes["SELF"]:
                return False
            if word in self._classes["OTHER"]:
                return True
        return False

    def _is_asked(self, form: FoundForm) -> bool:
        """Whether the condition stands in a question that names no first person."""
        begin, end = self._kept[form.begin], self._kept[form.end - 1] + 1
        while begin > 0 and self._kept[form.begin] - begin < REACH and self._all_words[begin - 1] not in STOPS:
            begin -= 1
        limit = min(end + REACH, len(self._all_words))
        while end < limit and self._all_words[end] not in STOPS:
            end += 1
        if end == limit or self._all_words[end] != "?":
            return False
        sentence = self._all_words[begin:end]
        return sentence[0] in self._classes["QUESTION"] and self._classes["SELF"].isdisjoint(sentence)


def _any_between(positions: Sequence[int], begin: int, end: int) -> bool:
    """Return whether a sorted position lies in ``[begin, end)``."""
    at = bisect_left(positions, begin)
    return at < len(positions) and positions[at] < end
