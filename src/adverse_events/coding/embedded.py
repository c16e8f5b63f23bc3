"""The embedded coder: lexicon and rules, in process, offline, the same answer every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.coding.context import UNKNOWN, Context, Finding
from adverse_events.coding.lexicon import FOLDER, Form, Lexicon, load_lexicon
from adverse_events.coding.matching import FoundForm, Matcher
from adverse_events.coding.reading import Reader, Reading
from adverse_events.errors import ContractError
from adverse_events.records import Coding, Concept, Entity, Trait

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adverse_events.records import DrugMention

ICD10CM_RELEASE = "2026-04"
"""Release the codes of the lexicon belong to: ICD-10-CM fiscal year 2026, April update."""

RULES_VERSION = "1"
"""Raised whenever a rule outside the lexicon's files changes a result."""

GUESSED_SCORE = 0.75
"""A form one of whose words was recognised only at edit distance one."""
CUE_SCORE = 0.90
"""A trait read from a cue."""

_CAUSAL_ROLES = frozenset({"ADE", "WITHDRAWAL", UNKNOWN})
_COMBINATION = " / "


class EmbeddedCoder:
    """Codes conditions with the lexicon that ships with the package (a `ConditionCoder`).

    Scores are constants that say how a form was recognised, not probabilities: `EXACT_SCORE` for a form
    written out in the lexicon, `PATTERN_SCORE` for one made from a slot or from body part and sensation,
    `GUESSED_SCORE` for a misspelling. What the lexicon does not know is not coded.
    """

    icd10cm_release = ICD10CM_RELEASE
    served_by = ""

    def __init__(self, lexicon: Lexicon) -> None:
        """Code with `lexicon`."""
        self.coder_version = f"embedded-{RULES_VERSION}+{lexicon.sha256[:12]}"
        self._lexicon = lexicon
        self._fillers = lexicon.words["FILLER"]
        self._reader = Reader(lexicon.spelling)
        self._matcher = Matcher(lexicon)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> EmbeddedCoder:
        """Load the lexicon in `folder`, the package's own by default.

        Raises:
            ContractError: A lexicon file that cannot be used; names file and line.
        """
        return cls(load_lexicon(folder))

    def code(self, texts: Sequence[str], drug_mentions: Sequence[Sequence[DrugMention]]) -> list[Coding]:
        """Find the conditions of each text; see `ConditionCoder.code`."""
        if len(texts) != len(drug_mentions):
            raise ContractError("coding", f"{len(texts)} texts but drug mentions of {len(drug_mentions)}")
        return [Coding(self._code(text, drugs)) for text, drugs in zip(texts, drug_mentions, strict=True)]

    def _code(self, text: str, drugs: Sequence[DrugMention]) -> tuple[Entity, ...]:
        reading = self._reader.read(text, drugs)
        kept = [index for index, word in enumerate(reading.words) if word not in self._fillers]
        forms, cues = self._matcher.find([reading.words[index] for index in kept])
        if not forms:
            return ()
        findings = Context(self._lexicon, reading, kept, forms, cues).judge()
        return tuple(
            self._entity(text, reading, kept, form, finding, drugs)
            for form, finding in zip(forms, findings, strict=True)
        )

    def _entity(
        self,
        text: str,
        reading: Reading,
        kept: Sequence[int],
        found: FoundForm,
        finding: Finding,
        drugs: Sequence[DrugMention],
    ) -> Entity:
        begin, end = reading.begins[kept[found.begin]], reading.ends[kept[found.end - 1]]
        is_guessed = any(index in reading.guessed for index in kept[found.begin : found.end])
        score = GUESSED_SCORE if is_guessed else found.form.score
        is_denied = "NEGATION" in finding.traits
        return Entity(
            text=text[begin:end],
            begin=begin,
            end=end,
            score=score,
            traits=_traits(found.form, finding, score, is_guessed=is_guessed),
            concepts=_concepts(found.form, score),
            role=finding.role,
            cause_code=None if is_denied or finding.role not in _CAUSAL_ROLES else self._cause(begin, drugs),
        )

    def _cause(self, begin: int, drugs: Sequence[DrugMention]) -> str | None:
        """Return the adverse-effect code of the drug blamed for a condition that begins at `begin`.

        It is the only drug of the text, or else the nearest one before the condition.
        """
        ingredients = {drug.ingredient for drug in drugs}
        if len(ingredients) == 1:
            return self._cause_of(next(iter(ingredients)))
        before = [drug for drug in drugs if drug.end <= begin]
        return self._cause_of(max(before, key=lambda drug: drug.end).ingredient) if before else None

    def _cause_of(self, ingredient: str) -> str | None:
        """Return the code of an ingredient; of a combination, when its parts share one."""
        causes = self._lexicon.causes
        if ingredient in causes:
            return causes[ingredient]
        codes = {causes.get(part) for part in ingredient.split(_COMBINATION)}
        return codes.pop() if len(codes) == 1 else None


def _traits(form: Form, finding: Finding, score: float, *, is_guessed: bool) -> tuple[Trait, ...]:
    names = {*finding.traits, "LOW_CONFIDENCE"} if is_guessed else set(finding.traits)
    traits = [Trait(form.condition.kind, score), *(Trait(name, CUE_SCORE) for name in names)]
    return tuple(sorted(traits, key=lambda trait: (-trait.score, trait.name)))


def _concepts(form: Form, score: float) -> tuple[Concept, ...]:
    condition = form.condition
    return (Concept(condition.code, condition.description, score),) if condition.code else ()
