"""The lexicon in memory: which words mean which condition, and which words say what about it.

The files are described in ``lexicon/README.md``. Everything open in them (slots such as ``{cant}``, body part
and sensation) is expanded here, once, so that matching is a plain look-up of word sequences.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.coding.lexicon_files import Line, lexicon_sha256, read_lines
from adverse_events.coding.reading import DRUG, NUMBER, Spelling, canonical, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).with_name("lexicon")

EXACT_SCORE = 0.95
"""A form written out in the lexicon."""
PATTERN_SCORE = 0.85
"""A form made from a slot or from body part and sensation."""

KINDS = frozenset({"SYMPTOM", "SIGN", "DIAGNOSIS"})
ROLES = frozenset({"ADE", "INDICATION", "BENEFIT", "WITHDRAWAL", "LACK_OF_EFFECT"})
TRAITS = frozenset({"NEGATION", "HYPOTHETICAL", "PAST_HISTORY", "LOW_CONFIDENCE"})
UNKNOWN = "UNKNOWN"
"""Role of a condition that the text does not connect with a drug; as a cue, another cause ("the flu")."""
END, NOTHING = "END", "NOTHING"
"""Meanings of a cue that only ends a clause, and of one that only keeps its words from being cues."""
TAKEN, STOPPED, REASON, STATED, NOW, TURN = "TAKEN", "STOPPED", "REASON", "STATED", "NOW", "TURN"
"""Meanings of cues that say a drug was taken, or stopped, why something was done, that a question or a "would" states
what happened, that the past is over, and that what follows is another matter ("but"); see `context`."""
NO, LISTS, YES = "no", "lists", "yes"
"""What a cue crosses: nothing, lists (pauses and other conditions, no END cue), or anything but a sentence's end."""
ANY, SYMPTOM, ILLNESS = "any", "symptom", "illness"
"""Conditions a cue speaks of: all, those without a prior role, those with one."""

_PRIORS = frozenset({"", "INDICATION", "WITHDRAWAL"})
_SIDES = frozenset({"before", "after"})
_YES_NO = frozenset({"yes", "no"})
_MEANINGS = ROLES | TRAITS | {UNKNOWN, END, NOTHING, TAKEN, STOPPED, REASON, STATED, NOW, TURN}
_CROSSES = frozenset({NO, LISTS, YES})
_SPOKEN_OF = frozenset({ANY, SYMPTOM, ILLNESS})
_WORD_CLASSES = frozenset({"FILLER", "SELF", "OTHER", "THEIRS", "QUESTION", "VERBAL", "FUZZY"})
_SLOT = re.compile(r"\{(\w+)\}")
_SENSATIONS = ("pain", "swelling", "itching", "numbness", "tingling", "cramp", "twitching", "shaking", "dryness")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        code: ICD-10-CM code; empty where plain words support none and the coder abstains.
        kind: SYMPTOM, SIGN or DIAGNOSIS.
        prior: Role when the text gives no cue: INDICATION for illnesses drugs are taken for, WITHDRAWAL for
            withdrawal itself, else empty.
        body_system: Where in the body it belongs, in plain words; empty where nothing says.
        is_serious: It is medically important whatever the text says of its outcome.
    """

    name: str
    code: str
    description: str
    kind: str
    prior: str
    body_system: str = ""
    is_serious: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One way to say a condition.

    Attributes:
        n_words: Words of the whole form.
        n_lead: Words at its start that must be there but do not belong to the span.
        is_verbal: It opens with a verb or a denial ("lost my hair", "can't sleep"), so the denial or
            the list it stands in does not reach it.
    """

    condition: Condition
    n_words: int
    n_lead: int
    score: float
    is_verbal: bool


@dataclass(frozen=True, slots=True)
class Cue:
    """What some words say about a condition near them.

    Attributes:
        meaning: A role, a trait, `UNKNOWN`, `TAKEN`, `STOPPED`, `REASON`, `STATED`, `NOW`, `TURN`, `END` or `NOTHING`.
        side: Where the cue stands: before or after the condition.
        reach: Most words between the two.
        crosses: `NO`, `LISTS` or `YES`.
        of: `ANY`, `SYMPTOM` or `ILLNESS`.
    """

    meaning: str
    side: str
    reach: int
    crosses: str = NO
    of: str = ANY

    def is_for_other(self, is_illness: bool) -> bool:  # noqa: FBT001 - one question, one answer
        """Tell whether the cue does not speak of an illness that drugs are taken for, or of a symptom."""
        return self.of != ANY and (self.of == ILLNESS) != is_illness


