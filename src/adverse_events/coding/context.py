"""What the words around a condition say about it: its traits, its role, and the drug it is blamed on.

The method follows ConText: cues have a side, a reach and ends (`hearing`). The rules, in the order they are applied:

* A cue speaks within its sentence, over at most its reach of words. Unless it crosses, a comma, an END cue ("but") and
  another condition stop it; one that crosses lists is stopped by END cues only. Before a condition, a drug in between
  stops a denial, a benefit and a cause ("didn't take DRUG and got dizzy"). Some cues speak of illnesses only, or of
  symptoms only.
* Of several roles a cue that touches the condition and allows no word between (reach 0) wins; then the nearest that
  does not cross, the one before the condition where two are as near; then the nearest crossing one.
* A denied benefit is LACK_OF_EFFECT ("hasn't helped my anxiety"), one that is hoped for or a purpose an INDICATION; a
  benefit denies nothing else ("no more panic attacks"). Two denials in one clause cancel out, unless the second is
  slang ("don't have no"). What is hoped or supposed not to happen is HYPOTHETICAL, not denied.
* A stop in the sentence, or as the last thing said of a drug before it, turns an adverse or unexplained condition into
  WITHDRAWAL, unless a REASON ("because of") or another drug taken stands between: "stopped DRUG because of the rash"
  reports an ADE. A REASON without a stop is an INDICATION where a drug was TAKEN for it.
* Conditions in a list ("no nausea, headache or rash") share the denial and the role of the list's edge. A form that
  opens with a verb or a denial of its own ("can't sleep") takes only ADE or WITHDRAWAL from a list.
* Without a cue, an illness that drugs are taken for is an INDICATION (column ``prior``) unless it is listed with a
  symptom ("dry mouth, anxiety"). A symptom is an ADE where a drug is named before it or beside it, an INDICATION where
  the only drugs come after it and were TAKEN ("headache, so I took DRUG"), and UNKNOWN where no drug is named.
* Where it is known what the drugs of a text are taken for (`treatments`), a denied condition of theirs is a BENEFIT
  ("zero migraines since"), one that is still there LACK_OF_EFFECT, and an illness none of them treats, named right
  behind a drug, an ADE.
* Whose condition it is: `experiencer`. Which drug is blamed: `blame`.

Source:
    Harkema H, Dowling JN, Thornblade T, Chapman WW. ConText: an algorithm for determining negation, experiencer, and
    temporal status from clinical reports. J Biomed Inform 2009;42:839-851.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adverse_events.coding.blame import blamed_drug, is_one_list
from adverse_events.coding.defaults import NO_DRUG, PRIOR, SYMPTOM_TREATED, Defaults
from adverse_events.coding.experiencer import Experiencers
from adverse_events.coding.hearing import NEAR, NEGATION, REACH, WITHDRAWAL, Hearing
from adverse_events.coding.lexicon import ILLNESS, NO, REASON, ROLES, STATED, STOPPED, TAKEN, TRAITS, UNKNOWN, YES
from adverse_events.coding.reading import DRUG, NUMBER, PAUSE, STOPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from adverse_events.coding.hearing import Said
    from adverse_events.coding.lexicon import Cue
    from adverse_events.coding.matching import FoundCue, FoundForm
    from adverse_events.coding.reading import Reading

_GIVE_ROLES = ROLES | {UNKNOWN, REASON}
_BLAMES = frozenset({"ADE", WITHDRAWAL})
_OPEN = frozenset({"", "ADE", UNKNOWN})
"""Roles that a stop turns into WITHDRAWAL."""
_SETTLES = frozenset({"BENEFIT", "LACK_OF_EFFECT"})
_UNTIL = "until"
_GOES_ON = frozenset({"or", "nor"})
"""What carries a denial on to a second verb ("never hurt my stomach or gave me a rash")."""
_SLANG = frozenset({"no", "none", "nor"})
_DOUBLE = 4
"""Most words between two denials that cancel out."""

_MAKES = frozenset({"made", "make", "makes", "making"})
_LOW_BLOOD_PRESSURE = ("I95", "R03.1")
_HIGH_BLOOD_PRESSURE = "I10"
_FROM_TO = ["from", NUMBER, "to", NUMBER]
_PASSES = frozenset("went going goes subsided subsiding subside faded fading settled eased".split())  # noqa: SIM905
"""How what tells that a symptom passed begins ("went away")."""
_DENY = "den"
"""How the report of an examination begins ("denies chest pain")."""
_YEAR_DIGITS = 4

_OVER = "denied, and a drug is taken for it (treats.csv)"
_LASTS = "still there, and a drug is taken for it (treats.csv)"
_TREATED_ROLES = {_OVER: "BENEFIT", _LASTS: "LACK_OF_EFFECT"}
_LISTED = "listed with the condition next to it"
_ASKED = "a question that names no first person"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the context says of one condition.

    Attributes:
        role: One of `ROLES`, or UNKNOWN.
        traits: Sorted.
        blamed: Place, among the searched words, of the drug blamed; None where none is or it is open.
        because: What decided role and traits, by their names: a cue, or a rule in words.
    """

    role: str
    traits: tuple[str, ...]
    blamed: int | None = None
    because: Mapping[str, FoundCue | str] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    """A finding in the making; no role until something gives one."""

    role: str
    found: FoundCue | None
    traits: dict[str, FoundCue | str]
    is_stated: bool
    why: str = ""


