"""What the words around a condition say about it: its traits, its role, and the drug it is blamed on.

The method follows ConText: cues have a side, a reach and ends. The rules, in the order they are applied:

* A cue speaks within its sentence, over at most its reach of words. Unless it crosses, a comma, an END cue ("but") and
  another condition stop it; one that crosses lists is stopped by END cues only; a drug mention stops a denial and a
  benefit before it ("didn't take DRUG and got dizzy", "stopped DRUG when I got dizzy"). Some cues speak of illnesses only, or of symptoms only.
* Of several roles a cue that touches the condition and allows no word between (reach 0) wins; then the nearest that
  does not cross, the one before the condition where two are as near; then the nearest crossing one.
* A denied benefit is LACK_OF_EFFECT ("hasn't helped my anxiety"); a benefit denies nothing else ("no more panic
  attacks"). Two denials in one clause cancel out, unless the second is slang ("don't have no"). What is hoped or
  supposed not to happen is HYPOTHETICAL, not denied.
* A WITHDRAWAL cue in the sentence, or the last thing said of a drug before it, turns an adverse or unexplained condition
  into WITHDRAWAL, unless a REASON ("because of") or another drug taken stands between: "stopped DRUG because of the
  rash" reports an ADE. A REASON without a stop is an INDICATION where a drug was TAKEN for it.
* Conditions in a list ("no nausea, headache or rash") share the denial and the role of the list's edge. A form that
  opens with a verb or a denial of its own ("can't sleep") takes only ADE or WITHDRAWAL from a list.
* Without a cue, an illness that drugs are taken for is an INDICATION (column ``prior``) unless it is listed with a
  symptom ("dry mouth, anxiety"). A symptom is an ADE where a drug is named before it or beside it, an INDICATION where
  the only drugs come after it and were TAKEN ("headache, so I took DRUG"), and UNKNOWN where no drug is named.
* The condition is someone else's (PERTAINS_TO_FAMILY) when the nearest person before it is: not one who only speaks or
  listens ("my mom says", "told my mom"), nor a doctor's "he" or "she". A sentence without a person goes on with the last.
* The drug blamed is the one in or beside the causal cue, else the nearest before the condition, else the nearest after
  it. Two drugs named in one breath ("A and B") leave it open.

Source:
    Harkema H, Dowling JN, Thornblade T, Chapman WW. ConText: an algorithm for determining negation, experiencer, and
    temporal status from clinical reports. J Biomed Inform 2009;42:839-851.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adverse_events.coding.experiencer import Experiencers
from adverse_events.coding.lexicon import (
    END,
    LISTS,
    NO,
    NOW,
    REASON,
    ROLES,
    STATED,
    STOPPED,
    TAKEN,
    TRAITS,
    UNKNOWN,
    YES,
)
from adverse_events.coding.reading import DRUG, PAUSE, STOPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adverse_events.coding.lexicon import Cue, Lexicon
    from adverse_events.coding.matching import FoundCue, FoundForm
    from adverse_events.coding.reading import Reading

REACH = 40
"""Words looked at on either side of a condition; keeps very long posts linear."""

_CONNECTIVES = frozenset({PAUSE, "and", "or", "nor", "n", "plus", "with"})
_MAX_CONNECTIVES = 2
_SHARED_BY_VERBS = frozenset({"ADE", "WITHDRAWAL"})
_ASSERTED = frozenset({"ADE", UNKNOWN, REASON})
_MARKS = (END, REASON, TAKEN, NOW, STOPPED, "NEGATION", "WITHDRAWAL")
_DUE_TO = "due to"
"""Reasons that are named, as against what only excuses a stop."""
_GIVE_ROLES = ROLES | {UNKNOWN, REASON}
_NOT_PAST_A_DRUG = frozenset({"NEGATION", "BENEFIT", "ADE", "LACK_OF_EFFECT"})
_BREAKS = frozenset({PAUSE, *STOPS})
_OUTCOMES = frozenset(
    [
        "seem",
        "help",
        "manage",
        "managed",
        "start",
        "started",
        "begin",
        "began",
        "continue",
        "continued",
        "used",
        "able",
        "appear",
    ]
)
"""Before "to" and a verb of benefit: an outcome, not a purpose."""
_LED_BY = frozenset(["when", "whenever", "after", "since", "because", "if", "from", "once", "time", "while", "until"])
_UNMEANT = frozenset(
    [
        "forgot",
        "forget",
        "forgetting",
        "forgotten",
        "miss",
        "missed",
        "missing",
        "skip",
        "skipped",
        "skipping",
        "without",
        "ran",
        "run",
    ]
)
"""Stops that nobody makes because of a condition, so that a condition told before one came of it."""
_SETTLES = frozenset({"BENEFIT", "LACK_OF_EFFECT"})
_HAVING = frozenset({"have", "has", "had", "get", "got", "having", "getting", "give", "do"})
_MOSTLY_TREATED = ("F32", "F33", "F41", "G43", "K21", "L70", "M54", "R12")
"""Codes of complaints that drugs are mostly taken for; cues for illnesses speak of them too."""
_NEAR = 2
"""Words between two things said in one breath, such as a verb of taking and its drug."""
_DOUBLE = 4

Because = "FoundCue | str"
"""What decided: the cue's words, or a rule in words."""

