"""Building the lexicon from its files, line by line; a line that cannot be used is refused by file and number."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from adverse_events.coding.apart import Apart
from adverse_events.coding.cues import with_both_sides
from adverse_events.coding.grammar import NOUN, SLOT, inflected, inflections, is_inflected, with_slots
from adverse_events.coding.lexicon import (
    BODY_SYSTEMS,
    CROSSES,
    EXACT_SCORE,
    KINDS,
    MEANINGS,
    OFFICIAL_SCORE,
    PATTERN_SCORE,
    SPOKEN_OF,
    WORD_CLASSES,
    Condition,
    Cue,
    Form,
    Lexicon,
)
from adverse_events.coding.lexicon_files import lexicon_sha256, read_lines
from adverse_events.coding.matching import openings
from adverse_events.coding.reading import DRUG, MIXED, NUMBER, PAUSE, Spelling, canonical, plain
from adverse_events.coding.release import billable_codes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from adverse_events.coding.lexicon_files import Line

_PRIORS = frozenset({"", "INDICATION", "WITHDRAWAL"})
_SIDES = frozenset({"before", "after"})
_YES_NO = frozenset({"yes", "no"})
_MAX_ALTERNATIVES = 4
_ITEM = re.compile(rf"{MIXED}|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+(?:[.,:]\d+)*|[#/&+]|[^\w\s(){{}}|-]+")
_PLAIN = re.compile(r"[a-z ]+")
_SIGNS = {DRUG: (DRUG,), NUMBER: (NUMBER,), "/": (PAUSE,), "&": ("and",), "+": ("and",)}
_CATEGORY_LETTERS = 3
_SURE_LETTERS = 10
"""Forms of one word as long as this have no everyday word at edit distance one."""
_FILLED = "is empty, or begins or ends with a filler word"
_WRITTEN, _INFLECTED, _SLOTTED, _PATTERN, _OFFICIAL = range(5)
_SCORES = {
    _WRITTEN: EXACT_SCORE,
    _INFLECTED: EXACT_SCORE,
    _SLOTTED: PATTERN_SCORE,
    _PATTERN: PATTERN_SCORE,
    _OFFICIAL: OFFICIAL_SCORE,
}


def build_lexicon(folder: Path, *, official: bool = True) -> Lexicon:
    """Read and check the lexicon in `folder`.

    Args:
        folder: Its files.
        official: Whether the terms of the classification are part of it.

    Raises:
        ContractError: A file that cannot be used; the message names file, line and fault.
    """
    return _Builder(folder).build(official=official)


class _Builder:
    """Builds a `Lexicon` file by file; later files use what earlier ones said.

    The same words can come from several places. The more deliberate one wins: written out, inflected, made with a
    slot, made from a pattern, official term. Of one rank, two conditions for the same words are refused.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.billable = billable_codes()
        self.variants: dict[str, tuple[str, ...]] = {}
        self.words: dict[str, set[str]] = {name: set() for name in WORD_CLASSES}
        self.slots: dict[str, list[str]] = {}
        self.verbs: dict[str, list[str]] = {}
        self.conditions: dict[str, Condition] = {}
        self.forms: dict[str, Form] = {}
        self.ranks: dict[str, tuple[int, Line]] = {}
        self.shared: dict[tuple[str, int, int, int, bool], Form] = {}
        self.cues: dict[str, list[Cue]] = {}
        self._canonical = cache(self._canonical_words)

    def build(self, *, official: bool) -> Lexicon:
        self._spellings()
        self._classes_and_slots()
        self._conditions()
        self._patterns()
        idioms = self._idioms()
        if official:
            self._official(idioms)
        self._cues()
        keys = [*self.forms, *sorted(idioms), *self.cues]
        vocabulary = {word for key in keys for word in key.split()}.union(*self.words.values())
        vocabulary.update(word for words in self.variants.values() for word in words)
        self.words["FUZZY"].update(
            key
            for key, form in self.forms.items()
            if len(key) >= _SURE_LETTERS and key.isalpha() and form.score != OFFICIAL_SCORE
        )
        words = {name: frozenset(words) for name, words in self.words.items()}
        return Lexicon(
            conditions=self.conditions,
            forms=self.forms,
            idioms=idioms,
            cues=self.cues,
            starts=openings([*self.forms, *sorted(idioms)]),
            cue_starts=openings(self.cues),
            words=words,
            spelling=Spelling(self.variants, vocabulary, self.forms, words["FILLER"] | words["SOFT"], words["FUZZY"]),
            causes=self._causes(),
            apart=self._apart(),
            sha256=lexicon_sha256(self.folder),
        )

    def _spellings(self) -> None:
        for line in read_lines(self.folder, "spellings.csv", ("words", "variants")):
            for variant in line.listed("variants"):
                if variant in self.variants:
                    line.refuse(f"variant {variant!r} is listed twice")
                self.variants[variant] = tuple(line["words"].split())
        for line in read_lines(self.folder, "emoji.csv", ("emoji", "word", "name")):
            self.variants[line["emoji"]] = (line["word"],)

    def _classes_and_slots(self) -> None:
        for line in read_lines(self.folder, "words.csv", ("class", "words")):
            name = line.choice("class", WORD_CLASSES)
            self.words[name].update(word for item in line["words"].split() for word in self._canonical(item))
        for line in read_lines(self.folder, "verbs.csv", ("verb", "inflections")):
            self.verbs[line["verb"]] = line.listed("inflections")
        for line in read_lines(self.folder, "slots.csv", ("slot", "forms")):
            self.slots[line["slot"]] = [form for item in line.listed("forms") for form in inflected(item, self.verbs)]

    def _conditions(self) -> None:
        columns = ("condition", "icd10cm_code", "icd10cm_description", "kind", "prior", "body_system", "is_serious")
        for line in read_lines(self.folder, "conditions.csv", (*columns, "forms")):
            if line["condition"] in self.conditions:
                line.refuse(f"condition {line['condition']!r} is listed twice")
            condition = Condition(
                line["condition"],
                line.code("icd10cm_code", self.billable) if line["icd10cm_code"] else "",
                line["icd10cm_description"],
                line.choice("kind", KINDS),
                line.choice("prior", _PRIORS),
                line.choice("body_system", BODY_SYSTEMS),
                line.choice("is_serious", _YES_NO) == "yes",
            )
            if bool(condition.code) != bool(condition.description):
                line.refuse("a code needs its description, and a description its code")
            self.conditions[condition.name] = condition
        self._alternatives()
        for line in read_lines(self.folder, "conditions.csv", (*columns, "forms")):
            for form in line.listed("forms"):
                rank = _SLOTTED if "{" in form else _INFLECTED if is_inflected(form) else _WRITTEN
                self._add(line, self.conditions[line["condition"]], self._expanded(line, form), rank)

    def _alternatives(self) -> None:
        for line in read_lines(self.folder, "alternatives.csv", ("condition", "alternatives")):
            names = [line["condition"], *line.listed("alternatives")]
            unknown = [name for name in names if name not in self.conditions]
            if unknown:
                line.refuse(f"{unknown[0]!r} is not a condition of conditions.csv")
            condition, *others = (self.conditions[name] for name in names)
            if len(others) > _MAX_ALTERNATIVES or not all(known.code for known in (condition, *others)):
                line.refuse(f"expected a condition and up to {_MAX_ALTERNATIVES} others, all with a code")
            self.conditions[condition.name] = Condition(
                condition.name,
                condition.code,
                condition.description,
                condition.kind,
                condition.prior,
                condition.body_system,
                condition.is_serious,
                tuple(dict.fromkeys((o.code, o.description) for o in others if o.code != condition.code)),
            )

    def _patterns(self) -> None:
        templates = {
            line["pattern"]: line.listed("templates")
            for line in read_lines(self.folder, "templates.csv", ("pattern", "templates"))
        }
        for line in read_lines(self.folder, "patterns.csv", ("pattern", "condition", "nouns")):
            pattern = line.choice("pattern", frozenset(templates))
            condition = self.conditions.get(line["condition"])
            if condition is None:
                line.refuse(f"{line['condition']!r} is not a condition of conditions.csv")
            for noun in line.listed("nouns"):
                for template in templates[pattern]:
                    self._add(line, condition, self._expanded(line, template.replace(NOUN, noun)), _PATTERN)

    def _idioms(self) -> set[str]:
        return {
            self._key(line, written)
            for line in read_lines(self.folder, "idioms.csv", ("why", "idioms"))
            for idiom in line.listed("idioms")
            for written in self._expanded(line, idiom)
        }

    def _official(self, idioms: set[str]) -> None:
        columns = ("icd10cm_code", "icd10cm_description", "kind", "body_system", "terms")
        curated: dict[str, list[Condition]] = {}
        for condition in self.conditions.values():
            for known in {condition.code, condition.code[:_CATEGORY_LETTERS]}:
                curated.setdefault(known, []).append(condition)
        for line in read_lines(self.folder, "official.csv", columns):
            code = line.code("icd10cm_code", self.billable)
            condition = Condition(
                f"{code} {line['icd10cm_description']}",
                code,
                line["icd10cm_description"],
                line.choice("kind", KINDS),
                _prior(curated.get(code) or curated.get(code[:_CATEGORY_LETTERS], [])),
                line.choice("body_system", BODY_SYSTEMS),
                any(condition.is_serious for condition in curated.get(code, ())),
            )
            terms = [term for term in line.listed("terms") if self._key(line, term) not in idioms]
            before = len(self.forms)
            if terms:
                self._add(line, condition, terms, _OFFICIAL)
            if len(self.forms) > before:
                self.conditions[condition.name] = condition

    def _cues(self) -> None:
        for line in read_lines(self.folder, "cues.csv", ("meaning", "side", "reach", "crosses", "of", "cues")):
            if not line["reach"].isdecimal():
                line.refuse(f"reach {line['reach']!r} is not a number of words")
            cue = Cue(
                line.choice("meaning", MEANINGS),
                line.choice("side", _SIDES),
                int(line["reach"]),
                line.choice("crosses", CROSSES),
                line.choice("of", SPOKEN_OF),
            )
            for written in line.listed("cues"):
                for expanded in self._expanded(line, written):
                    known = self.cues.setdefault(self._key(line, expanded), [])
                    if cue not in known:
                        known.append(cue)
        self.cues = with_both_sides(self.cues)

    def _causes(self) -> dict[str, str]:
        causes: dict[str, str] = {}
        for line in read_lines(self.folder, "causes.csv", ("ingredient", "icd10cm_code", "icd10cm_description")):
            if line["ingredient"] in causes:
                line.refuse(f"ingredient {line['ingredient']!r} is listed twice")
            causes[line["ingredient"]] = line.code("icd10cm_code")
        return causes

    def _apart(self) -> Apart:
        """Return what may stand apart: forms of a part and a change that are no official terms and have no lead."""
        stems = {word: word for word in self.words["CHANGE"]}
        for base in sorted(self.words["CHANGE"]):
            for inflection in inflections(base, self.verbs):
                stems.setdefault(inflection, base)
                for word in self._canonical(inflection):
                    stems.setdefault(word, base)
        own = (
            (key, form.condition.name)
            for key, form in self.forms.items()
            if not form.n_lead and form.score != _SCORES[_OFFICIAL]
        )
        return Apart.of(own, self.words["PART"], stems)

    def _expanded(self, line: Line, written: str) -> Iterable[str]:
        unknown = [name for name in SLOT.findall(written) if name not in self.slots]
        if unknown:
            line.refuse(f"slot {{{unknown[0]}}} is not in slots.csv")
        filled = with_slots(written, self.slots)
        return (form for item in filled for form in inflected(item, self.verbs))

    def _add(self, line: Line, condition: Condition, written: Iterable[str], rank: int) -> None:
        """Add forms of `condition`, unless the same words were said more deliberately elsewhere."""
        is_said = False
        for one in written:
            lead, _, core = one[1:].partition(")") if one.startswith("(") else ("", "", one)
            lead_words, core_words = self._words(lead) if lead else [], self._words(core)
            if not core_words or (lead and not lead_words):
                if rank == _WRITTEN:
                    line.refuse(f"{one!r} {_FILLED}")
                continue  # an inflection that is a filler, such as "fucking up my sleep"
            is_said = True
            key = " ".join((*lead_words, *core_words))
            if key in self.ranks:
                known, origin = self.ranks[key]
                if known < rank:
                    continue
                if known == rank and (rank == _WRITTEN or self.forms[key].condition is not condition):
                    line.refuse(f"form {one!r} is the same as one of {origin.file}, line {origin.number}")
            is_verbal = core_words[0] in self.words["VERBAL"]
            shape = (condition.name, len(lead_words) + len(core_words), len(lead_words), rank, is_verbal)
            if shape not in self.shared:
                self.shared[shape] = Form(condition, shape[1], shape[2], _SCORES[rank], is_verbal)
            self.forms[key], self.ranks[key] = self.shared[shape], (rank, line)
        if not is_said:
            line.refuse(f"a form of {condition.name!r} {_FILLED}")

    def _key(self, line: Line, written: str) -> str:
        words = self._words(written)
        if not words:
            line.refuse(f"{written.strip()!r} {_FILLED}")
        return " ".join(words)

    def _words(self, written: str) -> list[str]:
        """Return the words to look for, fillers left out; none where `written` begins or ends with a filler.

        Fillers are not in the text that is searched, so such a form would mean more than it says ("the runs" would
        find "runs").
        """
        items = written.split() if _PLAIN.fullmatch(written) else _ITEM.findall(written)
        words = [word for item in items for word in self._canonical(item)]
        fillers = self.words["FILLER"]
        if not words or words[0] in fillers or words[-1] in fillers:
            return []
        return [word for word in words if word not in fillers]

    def _canonical_words(self, item: str) -> tuple[str, ...]:
        if item[0].isdecimal():
            return (NUMBER,)
        return _SIGNS.get(item) or canonical(plain(item), self.variants)


def _prior(alike: Iterable[Condition]) -> str:
    """Return the role that conditions of one code or category share; empty where they differ."""
    priors = {condition.prior for condition in alike}
    return priors.pop() if len(priors) == 1 else ""
