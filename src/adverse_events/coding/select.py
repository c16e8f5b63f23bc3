"""Which entities count, and with which code: the same rules for every coder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from adverse_events.coding.situations import MEDICALLY_IMPORTANT
from adverse_events.records import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adverse_events.records import Coding, Concept, Entity

EVENT_ROLES = frozenset({"ADE", "WITHDRAWAL"})
"""Roles that can be an event. What the text connects with no drug (UNKNOWN) is none."""

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
    of `EVENT_ROLES`, and scores at least `entity_min_score`. The past counts where the text blames a drug: "used to get
    hives on it" does, "history of migraines" does not.
    """
    traits = {trait.name for trait in entity.traits}
    return (
        entity.score >= settings.entity_min_score
        and entity.role in EVENT_ROLES
        and traits.isdisjoint(_NOT_HERE_OR_NOT_MINE)
    )


def best_concept(entity: Entity, settings: CodingSettings) -> Concept | None:
    """Return the concept to store: the highest score at or above `concept_min_score`, None when there is none.

    A category gives way to a code of its own that is kept too (K92 to K92.1), whatever their scores. Equal scores go
    to the longer, more specific code, then to the first in code order: the order of the concepts never matters.
    """
    kept = [concept for concept in entity.concepts if concept.score >= settings.concept_min_score]
    specific = set(most_specific(concept.code for concept in kept))
    kept = [concept for concept in kept if concept.code in specific]
    return min(kept, key=lambda concept: (-concept.score, -len(concept.code), concept.code), default=None)


def most_specific(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct `codes`, sorted, without a category that one of the others belongs to.

    This is how the codes of one post are counted: two conditions with one code count once, and K92 does not count
    beside K92.1. An empty code, for a condition without one, stays.
    """
    distinct = sorted(set(codes))
    # Sorted, the codes of a category follow it at once.
    following = [*distinct[1:], ""][: len(distinct)]
    pairs = zip(distinct, following, strict=True)
    return tuple(code for code, next_code in pairs if not code or not next_code.startswith(code))


def counted_codes(entities: Iterable[Entity], settings: CodingSettings) -> tuple[str, ...]:
    """Return the codes that a post with these `entities` counts for; empty when no event has one."""
    concepts = (best_concept(entity, settings) for entity in entities if is_event(entity, settings))
    return most_specific(concept.code for concept in concepts if concept)


def seriousness(coding: Coding, entities: Sequence[Entity], settings: CodingSettings) -> tuple[Evidence, ...]:
    """Return the seriousness criteria of a post, in text order: those it tells, and its events that are serious.

    Args:
        coding: What the coder made of it.
        entities: Those of its entities that are stored.
        settings: Score limits.
    """
    important = [
        Evidence(MEDICALLY_IMPORTANT, entity.text, entity.begin, entity.end)
        for entity in entities
        if entity.is_serious and is_event(entity, settings)
    ]
    return tuple(sorted((*coding.seriousness, *important), key=lambda one: (one.begin, one.end, one.name)))


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