_SYMPTOM_AFTER = "no cue: a symptom named after a drug"
_SYMPTOM_BESIDE = "no cue: a symptom beside a drug"
_SYMPTOM_TREATED = "no cue: a symptom, and then a drug was taken"
_NO_DRUG = "no cue, and no drug to blame"
_PRIOR = "no cue: an illness that drugs are taken for"
_OPEN_ILLNESS = "no cue says what the illness has to do with the drug"
_LISTED = "listed with the condition next to it"
_ASKED = "a question that names no first person"
_REGIME = "the last thing said of the drug was that it was stopped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the context says of one condition.

    Attributes:
        role: One of `ROLES`, or UNKNOWN.
        traits: Sorted.
        blamed: Place, among the searched words, of the drug blamed; None where none is or it is open.
        because: What decided role and traits, by their names.
    """

    role: str
    traits: tuple[str, ...]
    blamed: int | None = None
    because: Mapping[str, FoundCue | str] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    """A finding in the making."""

    role: str
    found: FoundCue | None
    traits: dict[str, FoundCue | str]
    is_stated: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Speaking:
    """A cue that reaches a condition: how far it stands, and whether after it."""

    distance: int
    is_after: bool
    found: FoundCue
    cue: Cue
    is_bare: bool = False

    @property
    def rank(self) -> tuple[bool, bool, bool, int, bool]:
        """What is heard first sorts first."""
        return self.cue.reach > 0, self.cue.crosses == YES, self.is_bare, self.distance, self.is_after


class Context:
    """Judges the conditions found in one text.

    Args:
        lexicon: Word classes.
        reading: The whole text.
        kept: For each searched word its index in `reading` (fillers were left out).
        forms: Conditions, in text order; positions count searched words.
        cues: Cues, likewise.
        is_about_drug: The whole text is about a drug it need not name, as a review is.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        reading: Reading,
        kept: Sequence[int],
        forms: Sequence[FoundForm],
        cues: Sequence[FoundCue],
        *,
        is_about_drug: bool = False,
    ) -> None:
        """Split the text into sentences and clauses."""
        self._classes = lexicon.words
        self._all_words = reading.words
        self._kept = kept
        self._forms = forms
        self._cues = cues
        self._words = words = [reading.words[index] for index in kept]
        self._starts = [cue.begin for cue in cues]
        self._stops = [index for index, word in enumerate(words) if word in STOPS]
        self._drugs = [index for index, word in enumerate(words) if word == DRUG]
        self._places: dict[str, list[int]] = {meaning: [] for meaning in (*_MARKS, _DUE_TO)}
        for found in cues:
            for said in found.cues:
                if (places := self._places.get(said.meaning)) is not None and places[-1:] != [found.begin]:
                    places.append(found.begin)
                if said.meaning == REASON and said.reach:
                    self._places[_DUE_TO].append(found.begin)
        self._ends = self._places[END]
        pauses = [index for index, word in enumerate(words) if word == PAUSE]
        self._clause_ends = sorted({*self._ends, *pauses, *self._stops})
        self._stopped = [cue for cue in cues if self._is_stop_of_a_drug(cue)]
        self._stopped_at = [cue.begin for cue in self._stopped]
        self._is_about_drug = is_about_drug
        self._experiencers = Experiencers(lexicon, reading)

    def judge(self) -> list[Finding]:
        """Return one finding per condition, same order."""
        drafts = [self._draft(index) for index in range(len(self._forms))]
        for left in range(len(drafts) - 1):
            self._share(drafts, left, left + 1)
        for left in reversed(range(len(drafts) - 1)):
            self._share(drafts, left + 1, left)
        return [self._finding(index, draft) for index, draft in enumerate(drafts)]

    def _is_stop_of_a_drug(self, found: FoundCue) -> bool:
        """Whether a verb of stopping is followed by the drug: "forgot to pack my DRUG"."""
        if not any(said.meaning == STOPPED for said in found.cues):
            return False
        following = self._words[found.end : found.end + _NEAR + 2]
        if DRUG not in following:
            return False
        at = following.index(DRUG)
        has_form = any(found.end <= form.begin < found.end + at for form in self._forms)
        return not has_form and _BREAKS.isdisjoint(following[:at])

    def _draft(self, index: int) -> _Draft:
        form = self._forms[index]
        speaking = self._speaking(index)
        roles = [said for said in speaking if said.cue.meaning in _GIVE_ROLES and _is_heard(said.cue)]
        withdrawn = [
            said.found for said in roles if said.cue.meaning == "WITHDRAWAL" and self._is_unexcused(said, form)
        ] or self._stops_around(form)
        chosen = min(
            (said for said in roles if said.cue.meaning != "WITHDRAWAL"), key=lambda said: said.rank, default=None
        )
        role, found = (chosen.cue.meaning, chosen.found) if chosen else ("", None)
        if chosen and role == "BENEFIT":
            role = self._benefit(chosen, speaking)
        if role == REASON and found:
            role = self._reason(found)
        if withdrawn and (not role or role in _ASSERTED or (role == "LACK_OF_EFFECT" and chosen and chosen.is_after)):
            role, found = "WITHDRAWAL", min(withdrawn, key=lambda said: abs(said.begin - form.begin))
        elif form.form.condition.prior == "WITHDRAWAL" and (not role or role in _ASSERTED):
            role = "WITHDRAWAL"
        stated = min((said.found.begin for said in speaking if said.cue.meaning == STATED), default=None)
        return _Draft(role, found, self._traits(speaking, role, stated), stated is not None)

    def _benefit(self, chosen: _Speaking, speaking: Sequence[_Speaking]) -> str:
        """Return what a cue of benefit comes to: denied it is no effect, and as a purpose or a hope an indication."""
        if self._is_denied(chosen):
            return "LACK_OF_EFFECT"
        at = chosen.found.begin
        is_purpose = not chosen.is_after and self._words[max(at - 1, 0) : at] == ["to"]
        if is_purpose and _OUTCOMES.isdisjoint(self._words[max(at - 2, 0) : at - 1]):
            return "INDICATION"
        is_hoped = any(one.cue.meaning == "HYPOTHETICAL" and one.found.begin < at for one in speaking)
        return "INDICATION" if is_hoped else "BENEFIT"

    def _stops_around(self, form: FoundForm) -> list[FoundCue]:
        """Return the stops of a drug in the sentence that tell what led to the condition."""
        begin, end = self._sentence(form.begin)
        first, last = bisect_left(self._stopped_at, begin), bisect_left(self._stopped_at, end)
        return [stop for stop in self._stopped[first:last] if self._led_to(stop, form)]

    def _led_to(self, stop: FoundCue, form: FoundForm) -> bool:
        if stop.begin < form.begin:
            return not (
                _any_between(self._places[REASON], stop.begin + 1, form.begin)
                or _any_between(self._places[TAKEN], stop.end, form.begin)
            )
        before = self._words[max(stop.begin - _NEAR - 1, form.end) : stop.begin]
        return not _LED_BY.isdisjoint(before) or self._words[stop.begin] in _UNMEANT

    def _traits(self, speaking: Sequence[_Speaking], role: str, stated: int | None) -> dict[str, FoundCue | str]:
        said = [one for one in speaking if one.cue.meaning in TRAITS]
        traits: dict[str, FoundCue | str] = {}
        for one in sorted(said, key=lambda one: one.distance, reverse=True):
            traits[one.cue.meaning] = one.found
        if stated is not None or role in _SETTLES or role == "INDICATION":
            traits.pop("HYPOTHETICAL", None)
        if denial := traits.get("NEGATION"):
            is_stated = stated is not None and not isinstance(denial, str) and stated < denial.begin
            if is_stated or role in _SETTLES or self._is_undone(said):
                del traits["NEGATION"]
        return traits

    def _is_undone(self, said: Sequence[_Speaking]) -> bool:
        """Whether what denies is itself supposed ("hope it doesn't"), or denied ("not a day without")."""
        denials = [one.found for one in said if one.cue.meaning == "NEGATION"]
        supposed = [one.found for one in said if one.cue.meaning == "HYPOTHETICAL" and not one.is_after]
        if any(one.begin < min(denial.begin for denial in denials) for one in supposed):
            return True
        if any(one.is_after for one in said if one.cue.meaning == "NEGATION"):
            return False
        nearest = max(denials, key=lambda denial: denial.begin)
        places = self._places["NEGATION"]
        at = bisect_left(places, nearest.begin) - 1
        if at < 0 or nearest.begin - places[at] > _DOUBLE:
            return False
        between = self._words[places[at] + 1 : nearest.begin]
        is_one_breath = STOPS.isdisjoint(between) and PAUSE not in between
        has_form = any(places[at] < form.begin < nearest.begin for form in self._forms)
        is_slang = self._words[nearest.begin] in ("no", "none", "nor") and not _HAVING.isdisjoint(
            (*between, self._words[places[at]])
        )
        return is_one_breath and bool(between) and not has_form and not is_slang

    def _speaking(self, index: int) -> list[_Speaking]:
        """Return the cues that reach condition `index`."""
        form = self._forms[index]
        condition = form.form.condition
        is_illness = bool(condition.prior) or condition.code.startswith(_MOSTLY_TREATED)
        previous = self._forms[index - 1].end if index else 0
        following = self._forms[index + 1].begin if index + 1 < len(self._forms) else len(self._words)
        first = bisect_left(self._starts, form.begin - REACH)
        last = bisect_right(self._starts, form.end + REACH)
        speaking: list[_Speaking] = []
        for found in self._cues[first:last]:
            is_after = found.end > form.begin
            begin, end = (form.end, found.begin) if is_after else (found.end, form.begin)
            if begin < end and _any_between(self._stops, begin, end):
                continue
            is_beside = found.end <= following if is_after else found.begin >= previous
            is_plain: bool | None = None
            for cue in found.cues:
                if cue.meaning == "HYPOTHETICAL" and form.form.is_verbal and begin == end and not is_after:
                    continue  # "could not sleep" tells what happened
                if (cue.side == "after") != is_after or end - begin > cue.reach or cue.is_for_other(is_illness):
                    continue
                if cue.crosses == LISTS:
                    if _any_between(self._ends, begin, end):
                        continue
                elif cue.crosses != YES:
                    if is_plain is None:
                        is_plain = is_beside and not _any_between(self._clause_ends, begin, end)
                    if not is_plain:
                        continue
                if not is_after and self._is_about_something_else(cue, begin, end):
                    continue
                if cue.meaning == "PAST_HISTORY" and _any_between(self._places[NOW], begin, end):
                    continue
                is_bare = found.end - found.begin == 1 and self._words[found.begin] == "for"
                speaking.append(_Speaking(end - begin, is_after, found, cue, is_bare))
        return speaking

    def _is_about_something_else(self, cue: Cue, begin: int, end: int) -> bool:
        """Whether what a cue before a condition speaks of stands between the two: a drug, or what had a reason."""
        if cue.crosses != NO or cue.meaning not in _NOT_PAST_A_DRUG:
            return False
        if cue.meaning == "NEGATION" and _any_between(self._places[_DUE_TO], begin, end):
            return True
        return _any_between(self._drugs, begin, end)

    def _is_denied(self, said: _Speaking) -> bool:
        """Whether a denial stands right before a cue of benefit."""
        places = self._places["NEGATION"]
        at = bisect_left(places, said.found.begin) - 1
        if at < 0 or said.found.begin - places[at] > _NEAR + 1:
            return False
        return PAUSE not in self._words[places[at] : said.found.begin] and STOPS.isdisjoint(
            self._words[places[at] : said.found.begin]
        )

    def _is_unexcused(self, said: _Speaking, form: FoundForm) -> bool:
        """Whether a stop is told as what led to the condition, not as what it led to."""
        if said.is_after:
            return True
        begin, end = said.found.end, form.begin
        if _any_between(self._places[REASON], said.found.begin + 1, end):
            return False
        return not _any_between(self._places[TAKEN], begin, end)

    def _reason(self, found: FoundCue) -> str:
        """Return the role of what something was done because of; empty where only the default tells."""
        begin, end = self._sentence(found.begin)
        if any(_any_between(self._places[stop], begin, found.begin) for stop in ("WITHDRAWAL", STOPPED)):
            return "ADE"
        taken = self._places[TAKEN]
        first, last = bisect_left(taken, begin), bisect_left(taken, end)
        is_taken = any(_any_between(self._drugs, at, min(at + _NEAR + 2, end)) for at in taken[first:last])
        is_taken = is_taken or self._words[max(found.begin - 2, 0) : found.begin] == ["on", DRUG]
        return "INDICATION" if is_taken else ""

    def _sentence(self, at: int) -> tuple[int, int]:
        after = bisect_left(self._stops, at)
        begin = self._stops[after - 1] + 1 if after else 0
        end = self._stops[after] if after < len(self._stops) else len(self._words)
        return max(begin, at - REACH), min(end, at + REACH)

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
            for trait in ("NEGATION", "HYPOTHETICAL"):
                if trait in given.traits and taken.role not in _SETTLES:
                    taken.traits.setdefault(trait, given.traits[trait])
        is_illness = self._forms[taker].form.condition.kind == "DIAGNOSIS"
        may_share = given.role in _SHARED_BY_VERBS or (not is_verbal and (has_and or is_illness))
        if not taken.role and given.role and may_share:
            taken.role, taken.found, taken.why = given.role, given.found, _LISTED

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
        traits = draft.traits
        if draft.role == "ADE" and self._is_treated_flare(form, draft.found):
            draft.role, draft.found, draft.why = "INDICATION", None, _SYMPTOM_TREATED
        role, why = (draft.role, draft.found or draft.why) if draft.role else self._default(index, traits)
        if told := self._experiencers.other(self._kept[form.begin], self._kept[form.end - 1] + 1):
            traits["PERTAINS_TO_FAMILY"] = told
        if "HYPOTHETICAL" not in traits and not draft.is_stated and self._is_asked(form):
            traits["HYPOTHETICAL"] = _ASKED
        blamed = self._blamed(form, role, draft.found) if role in ("ADE", "WITHDRAWAL") else None
        return Finding(role, tuple(sorted(traits)), blamed, {role: why, **traits})

    def _is_treated_flare(self, form: FoundForm, found: FoundCue | None) -> bool:
        """Whether a condition is said to get worse before any drug is named, and then one is taken."""
        if found is None or found.begin < form.end or DRUG in self._words[found.begin : found.end]:
            return False
        if not any(said.meaning == "ADE" and said.side == "after" and said.crosses == NO for said in found.cues):
            return False
        following = bisect_left(self._drugs, found.end)
        if following != 0 or not self._drugs:
            return False
        return _any_between(self._places[TAKEN], found.end, self._drugs[0]) and not _any_between(
            self._stops, form.end, self._drugs[0]
        )

    def _default(self, index: int, traits: Mapping[str, object]) -> tuple[str, str]:
        """Return the role of a condition no cue speaks of, and the rule."""
        form = self._forms[index]
        if form.form.condition.prior and not self._is_listed_with_symptom(index):
            if "NEGATION" in traits or "HYPOTHETICAL" in traits:
                is_after = bool(self._drugs) and self._drugs[0] < form.begin
                return ("ADE", _SYMPTOM_AFTER) if is_after else (UNKNOWN, _OPEN_ILLNESS)
            return form.form.condition.prior, _PRIOR
        n_before = bisect_left(self._drugs, form.begin)
        if n_before or self._is_about_drug:
            if "NEGATION" not in traits and self._is_after_a_stop(form.begin):
                return "WITHDRAWAL", _REGIME
            return "ADE", _SYMPTOM_AFTER
        if n_before < len(self._drugs) and self._drugs[n_before] - form.end <= REACH:
            drug = self._drugs[n_before]
            if "PAST_HISTORY" in traits and not _any_between(self._stops, form.end, drug):
                return "INDICATION", _SYMPTOM_TREATED
            at = bisect_right(self._places[TAKEN], drug) - 1
            if at >= 0 and self._places[TAKEN][at] >= form.end and drug - self._places[TAKEN][at] <= _NEAR + 2:
                return "INDICATION", _SYMPTOM_TREATED
            return "ADE", _SYMPTOM_BESIDE
        return UNKNOWN, _NO_DRUG

    def _is_after_a_stop(self, at: int) -> bool:
        """Whether the last thing said of a drug before `at`, in this sentence or the ones before, was a stop."""
        stops = self._places["WITHDRAWAL"]
        last = bisect_left(stops, at) - 1
        if last < 0 or at - stops[last] > REACH:
            return False
        return not (
            _any_between(self._places[REASON], stops[last], at)
            or _any_between(self._places[TAKEN], stops[last] + 1, at)
            or _any_between(self._drugs, stops[last] + _NEAR + 2, at)
        )

    def _blamed(self, form: FoundForm, role: str, found: FoundCue | None) -> int | None:
        """Return the place of the drug blamed; None where there is none, or several in one breath."""
        drugs = self._drugs
        if not drugs:
            return None
        if found and (at := self._drug_of(found, form, role)) is not None:
            is_switch = role == "ADE" and self._words[drugs[at] + 1 : drugs[at] + 3] == ["to", DRUG]
            return self._alone(at + 1 if is_switch else at)
        before = bisect_left(drugs, form.begin) - 1
        if before < 0 and self._is_about_drug:
            return None
        return self._alone(max(before, 0))

    def _drug_of(self, found: FoundCue, form: FoundForm, role: str) -> int | None:
        """Return which drug a causal cue names: inside or right after it, or, before the condition, the one it follows."""
        drugs = self._drugs
        inside = bisect_left(drugs, found.begin)
        if inside < len(drugs) and drugs[inside] < found.end + (_NEAR if role == "WITHDRAWAL" else 0):
            return inside
        if found.begin >= form.end or role == "WITHDRAWAL":
            following = bisect_left(drugs, found.end)
            if following < len(drugs) and drugs[following] - found.end <= _NEAR:
                return following
        return None

    def _alone(self, at: int) -> int | None:
        """Return the place of drug `at`; None where another is named in one breath with it."""
        drugs = self._drugs
        for left, right in ((at - 1, at), (at, at + 1)):
            if left < 0 or right >= len(drugs):
                continue
            between = self._words[drugs[left] + 1 : drugs[right]]
            if between[:1] == ["to"] and len(between) == 1:
                continue
            if len(between) <= _MAX_CONNECTIVES and _CONNECTIVES.issuperset(between):
                return None
        return drugs[at]

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


def _is_heard(cue: Cue) -> bool:
    """Whether the cue speaks of conditions: a REASON of no reach only stands between them and a stop."""
    return cue.meaning != REASON or cue.reach > 0


def _any_between(positions: Sequence[int], begin: int, end: int) -> bool:
    """Return whether a sorted position lies in ``[begin, end)``."""
    at = bisect_left(positions, begin)
    return at < len(positions) and positions[at] < end
