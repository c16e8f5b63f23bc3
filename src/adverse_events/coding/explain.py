"""Why a text was coded as it was: the lexicon entry and the words behind every condition, trait, role and situation.

Nothing of this is built while texts are coded. It is worked out again from the text, and the lines of the files are
looked up when the first explanation is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from adverse_events.coding.lexicon import APART_SCORE, EXACT_SCORE, FOLDER, ROLES, TRAITS, UNKNOWN, load_lexicon
from adverse_events.coding.lexicon_files import lines_of
from adverse_events.coding.phrases import Phrases
from adverse_events.coding.roles import RoleReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from adverse_events.coding.context import Finding
    from adverse_events.coding.lexicon import Lexicon
    from adverse_events.coding.matching import FoundCue, FoundForm
    from adverse_events.coding.roles import ReadText
    from adverse_events.records import Coding, DrugMention, Entity, Evidence

_CONDITIONS, _CUES, _SITUATIONS = "conditions.csv", "cues.csv", "situations.csv"


@dataclass(frozen=True, slots=True)
class Reason:
    """What decided one thing.

    Attributes:
        of: What: ``condition``, ``role``, a trait, ``cause`` or a situation.
        value: What was decided, such as ADE.
        why: In words, with file and line of the lexicon where an entry decided.
        words: The words of the text that say so; empty where none do.
    """

    of: str
    value: str
    why: str
    words: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the members as JSON."""
        return {"of": self.of, "value": self.value, "why": self.why, "words": self.words}


class Explainer:
    """Explains what the embedded coder, or the roles beside a remote one, made of a text.

    Args:
        lexicon: What was coded with.
        folder: Where it was loaded from.
    """

    def __init__(self, lexicon: Lexicon | None = None, folder: Path = FOLDER) -> None:
        """Take the lexicon; its files are read when they are needed."""
        self._folder = folder
        self._lexicon = lexicon or load_lexicon(folder)
        self._roles = RoleReader(self._lexicon, folder)

    def conditions(self, text: str, drugs: Sequence[DrugMention], entities: Sequence[Entity]) -> list[list[Reason]]:
        """Return the reasons behind each of `entities`, same order; none for one that only a remote coder found."""
        read = self._roles.read(text, drugs)
        findings = zip(read.forms, self._roles.judge(read, read.forms), strict=True)
        known = {read.span(form): (form, finding) for form, finding in findings}
        return [
            list(self._of_condition(text, drugs, read, *known[entity.begin, entity.end], entity))
            if (entity.begin, entity.end) in known
            else []
            for entity in entities
        ]

    def situations(self, text: str, drugs: Sequence[DrugMention], coding: Coding) -> list[Reason]:
        """Return the reasons behind the seriousness criteria and special situations of `coding`, in text order."""
        read = self._roles.read(text, drugs)
        told = sorted((*coding.seriousness, *coding.special_situations), key=lambda one: (one.begin, one.name))
        return [self._of_situation(read, one) for one in told]

    def _of_condition(
        self,
        text: str,
        drugs: Sequence[DrugMention],
        read: ReadText,
        form: FoundForm,
        finding: Finding,
        entity: Entity,
    ) -> Iterator[Reason]:
        condition = form.form.condition
        line = self._condition_lines.get(condition.name)
        place = f"{_CONDITIONS} line {line}" if line else "the classification's own terms"
        how = "a misspelling of a form" if read.is_guessed(form) else "a form"
        if not read.is_guessed(form) and form.form.score < EXACT_SCORE:
            how = "words of a form, apart" if form.form.score == APART_SCORE else "a form made from a pattern"
        yield Reason("condition", entity.text, f"{how} of {condition.name!r}, {place}", entity.text)
        yield self._of_context(text, read, "role", finding.role, finding)
        for trait in finding.traits:
            yield self._of_context(text, read, "trait", trait, finding)
        if entity.cause_code and (blamed := self._roles.blamed(read, finding, drugs)):
            way = "the drug the words around it point at" if finding.blamed is not None else "the only drug named"
            yield Reason("cause", entity.cause_code, f"{way}: {blamed.ingredient}, causes.csv", blamed.mention)

    def _of_context(self, text: str, read: ReadText, of: str, value: str, finding: Finding) -> Reason:
        because = finding.because.get(value, "")
        if isinstance(because, str):
            is_person = value == "PERTAINS_TO_FAMILY"
            why = "the nearest person" if is_person else because
            return Reason(of, value, why, because if is_person else "")
        begin, end = read.reading.begins[read.kept[because.begin]], read.reading.ends[read.kept[because.end - 1]]
        return Reason(of, value, self._cue_place(read, because, value), text[begin:end])

    def _cue_place(self, read: ReadText, found: FoundCue, value: str) -> str:
        """Return where in the file a cue stands, or the shorter one at its edge that spoke."""
        words = read.words[found.begin : found.end]
        edges = range(len(words))
        for piece in (words, *(words[at:] for at in edges[1:]), *(words[:at] for at in reversed(edges))):
            lines = self._cue_lines.get(" ".join(piece), ())
            told = [number for number, meaning in lines if meaning == value] or [
                number for number, meaning in lines if meaning in ROLES | TRAITS | {UNKNOWN}
            ]
            if told:
                return f"a cue, {_CUES} line {_listed(told)}"
        return f"a cue, {_CUES} line {_listed(number for number, _ in self._cue_lines.get(' '.join(words), ()))}"

    def _of_situation(self, read: ReadText, one: Evidence) -> Reason:
        begins, ends = ([places[index] for index in read.kept] for places in (read.reading.begins, read.reading.ends))
        placed = zip(read.words, begins, ends, strict=True)
        words = (word for word, begin, end in placed if one.begin <= begin and end <= one.end)
        line = self._roles.situation_line(" ".join(words))
        why = f"a cue, {_SITUATIONS} line {line}" if line else "the role of the condition"
        return Reason("situation", one.name, why, one.text)

    @cached_property
    def _condition_lines(self) -> dict[str, int]:
        return {line["condition"]: line.number for line in lines_of(self._folder, _CONDITIONS)}

    @cached_property
    def _cue_lines(self) -> dict[str, list[tuple[int, str]]]:
        phrases = Phrases.of(self._lexicon, self._folder)
        lines: dict[str, list[tuple[int, str]]] = {}
        for line in lines_of(self._folder, _CUES):
            for written in line.listed("cues"):
                for key in phrases.keys(line, written):
                    lines.setdefault(key, []).append((line.number, line["meaning"]))
        return lines


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(set(numbers))))
