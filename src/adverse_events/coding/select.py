"""Which entities count, and with which code: the same rules for every coder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.records import Concept, Entity

EVENT_ROLES = frozenset({"ADE", "WITHDRAWAL", "UNKNOWN"})
"""Roles that can be an event. UNKNOWN counts because only posts classified as reporting one are coded."""

_NOT_HERE_OR_NOT_MINE = frozenset({"NEGATION", "HYPOTHETICAL", "PERTAINS_TO_FAMILY"})


class CodingSettings(BaseModel, frozen=True, extra="forbid"):
    """Which coder is asked, and how sure it must be."""

    service: Literal["embedded", "comprehend"] = Field(
        "embedded", description="embedded codes in process; comprehend asks Amazon Comprehend Medical."
    )

    entity_min_score: float = Field(
        0.60, ge=0, le=1, description="Lowest entity score (0-1) at which a condition counts as an event."
    )
    concept_min_score: float = Field(
        0.70, ge=0, le=1, description="Lowest concept score (0-1) at which an ICD-10-CM code is kept."
    )


def is_event(entity: Entity, settings: CodingSettings) -> bool:
    """Tell whether `entity` counts as an adverse event of the post's author.

    It does when it is asserted (not NEGATION, not HYPOTHETICAL), the author's own (not PERTAINS_TO_FAMILY), has a role
    of `EVENT_ROLES`, and scores at least `entity_min_score`. PAST_HISTORY is an event only where the text blames a drug
    (role ADE or WITHDRAWAL): "used to get hives on it" is, "history of migraines" is not.
    """
    traits = {trait.name for trait in entity.traits}
    return (
        entity.score >= settings.entity_min_score
        and entity.role in EVENT_ROLES
        and traits.isdisjoint(_NOT_HERE_OR_NOT_MINE)
        and not ("PAST_HISTORY" in traits and entity.role == "UNKNOWN")
    )


def best_concept(entity: Entity, settings: CodingSettings) -> Concept | None:
    """Return the concept to store: the highest score at or above `concept_min_score`, None when there is none.

    Equal scores go to the longer, more specific code, then to the first in code order, so that the order of
    the concepts never matters.
    """
    kept = [concept for concept in entity.concepts if concept.score >= settings.concept_min_score]
    return min(kept, key=lambda concept: (-concept.score, -len(concept.code), concept.code), default=None)


def distinct_entities(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """Return the entities that do not overlap, in text order.

    Of overlapping ones the most specific stays: the longest, then the best scored, then the first in text and
    code order. The order given does not matter.
    """
    ranked = sorted(
        entities,
        key=lambda e: (e.begin - e.end, -e.score, e.begin, [c.code for c in e.concepts], e.role),
    )
    kept: list[Entity] = []
    for entity in ranked:
        if all(entity.end <= other.begin or other.end <= entity.begin for other in kept):
            kept.append(entity)
    return tuple(sorted(kept, key=lambda e: e.begin))