@dataclass(frozen=True)
class Lexicon:
    """Everything the embedded coder knows; keys are words in one spelling, joined by one space.

    Attributes:
        words: Words by class (FILLER, SELF, OTHER, THEIRS, QUESTION, VERBAL, FUZZY).
        causes: ICD-10-CM adverse-effect code (T36-T50) by ingredient.
        sha256: Hash of the files.
    """

    conditions: dict[str, Condition] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    idioms: set[str] = field(default_factory=set)
    cues: dict[str, list[Cue]] = field(default_factory=dict)
    words: dict[str, frozenset[str]] = field(default_factory=dict)
    spelling: Spelling = field(default_factory=lambda: Spelling({}, frozenset(), {}, ()))
    causes: dict[str, str] = field(default_factory=dict)
    sha256: str = ""


def load_lexicon(folder: Path = FOLDER) -> Lexicon:
    """Read and check the lexicon in `folder`.

    Raises:
        ContractError: A file that cannot be used; the message names file, line and fault.
    """
    return _Loader(folder).load()


class _Loader:
    """Builds a `Lexicon` file by file; later files use what earlier ones said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variants: dict[str, tuple[str, ...]] = {}
        self.words: dict[str, set[str]] = {name: set() for name in _WORD_CLASSES}
        self.slots: dict[str, list[str]] = {}
        self.conditions: dict[str, Condition] = {}
        self.forms: dict[str, Form] = {}
        self.origins: dict[str, int] = {}
        self.cues: dict[str, list[Cue]] = {}
        self._canonical = cache(self._canonical_words)

    def load(self) -> Lexicon:
        for line in read_lines(self.folder, "spellings.csv", ("variant", "words")):
            if line["variant"] in self.variants:
                line.refuse(f"variant {line['variant']!r} is listed twice")
            self.variants[line["variant"]] = tuple(line["words"].split())
        for line in read_lines(self.folder, "words.csv", ("class", "words")):
            name = line.choice("class", _WORD_CLASSES)
            self.words[name].update(word for item in line["words"].split() for word in self._canonical(item))
        for line in read_lines(self.folder, "slots.csv", ("slot", "forms")):
            self.slots[line["slot"]] = line.listed("forms")
        self._conditions()
        self._anatomy()
        idioms = {self._key(line, line["idiom"]) for line in read_lines(self.folder, "idioms.csv", ("idiom", "why"))}
        self._cues()
        return Lexicon(
            conditions=self.conditions,
            forms=self.forms,
            idioms=idioms,
            cues=self.cues,
            words={name: frozenset(words) for name, words in self.words.items()},
            spelling=self._spelling(idioms),
            causes=self._causes(),
            sha256=lexicon_sha256(self.folder),
        )

    def _conditions(self) -> None:
        columns = (
            "condition",
            "icd10cm_code",
            "icd10cm_description",
            "kind",
            "prior",
            "body_system",
            "is_serious",
            "forms",
        )
        open_forms: list[tuple[Line, Condition, str]] = []
        for line in read_lines(self.folder, "conditions.csv", columns):
            if line["condition"] in self.conditions:
                line.refuse(f"condition {line['condition']!r} is listed twice")
            condition = Condition(
                line["condition"],
                line.code("icd10cm_code") if line["icd10cm_code"] else "",
                line["icd10cm_description"],
                line.choice("kind", KINDS),
                line.choice("prior", _PRIORS),
                line["body_system"],
                line.choice("is_serious", _YES_NO) == "yes",
            )
            if bool(condition.code) != bool(condition.description):
                line.refuse("a code needs its description, and a description its code")
            self.conditions[condition.name] = condition
            for form in line.listed("forms"):
                if _SLOT.search(form):
                    open_forms.append((line, condition, form))
                else:
                    self._add_exact(line, condition, form)
        for line, condition, form in open_forms:
            for written in self._expanded(line, form):
                self._add_pattern(line, condition, written)

    def _anatomy(self) -> None:
        templates = {
            line.choice("sensation", frozenset(_SENSATIONS)): (line, line.listed("templates"))
            for line in read_lines(self.folder, "sensations.csv", ("sensation", "templates"))
        }
        for line in read_lines(self.folder, "anatomy.csv", ("parts", *_SENSATIONS)):
            for sensation in _SENSATIONS:
                if not line[sensation]:
                    continue
                condition = self.conditions.get(line[sensation])
                if condition is None:
                    line.refuse(f"{sensation} {line[sensation]!r} is not a condition of conditions.csv")
                for template, part in itertools.product(templates[sensation][1], line.listed("parts")):
                    self._add_pattern(line, condition, template.replace("{part}", part))

    def _cues(self) -> None:
        for line in read_lines(self.folder, "cues.csv", ("meaning", "side", "reach", "crosses", "of", "cues")):
            if not line["reach"].isdecimal():
                line.refuse(f"reach {line['reach']!r} is not a number of words")
            cue = Cue(
                line.choice("meaning", _MEANINGS),
                line.choice("side", _SIDES),
                int(line["reach"]),
                line.choice("crosses", _CROSSES),
                line.choice("of", _SPOKEN_OF),
            )
            for written in line.listed("cues"):
                for expanded in self._expanded(line, written):
                    known = self.cues.setdefault(self._key(line, expanded), [])
                    if cue not in known:
                        known.append(cue)
        from adverse_events.coding.cues import with_both_sides  # noqa: PLC0415 - it needs the names above

        self.cues = with_both_sides(self.cues)

    def _causes(self) -> dict[str, str]:
        causes: dict[str, str] = {}
        for line in read_lines(self.folder, "causes.csv", ("ingredient", "icd10cm_code", "icd10cm_description")):
            if line["ingredient"] in causes:
                line.refuse(f"ingredient {line['ingredient']!r} is listed twice")
            causes[line["ingredient"]] = line.code("icd10cm_code")
        return causes

    def _spelling(self, idioms: set[str]) -> Spelling:
        keys = [*self.forms, *idioms, *self.cues]
        vocabulary = {word for key in keys for word in key.split()}.union(*self.words.values())
        compounds: dict[str, tuple[str, ...]] = {}
        for key in self.forms:
            words = tuple(key.split())
            if len(words) > 1 and NUMBER not in words:
                compounds.setdefault("".join(words), words)
        fuzzy = sorted(self.words["FUZZY"])
        return Spelling(self.variants, vocabulary, compounds, fuzzy)

    def _add_exact(self, line: Line, condition: Condition, written: str) -> None:
        key, form = self._form(line, condition, written, EXACT_SCORE)
        if key in self.forms:
            line.refuse(f"form {written!r} is the same as one of line {self.origins[key]}")
        self.forms[key], self.origins[key] = form, line.number

    def _add_pattern(self, line: Line, condition: Condition, written: str) -> None:
        """Add a generated form unless it is written out somewhere or already means the same condition."""
        key, form = self._form(line, condition, written, PATTERN_SCORE)
        known = self.forms.get(key)
        if known and known.score == PATTERN_SCORE and known.condition is not condition:
            line.refuse(f"form {written!r} already means {known.condition.name!r}")
        if known is None:
            self.forms[key] = form

    def _form(self, line: Line, condition: Condition, written: str, score: float) -> tuple[str, Form]:
        lead, _, core = written[1:].partition(")") if written.startswith("(") else ("", "", written)
        lead_words = self._key(line, lead).split() if lead else []
        core_words = self._key(line, core).split()
        words = [*lead_words, *core_words]
        is_verbal = core_words[0] in self.words["VERBAL"]
        return " ".join(words), Form(condition, len(words), len(lead_words), score, is_verbal)

    def _expanded(self, line: Line, written: str) -> Iterator[str]:
        """Yield `written` with every slot filled in every way."""
        names = _SLOT.findall(written)
        unknown = [name for name in names if name not in self.slots]
        if unknown:
            line.refuse(f"slot {{{unknown[0]}}} is not in slots.csv")
        pieces = _SLOT.split(written)[::2]
        for fillings in itertools.product(*(self.slots[name] for name in names)):
            yield "".join(itertools.chain.from_iterable(itertools.zip_longest(pieces, fillings, fillvalue="")))

    def _key(self, line: Line, written: str) -> str:
        """Return the words to look for, fillers left out.

        A form may not begin or end with a filler: fillers are not in the text that is searched, so
        such a form would mean more than it says ("the runs" would find "runs").
        """
        words = [word for item in written.replace("-", " ").split() for word in self._canonical(item)]
        fillers = self.words["FILLER"]
        if not words or words[0] in fillers or words[-1] in fillers:
            line.refuse(f"{written.strip()!r} is empty, or begins or ends with a filler word")
        return " ".join(word for word in words if word not in fillers)

    def _canonical_words(self, item: str) -> tuple[str, ...]:
        return (item,) if item in (DRUG, NUMBER) else canonical(plain(item), self.variants)
