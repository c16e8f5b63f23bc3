"""Seriousness and special situations that a text tells, each with the words that say so.

Seriousness is that of ICH E2A: death, life-threatening, hospitalisation (an emergency visit counts; intensive care is
both), disability, congenital anomaly. ``other medically important`` comes from the conditions (`select`). Special
situations are those safety teams collect whether or not a reaction is told: exposure in pregnancy or breast-feeding,
overdose, misuse or abuse, medication error, off-label use, lack of effect.

What is denied, supposed or asked does not count, nor what an UNLESS phrase stands before ("almost went to the ER"). A
hospital stay the drug was given for, or that lies in the past with no drug blamed for it, is no outcome of the drug.
What happened to somebody else counts, marked so, where the text blames a drug for it or tells a reaction of somebody
else's. Nobody tells their own death, so a death is always somebody else's.

Source:
    ICH Harmonised Tripartite Guideline E2A, Clinical Safety Data Management, 1994, II.B; EMA, Guideline on good
    pharmacovigilance practices, Module VI (Rev 2), VI.B.6; both read 2026-11.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adverse_events.coding.lexicon import Condition, Form
from adverse_events.coding.lexicon_files import read_lines
from adverse_events.coding.matching import FoundForm
from adverse_events.coding.phrases import Phrases
from adverse_events.coding.reading import STOPS
from adverse_events.records import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from adverse_events.coding.context import Finding
    from adverse_events.coding.lexicon import Lexicon
    from adverse_events.coding.roles import ReadText, RoleReader
    from adverse_events.records import Entity

SERIOUSNESS = ("death", "life_threatening", "hospitalization", "disability", "congenital_anomaly")
"""Criteria read from the text, gravest first."""
MEDICALLY_IMPORTANT = "other_medically_important"
LACK_OF_EFFECT = "lack_of_effect"
SPECIAL = (
    "pregnancy_exposure",
    "overdose",
    "misuse",
    "medication_error",
    "off_label_use",
    LACK_OF_EFFECT,
)

IMPROPER_USE = frozenset({"overdose", "medication_error"})
"""Situations in which a reaction is coded as a poisoning, not as an adverse effect of the drug (T36-T50).

Source:
    ICD-10-CM Official Guidelines for Coding and Reporting FY 2026, I.C.19.e.5, read 2026-11.
