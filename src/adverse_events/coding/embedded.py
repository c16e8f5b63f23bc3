"""The embedded coder: lexicon and rules, in process, offline, the same answer every time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adverse_events.coding.lexicon import FOLDER, Form, Lexicon, load_lexicon
from adverse_events.coding.roles import CUE_SCORE, ReadText, RoleReader
from adverse_events.errors import ContractError
from adverse_events.records import Coding, Concept, Entity, Trait

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adverse_events.coding.context import Finding
    from adverse_events.coding.matching import FoundForm
    from adverse_events.records import DrugMention

ICD10CM_RELEASE = "2026-04"
"""Release the codes of the lexicon belong to: ICD-10-CM fiscal year 2026, April update."""

GUESSED_SCORE = 0.75
"""A form one of whose words was recognised only at edit distance one."""


ALTERNATIVE_SCORES = (0.60, 0.50, 0.40, 0.30)
"""Other conditions the same words might mean, likeliest first: all below `CodingSettings.concept_min_score`."""


class EmbeddedCoder:
    """Codes conditions with the lexicon that ships with the package (a `ConditionCoder`).

    Scores are constants that say how a form was recognised, not probabilities: `EXACT_SCORE` for a form
    written out in the lexicon, `PATTERN_SCORE` for one made from a slot or from body part and sensation,
    `OFFICIAL_SCORE` for a term of the classification itself, `APART_SCORE` for a body part and its change that other
    words part, `GUESSED_SCORE` for a misspelling. What the lexicon
    does not know is not coded.
    """

    icd10cm_release = ICD10CM_RELEASE
    served_by = ""

    def __init__(self, lexicon: Lexicon, folder: Path = FOLDER) -> None:
        """Code with `lexicon`, loaded from `folder`."""
        self._roles = RoleReader(lexicon, folder)
        self.coder_version = f"embedded-{self._roles.version}"

    @classmethod
    def load(cls, folder: Path = FOLDER) -> EmbeddedCoder:
        """Load the lexicon in `folder`, the package's own by default.

        Raises:
            ContractError: A lexicon file that cannot be used; names file and line.
        """
        return cls(load_lexicon(folder), folder)

    def code(self, texts: Sequence[str], drug_mentions: Sequence[Sequence[DrugMention]]) -> list[Coding]:
        """Find the conditions of each text; see `ConditionCoder.code`."""
        if len(texts) != len(drug_mentions):
            raise ContractError("coding", f"{len(texts)} texts but drug mentions of {len(drug_mentions)}")
        return [self._code(text, drugs) for text, drugs in zip(texts, drug_mentions, strict=True)]

    def _code(self, text: str, drugs: Sequence[DrugMention]) -> Coding:
        read = self._roles.read(text, drugs)
        findings = self._roles.judge(read, read.forms)
        entities = tuple(
            self._entity(text, read, form, finding, drugs) for form, finding in zip(read.forms, findings, strict=True)
        )
        told = self._roles.told(read, text, entities)
        if told.is_improper_use:
            entities = tuple(replace(entity, cause_code=None) for entity in entities)
        return Coding(entities, seriousness=told.seriousness, special_situations=told.special_situations)

    def _entity(
        self, text: str, read: ReadText, found: FoundForm, finding: Finding, drugs: Sequence[DrugMention]
    ) -> Entity:
        begin, end = read.span(found)
        is_guessed = read.is_guessed(found)
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
            cause_code=None if is_denied else self._roles.cause(read, finding, drugs),
            body_system=found.form.condition.body_system,
            is_serious=found.form.condition.is_serious,
        )


def _traits(form: Form, finding: Finding, score: float, *, is_guessed: bool) -> tuple[Trait, ...]:
    names = {*finding.traits, "LOW_CONFIDENCE"} if is_guessed else set(finding.traits)
    traits = [Trait(form.condition.kind, score), *(Trait(name, CUE_SCORE) for name in names)]
    return tuple(sorted(traits, key=lambda trait: (-trait.score, trait.name)))


def _concepts(form: Form, score: float) -> tuple[Concept, ...]:
    condition = form.condition
    if not condition.code:
        return ()
    others = zip(condition.alternatives, ALTERNATIVE_SCORES, strict=False)
    best = Concept(condition.code, condition.description, score)
    return (best, *(Concept(code, description, lower) for (code, description), lower in others))