class Context:
    """Judges the conditions found in one text.

    Args:
        classes: Word classes.
        reading: The whole text.
        kept: For each searched word its index in `reading` (fillers were left out).
        forms: Conditions, in text order; positions count searched words.
        cues: Cues, likewise.
        is_about_drug: The whole text is about a drug it need not name, as a review is.
        treated: How the codes begin that the drugs of the text are taken for; None where that is not known.
    """

    def __init__(
        self,
        classes: Mapping[str, AbstractSet[str]],
        reading: Reading,
        kept: Sequence[int],
        forms: Sequence[FoundForm],
        cues: Sequence[FoundCue],
        *,
        is_about_drug: bool = False,
        treated: tuple[str, ...] | None = None,
    ) -> None:
        """Take the text apart."""
        self._classes, self._all_words, self._kept, self._forms = classes, reading.words, kept, forms
        self._words = [reading.words[index] for index in kept]
        years = {place for place, index in enumerate(kept) if _is_year(reading, index)}
        self._hearing = Hearing(self._words, forms, cues, classes, treated, years)
        self._is_about_drug = is_about_drug
        self._experiencers = Experiencers(classes, reading)
        before = [reading.words[kept[form.begin] - 1] if kept[form.begin] else "" for form in forms]
        self._defaults = Defaults(classes, self._hearing, forms, before, is_about_drug=is_about_drug)

    def judge(self) -> list[Finding]:
        """Return one finding per condition, same order."""
        drafts = [self._draft(index) for index in range(len(self._forms))]
        for left in range(len(drafts) - 1):
            self._share(drafts, left, left + 1)
        for left in reversed(range(len(drafts) - 1)):
            self._share(drafts, left + 1, left)
        return [self._finding(index, draft) for index, draft in enumerate(drafts)]

    def _draft(self, index: int) -> _Draft:
        form, hearing = self._forms[index], self._hearing
        heard = hearing.heard(index)
        roles = [said for said in heard if said.cue.meaning in _GIVE_ROLES and _is_heard(said.cue)]
        stops = [
            said.found
            for said in roles
            if said.cue.meaning == WITHDRAWAL and (said.is_after or not hearing.is_excused(said.found, form))
        ] or hearing.stops_around(form)
        chosen = min(
            (said for said in roles if said.cue.meaning != WITHDRAWAL), key=lambda said: said.rank, default=None
        )
        if chosen and (turned := self._turned(form, chosen, roles)):
            chosen = turned
        role, found = (self._role(chosen, heard), chosen.found) if chosen else ("", None)
        if role == "BENEFIT" and chosen and self._has_passed(form, chosen):
            role = "ADE"
        if role == "BENEFIT" and self._is_name_of_next(index):
            role = "INDICATION"
        is_back = role == "LACK_OF_EFFECT" and chosen is not None and chosen.is_after
        if stops and (role in _OPEN or is_back):
            role, found = WITHDRAWAL, min(stops, key=lambda stop: abs(stop.begin - form.begin))
        elif form.form.condition.prior == WITHDRAWAL and role in _OPEN:
            role = WITHDRAWAL
        is_first = _UNTIL in self._words[form.end : form.end + NEAR + 1]
        if is_first and any(said.cue.meaning == NEGATION and not said.is_after for said in heard):
            heard = [said for said in heard if said.cue.meaning != NEGATION]  # "wasn't dizzy until they gave me DRUG"
            role = "ADE"
        if role in _OPEN and self._is_lasting(form):
            role = _LASTS
        if role in _OPEN and (self._is_over_by_a_drug(form, heard) or self._is_brought_down(form)):
            role = _OVER
        stated = min((said.found.begin for said in heard if said.cue.meaning == STATED), default=None)
        traits = self._traits(heard, role, stated, is_crossing=chosen is not None and chosen.cue.crosses == YES)
        if told := _TREATED_ROLES.get(role):
            return _Draft(told, None, traits, stated is not None, role)
        return _Draft(role, found, traits, stated is not None, PRIOR)

    def _turned(self, form: FoundForm, chosen: Said, roles: Sequence[Said]) -> Said | None:
        """Return what is said after a condition that overrules what is said before it; None where nothing does.

        Either what became of what a drug "made" ("made my anxiety disappear"), or what led to an illness that no drug
        of the text is taken for ("diagnosed with glaucoma after years of DRUG").
        """
        if chosen.cue.meaning == "INDICATION" and not chosen.is_after and self._hearing.is_untreated(form):
            return next((said for said in roles if said.is_after and said.cue.meaning == "ADE"), None)
        if self._words[chosen.found.begin] not in _MAKES or chosen.found.end - chosen.found.begin > 1:
            return None
        return next(
            (said for said in roles if said.is_after and not said.distance and said.cue.meaning in _SETTLES), None
        )

    def _has_passed(self, form: FoundForm, chosen: Said) -> bool:
        """Whether a symptom that no drug of the text is taken for passed by itself: an adverse event that is over."""
        is_symptom = not form.form.condition.prior and self._hearing.is_untreated(form)
        is_told = chosen.is_after and self._words[chosen.found.begin] in _PASSES
        return is_symptom and is_told and self._hearing.has_drug(0, form.begin)

    def _is_name_of_next(self, index: int) -> bool:
        """Whether an illness only says what the condition right after it belongs to: "stopped my PTSD nightmares"."""
        if index + 1 == len(self._forms) or not self._forms[index].form.condition.prior:
            return False
        following = self._forms[index + 1]
        return following.begin == self._forms[index].end and not following.form.condition.prior

    def _is_lasting(self, form: FoundForm) -> bool:
        """Whether "still" stands within a condition that a drug of the text is taken for: "nose is still running"."""
        return "still" in self._words[form.begin : form.end - 1] and self._hearing.is_treated(form)

    def _is_brought_down(self, form: FoundForm) -> bool:
        """Whether a low blood pressure is only what a drug for a high one made of it: "dropped it from 170 to 118"."""
        treated = self._hearing.treated
        is_change = self._words[form.end : form.end + len(_FROM_TO)] == _FROM_TO
        is_low = form.form.condition.code.startswith(_LOW_BLOOD_PRESSURE)
        return is_low and is_change and treated is not None and _HIGH_BLOOD_PRESSURE in treated

    def _is_over_by_a_drug(self, form: FoundForm, heard: Sequence[Said]) -> bool:
        """Whether a condition that a drug of the text is taken for is denied: "zero migraines since"."""
        denials = [said.found.begin for said in heard if said.cue.meaning == NEGATION and not said.is_after]
        is_denied = any(not self._words[begin].startswith(_DENY) for begin in denials)
        is_supposed = any(said.cue.meaning in ("HYPOTHETICAL", STATED) for said in heard)
        return is_denied and not is_supposed and self._hearing.is_treated(form)

    def _role(self, chosen: Said, heard: Sequence[Said]) -> str:
        """Return the role a cue gives; empty where only the defaults tell."""
        at = chosen.found.begin
        if chosen.cue.meaning == REASON:
            return self._reason(chosen.found)
        if chosen.cue.meaning == "INDICATION" and not chosen.is_after and self._is_in_vain(at, heard):
            return "LACK_OF_EFFECT"
        if chosen.cue.meaning != "BENEFIT":
            is_outcome = chosen.cue.meaning == "INDICATION" and self._words[at] == "to" and self._is_outcome(at)
            return "BENEFIT" if is_outcome else chosen.cue.meaning
        denial = self._hearing.last(NEGATION, at)
        if denial is not None and at - denial <= NEAR + 1 and self._hearing.is_unbroken(denial, at):
            return "LACK_OF_EFFECT"
        is_purpose = not chosen.is_after and self._words[max(at - 1, 0) : at] == ["to"]
        if is_purpose and not self._is_outcome(at - 1):
            return "INDICATION"
        is_hoped = any(said.cue.meaning == "HYPOTHETICAL" and said.found.begin < at for said in heard)
        return "INDICATION" if is_hoped else "BENEFIT"

    def _is_in_vain(self, at: int, heard: Sequence[Said]) -> bool:
        """Whether a "for" at a place goes on from words that a drug does nothing ("DRUG is useless" "for")."""
        ends = (said.found.end for said in heard if said.cue.meaning == "LACK_OF_EFFECT" and not said.is_after)
        return any(0 <= at - end <= 1 and self._hearing.is_unbroken(end, at) for end in ends)

    def _is_outcome(self, at: int) -> bool:
        """Whether the "to" at a place follows a verb that makes what it opens an outcome, not a purpose."""
        return self._words[max(at - 1, 0)] in self._classes["OUTCOME"]

    def _reason(self, found: FoundCue) -> str:
        """Return the role of what something was done because of."""
        begin, end = self._hearing.sentence(found.begin)
        if any(self._hearing.has(stop, begin, found.begin) for stop in (WITHDRAWAL, STOPPED)):
            return "ADE"
        is_on = self._words[max(found.begin - 2, 0) : found.begin] == ["on", DRUG]
        return "INDICATION" if is_on or self._hearing.is_taken(begin, end) else ""

    def _traits(
        self, heard: Sequence[Said], role: str, stated: int | None, *, is_crossing: bool = False
    ) -> dict[str, FoundCue | str]:
        said = [one for one in heard if one.cue.meaning in TRAITS]
        traits: dict[str, FoundCue | str] = {}
        for one in sorted(said, key=lambda one: one.distance, reverse=True):
            traits[one.cue.meaning] = one.found
        is_purpose = role == "INDICATION" and not is_crossing
        if stated is not None or role in _SETTLES or is_purpose:
            traits.pop("HYPOTHETICAL", None)
        if any(one.is_after and one.cue.meaning == NEGATION for one in said):
            traits.pop("HYPOTHETICAL", None)
        if denial := traits.get(NEGATION):
            is_stated = stated is not None and not isinstance(denial, str) and stated < denial.begin
            if is_stated or role in _SETTLES or self._is_undone(said):
                del traits[NEGATION]
        return traits

    def _is_undone(self, said: Sequence[Said]) -> bool:
        """Whether what denies is itself supposed ("hope it doesn't"), or denied ("not a day without")."""
        denials = [one for one in said if one.cue.meaning == NEGATION]
        if any(one.is_after for one in denials):
            return False
        first = min(one.found.begin for one in denials)
        if any(one.cue.meaning == "HYPOTHETICAL" and not one.is_after and one.found.begin < first for one in said):
            return True
        nearest = max(one.found.begin for one in denials)
        other = self._hearing.last(NEGATION, nearest)
        if other is None or nearest - other > _DOUBLE:
            return False
        between = self._words[other + 1 : nearest]
        if not between or self._hearing.has_form(other, nearest) or not self._hearing.is_unbroken(other, nearest):
            return False
        has_verb = not self._classes["HAVING"].isdisjoint((*between, self._words[other]))
        return not (self._words[nearest] in _SLANG and has_verb)

    def _share(self, drafts: list[_Draft], giver: int, taker: int) -> None:
        """Let `taker` have what the condition next to it in a list was told."""
        given, taken = drafts[giver], drafts[taker]
        if not self._are_listed(giver, taker):
            if giver < taker and NEGATION in given.traits and self._goes_on(giver, taker):
                taken.traits.setdefault(NEGATION, given.traits[NEGATION])
            return
        left, right = sorted((giver, taker))
        is_verbal = self._forms[taker].form.is_verbal
        if not is_verbal and giver < taker and taken.role not in _SETTLES:
            for trait in (NEGATION, "HYPOTHETICAL"):
                if trait in given.traits:
                    taken.traits.setdefault(trait, given.traits[trait])
        has_and = any(word != PAUSE for word in self._words[self._forms[left].end : self._forms[right].begin])
        is_illness = self._forms[taker].form.condition.kind == "DIAGNOSIS"
        may_share = given.role in _BLAMES or (not is_verbal and (has_and or is_illness))
        if given.role == "INDICATION" and self._hearing.is_untreated(self._forms[taker]) and not has_and:
            may_share = may_share and not self._hearing.is_treated(self._forms[giver])
        if not taken.role and given.role and may_share:
            taken.role, taken.found, taken.why = given.role, given.found, _LISTED

    def _goes_on(self, giver: int, taker: int) -> bool:
        between = self._words[self._forms[giver].end : self._forms[taker].begin]
        return bool(between) and between[0] in _GOES_ON and len(between) <= NEAR + 1 and STOPS.isdisjoint(between)

    def _are_listed(self, one: int, other: int) -> bool:
        left, right = sorted((one, other))
        return is_one_list(self._words[self._forms[left].end : self._forms[right].begin])

    def _finding(self, index: int, draft: _Draft) -> Finding:
        form, traits = self._forms[index], draft.traits
        role, why = draft.role, draft.found or draft.why
        begin, end = self._kept[form.begin], self._kept[form.end - 1] + 1
        if draft.role == "ADE" and self._is_treated_flare(form, draft.found):
            role, why = "INDICATION", SYMPTOM_TREATED
        elif not role:
            role, why = self._defaults.role(index, traits)
        if role == "INDICATION" and "PAST_HISTORY" in traits and not self._hearing.drugs and not self._is_about_drug:
            role, why = UNKNOWN, NO_DRUG
        if told := self._experiencers.other(begin, end):
            traits["PERTAINS_TO_FAMILY"] = told
        if "HYPOTHETICAL" not in traits and not draft.is_stated and self._is_asked(begin, end):
            traits["HYPOTHETICAL"] = _ASKED
        blamed = None
        if role in _BLAMES:
            blamed = blamed_drug(self._hearing, form, role, draft.found, is_about_drug=self._is_about_drug)
        return Finding(role, tuple(sorted(traits)), blamed, {role: why, **traits})

    def _is_treated_flare(self, form: FoundForm, found: FoundCue | None) -> bool:
        """Whether a condition is said to begin or get worse before any drug is named, and then one is taken."""
        drugs = self._hearing.drugs
        if found is None or not drugs or drugs[0] < max(found.end, form.end):
            return False
        is_after = found.begin >= form.end
        if not any(cue.meaning == "ADE" and _tells_onset(cue, is_after=is_after) for cue in found.cues):
            return False
        told = max(found.end, form.end)
        is_one_sentence = not self._hearing.has_stop(form.end, drugs[0])
        is_consequence = self._classes["LED_BY"].isdisjoint(self._words[form.end : drugs[0]])
        return self._hearing.has(TAKEN, told, drugs[0]) and is_one_sentence and is_consequence

    def _is_asked(self, begin: int, end: int) -> bool:
        """Whether words ``[begin, end)`` stand in a question that names no first person."""
        first = begin
        while first > 0 and begin - first < REACH and self._all_words[first - 1] not in STOPS:
            first -= 1
        limit = min(end + REACH, len(self._all_words))
        while end < limit and self._all_words[end] not in STOPS:
            end += 1
        if end == limit or self._all_words[end] != "?":
            return False
        sentence = self._all_words[first:end]
        return sentence[0] in self._classes["QUESTION"] and self._classes["SELF"].isdisjoint(sentence)


def _is_year(reading: Reading, index: int) -> bool:
    return reading.words[index] == NUMBER and reading.ends[index] - reading.begins[index] == _YEAR_DIGITS


def _tells_onset(cue: Cue, *, is_after: bool) -> bool:
    """Whether the cue says that a condition began ("got", of an illness) or got worse ("flared", after it)."""
    return cue.crosses == NO and (cue.side == "after" if is_after else cue.of == ILLNESS)


def _is_heard(cue: Cue) -> bool:
    """Whether the cue speaks of conditions: a REASON of no reach only stands between them and a stop."""
    return cue.meaning != REASON or cue.reach > 0