"""

_NOTHING, _UNLESS = "nothing", "unless"
_INTENSIVE_CARE = "intensive_care"
_CRITERIA = {_INTENSIVE_CARE: ("life_threatening", "hospitalization")}
"""Names that stand for several criteria of `SERIOUSNESS`."""
_NAMES = frozenset({*SERIOUSNESS, *SPECIAL, *_CRITERIA, _NOTHING, _UNLESS})
_UNLESS_REACH = 4
"""Most words between an UNLESS phrase and what it takes back."""
_NOT_HERE = frozenset({"NEGATION", "HYPOTHETICAL"})
_NO_OUTCOME = frozenset({"INDICATION", "BENEFIT", "LACK_OF_EFFECT"})
_EVENT = frozenset({"ADE", "WITHDRAWAL"})
_NAMELESS = Condition("", "", "", "SIGN", "")


@dataclass(frozen=True, slots=True)
class Told:
    """What a text tells besides its conditions.

    Attributes:
        seriousness: Criteria of `SERIOUSNESS`, in text order.
        special_situations: Of `SPECIAL`, in text order.
    """

    seriousness: tuple[Evidence, ...] = ()
    special_situations: tuple[Evidence, ...] = ()

    @property
    def is_improper_use(self) -> bool:
        """Whether the drug was taken otherwise than meant, so that no adverse-effect code fits."""
        return any(one.name in IMPROPER_USE for one in self.special_situations)


@dataclass(frozen=True, slots=True)
class Phrase:
    """What one phrase of the file means, and its line there."""

    name: str
    line: int


@dataclass(frozen=True)
class Situations:
    """Finds situations among the words of a text.

    Attributes:
        phrases: By words in one spelling, fillers left out, joined by one space.
        starts: For the one or two words that open phrases, the lengths of those phrases in words, longest first.
        openers: The first words of them.
        telling: Of each phrase that tells something the word that is rarest among the lexicon's cues; a text without
            one of them tells nothing.
    """

    phrases: dict[str, Phrase] = field(default_factory=dict)
    starts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    openers: frozenset[str] = frozenset()
    telling: frozenset[str] = frozenset()

    @classmethod
    def load(cls, lexicon: Lexicon, folder: Path) -> Situations:
        """Read ``situations.csv``.

        Raises:
            ContractError: A file that cannot be used; the message names file, line and fault.
        """
        spelled = Phrases.of(lexicon, folder)
        phrases: dict[str, Phrase] = {}
        for line in read_lines(folder, "situations.csv", ("situation", "cues")):
            phrase = Phrase(line.choice("situation", _NAMES), line.number)
            for written in line.listed("cues"):
                for key in spelled.keys(line, written):
                    known = phrases.setdefault(key, phrase)
                    if known.name != phrase.name:
                        line.refuse(f"cue {written!r} already means {known.name} in line {known.line}")
        starts: dict[str, set[int]] = {}
        for key in phrases:
            words = key.split()
            starts.setdefault(" ".join(words[:2]), set()).add(len(words))
        common = Counter(word for key in lexicon.cues for word in key.split())
        telling = (key for key, phrase in phrases.items() if phrase.name not in (_NOTHING, _UNLESS))
        return cls(
            phrases,
            {opening: tuple(sorted(found, reverse=True)) for opening, found in sorted(starts.items())},
            frozenset(opening.partition(" ")[0] for opening in starts),
            frozenset(min(key.split(), key=lambda word: (common[word], -len(word))) for key in telling),
        )

    def line(self, words: str) -> int | None:
        """Return the line of ``situations.csv`` that lists `words`, a key; None where none does."""
        phrase = self.phrases.get(words)
        return phrase.line if phrase else None

    def told(self, roles: RoleReader, read: ReadText, text: str, entities: Iterable[Entity]) -> Told:
        """Return the situations that `text` tells.

        Args:
            roles: Judges the words around a phrase.
            read: The text, read.
            text: The text.
            entities: Its conditions, with their roles and traits.
        """
        lacking = tuple(
            Evidence(LACK_OF_EFFECT, entity.text, entity.begin, entity.end, is_author=not _is_others(entity))
            for entity in entities
            if entity.role == "LACK_OF_EFFECT" and _NOT_HERE.isdisjoint(trait.name for trait in entity.traits)
        )
        if self.telling.isdisjoint(read.words):
            return Told((), lacking)
        found = self._find(read.words)
        counted = self._counted(roles, read, found, has_others_event=any(map(_is_others_event, entities)))
        evidence: list[Evidence] = []
        for form, phrase, is_author in counted:
            begin, end = read.span(form)
            evidence += (
                Evidence(name, text[begin:end], begin, end, is_author=is_author)
                for name in _CRITERIA.get(phrase.name, (phrase.name,))
            )
        special = [one for one in evidence if one.name in SPECIAL and not _overlaps(one, lacking)]
        return Told(
            tuple(one for one in evidence if one.name in SERIOUSNESS),
            tuple(sorted((*special, *lacking), key=lambda one: one.begin)),
        )

    def _find(self, words: Sequence[str]) -> list[tuple[int, int, Phrase]]:
        """Return the phrases among `words`, leftmost-longest, in order."""
        found: list[tuple[int, int, Phrase]] = []
        free_from = 0
        for begin, word in enumerate(words):
            if begin < free_from or word not in self.openers:
                continue
            pair = f"{word} {words[begin + 1]}" if begin + 1 < len(words) else word
            for n_words in (*self.starts.get(pair, ()), *self.starts.get(word, ())):
                phrase = self.phrases.get(" ".join(words[begin : begin + n_words]))
                if phrase and begin + n_words <= len(words):
                    found.append((begin, begin + n_words, phrase))
                    free_from = begin + n_words
                    break
        return found

    def _counted(
        self,
        roles: RoleReader,
        read: ReadText,
        found: Sequence[tuple[int, int, Phrase]],
        *,
        has_others_event: bool,
    ) -> list[tuple[FoundForm, Phrase, bool]]:
        told = [(begin, end, phrase) for begin, end, phrase in found if phrase.name not in (_NOTHING, _UNLESS)]
        unless = [end for _, end, phrase in found if phrase.name == _UNLESS]
        words = read.words
        forms = [FoundForm(begin, end, Form(_NAMELESS, end - begin, 0, 1.0, is_verbal=False)) for begin, end, _ in told]
        counted: list[tuple[FoundForm, Phrase, bool]] = []
        for form, (begin, end, phrase), finding in zip(forms, told, roles.judge(read, forms), strict=True):
            if _is_taken_back(words, unless, begin) or not _NOT_HERE.isdisjoint(finding.traits):
                continue
            own_words = read.reading.words[read.kept[begin] : read.kept[end - 1] + 1]
            is_somebodys = phrase.name == "death" or roles.is_somebody(own_words)
            is_author = not (is_somebodys or "PERTAINS_TO_FAMILY" in finding.traits)
            if self._counts(phrase, finding, is_author=is_author, has_others_event=has_others_event):
                counted.append((form, phrase, is_author))
        return counted

    def _counts(self, phrase: Phrase, finding: Finding, *, is_author: bool, has_others_event: bool) -> bool:
        is_blamed = finding.role in _EVENT and not isinstance(finding.because.get(finding.role), str)
        if phrase.name in SPECIAL:
            return is_author or finding.role in _EVENT
        if not is_author:
            return is_blamed or has_others_event
        return finding.role not in _NO_OUTCOME and ("PAST_HISTORY" not in finding.traits or is_blamed)


def _is_taken_back(words: Sequence[str], unless: Sequence[int], begin: int) -> bool:
    return any(
        0 <= begin - end <= _UNLESS_REACH and STOPS.isdisjoint(words[end:begin]) for end in unless if end <= begin
    )


def _is_others(entity: Entity) -> bool:
    return any(trait.name == "PERTAINS_TO_FAMILY" for trait in entity.traits)


def _is_others_event(entity: Entity) -> bool:
    is_here = _NOT_HERE.isdisjoint(trait.name for trait in entity.traits)
    return is_here and entity.role in _EVENT and _is_others(entity)


def _overlaps(one: Evidence, others: Iterable[Evidence]) -> bool:
    return any(one.name == other.name and one.begin < other.end and other.begin < one.end for other in others)
