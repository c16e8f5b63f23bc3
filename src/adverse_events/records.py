"""Records that travel between the stations' inner parts, a few at a time.

Bulk rows travel as Arrow tables (`staging`); these are what one post's text yields. Offsets count
Unicode code points into the post's stored text, half-open ``[begin, end)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class DrugMention:
    """One drug named in a text.

    Attributes:
        mention: Surface form, exactly as written.
        begin: First code point of the mention.
        end: First code point after it.
        ingredient: INN, lower case; several joined by " / " for a combination.
    """

    mention: str
    begin: int
    end: int
    ingredient: str


@dataclass(frozen=True, slots=True)
class Trait:
    """What the text says about an entity: NEGATION, HYPOTHETICAL, PERTAINS_TO_FAMILY, SYMPTOM, ...

    Source:
        InferICD10CM ``Trait``, Amazon Comprehend Medical API reference, read 2026-11.
    """

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Concept:
    """One ICD-10-CM concept proposed for an entity; `score` is 0-1."""

    code: str
    description: str
    score: float


@dataclass(frozen=True, slots=True)
class Entity:
    """One condition found in a text.

    Attributes:
        text: Surface form.
        begin: First code point.
        end: First code point after it.
        score: Confidence that this span is a condition, 0-1.
        traits: Highest score first; empty when the text asserts it plainly.
        concepts: At most five, best first; empty when the coder abstains.
        category: Comprehend Medical category.
        type: Comprehend Medical type.
        role: ADE, INDICATION, BENEFIT, WITHDRAWAL, LACK_OF_EFFECT or UNKNOWN: what the condition
            has to do with the drug. The cloud service does not say; then UNKNOWN.
        cause_code: ICD-10-CM T36-T50 adverse-effect code of the drug blamed, if known.
        body_system: Where in the body the condition belongs, in plain words; empty where nothing says.
        is_serious: The condition is medically important whatever the text says of its outcome.
    """

    text: str
    begin: int
    end: int
    score: float
    traits: tuple[Trait, ...] = ()
    concepts: tuple[Concept, ...] = ()
    category: str = "MEDICAL_CONDITION"
    type: str = "DX_NAME"
    role: str = "UNKNOWN"
    cause_code: str | None = None
    body_system: str = ""
    is_serious: bool = False

    def to_wire(self, entity_id: int) -> dict[str, Any]:
        """Return the entity in InferICD10CM's response shape, plus what the service has no member for.

        That is ``Role``, and where there is any ``CauseCode``, ``BodySystem`` and ``IsSerious``.
        """
        wire: dict[str, Any] = {
            "Id": entity_id,
            "Text": self.text,
            "Category": self.category,
            "Type": self.type,
            "Score": self.score,
            "BeginOffset": self.begin,
            "EndOffset": self.end,
            "Attributes": [],
            "Traits": [{"Name": t.name, "Score": t.score} for t in self.traits],
            "ICD10CMConcepts": [
                {"Code": c.code, "Description": c.description, "Score": c.score} for c in self.concepts
            ],
            "Role": self.role,
        }
        if self.cause_code:
            wire["CauseCode"] = self.cause_code
        if self.body_system:
            wire["BodySystem"] = self.body_system
        if self.is_serious:
            wire["IsSerious"] = True
        return wire


@dataclass(frozen=True, slots=True)
class Evidence:
    """One criterion or situation and the words that say so.

    Attributes:
        name: Such as hospitalization, or overdose.
        text: Surface form.
        begin: First code point.
        end: First code point after it.
        is_author: It happened to the post's author; somebody else otherwise.
    """

    name: str
    text: str
    begin: int
    end: int
    is_author: bool = True

    def to_wire(self) -> dict[str, Any]:
        """Return the evidence in members named as the service names its own."""
        return {
            "Name": self.name,
            "Text": self.text,
            "BeginOffset": self.begin,
            "EndOffset": self.end,
            "IsAuthor": self.is_author,
        }


@dataclass(frozen=True, slots=True)
class Coding:
    """What a coder made of one text.

    Attributes:
        entities: In text order, never overlapping; empty when it recognises nothing, or was refused.
        refusal: Why a remote coder will never answer for this text; None when it answered.
        billable_units: Units charged for this text, by service; none when its answer was known already.
        seriousness: ICH E2A criteria the text tells, in text order; what the conditions themselves add is not among
            them (see `select.seriousness`).
        special_situations: Overdose, pregnancy and the like, in text order.
    """

    entities: tuple[Entity, ...] = ()
    refusal: str | None = None
    billable_units: Mapping[str, int] = field(default_factory=dict)
    seriousness: tuple[Evidence, ...] = ()
    special_situations: tuple[Evidence, ...] = ()
