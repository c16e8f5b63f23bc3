"""What a coder made of each gold mention: paired by overlap, judged by what the annotator accepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.coding.select import best_concept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.coding.evaluation.gold import GoldMention, GoldPost
    from adverse_events.coding.select import CodingSettings
    from adverse_events.records import Entity

MOST_CONCEPTS = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """One gold mention and what the coder made of it.

    Attributes:
        mention: The gold mention.
        entity: The entity that overlaps it most; None when none does.
        code: Its code, chosen as for the lake; None when the coder abstained.
        codes: Its best codes, at most `MOST_CONCEPTS`, the chosen one first.
        score: Score of the chosen code, 0-1; 0.0 without one.
    """

    mention: GoldMention
    entity: Entity | None
    code: str | None
    codes: tuple[str, ...]
    score: float

    @property
    def is_exact(self) -> bool:
        """Whether the entity has exactly the gold span."""
        entity, mention = self.entity, self.mention
        return entity is not None and (entity.begin, entity.end) == (mention.begin, mention.end)

    @property
    def is_wrong(self) -> bool:
        """Whether it got a code that the annotator does not accept."""
        return self.code is not None and not self.mention.accepts(self.code)


@dataclass(frozen=True, slots=True)
class JudgedPost:
    """One post of the gold set, judged.

    Attributes:
        post: The post.
        mentions: One per gold mention, same order.
        spurious: Entities where the annotator marked nothing, or with a code that no mention they touch accepts.
        fragments: Entities that repeat a part of a mention already paired, with a code it accepts or none.
    """

    post: GoldPost
    mentions: tuple[Judged, ...]
    spurious: tuple[Entity, ...]
    fragments: tuple[Entity, ...]


def judge(post: GoldPost, entities: Sequence[Entity], settings: CodingSettings) -> JudgedPost:
    """Pair the entities of `post` with its mentions, one to one, longest overlap first.

    Args:
        post: The gold post.
        entities: What the coder found in its text, any order.
        settings: Score limits; an entity below its limit is not looked at.
    """
    found = [entity for entity in entities if entity.score >= settings.entity_min_score]
    overlaps = sorted(
        (
            (-overlap, abs(entity.begin - mention.begin), m, e)
            for m, mention in enumerate(post.mentions)
            for e, entity in enumerate(found)
            if (overlap := _overlap(mention, entity)) > 0
        ),
    )
    pairs: dict[int, int] = {}
    for _, _, m, e in overlaps:
        if m not in pairs and e not in pairs.values():
            pairs[m] = e
    judged = tuple(
        _judged(mention, found[pairs[m]] if m in pairs else None, settings) for m, mention in enumerate(post.mentions)
    )
    spurious: list[Entity] = []
    fragments: list[Entity] = []
    for e, entity in enumerate(found):
        if e not in pairs.values():
            (fragments if _is_fragment(post, entity, settings) else spurious).append(entity)
    return JudgedPost(post, judged, tuple(spurious), tuple(fragments))


def _judged(mention: GoldMention, entity: Entity | None, settings: CodingSettings) -> Judged:
    best = best_concept(entity, settings) if entity else None
    if entity is None or best is None:
        return Judged(mention, entity, None, (), 0.0)
    others = sorted((c for c in entity.concepts if c.code != best.code), key=lambda c: (-c.score, c.code))
    codes = (best.code, *(concept.code for concept in others))[:MOST_CONCEPTS]
    return Judged(mention, entity, best.code, codes, best.score)


def _is_fragment(post: GoldPost, entity: Entity, settings: CodingSettings) -> bool:
    best = best_concept(entity, settings)
    touched = [mention for mention in post.mentions if _overlap(mention, entity) > 0]
    return bool(touched) and (best is None or any(mention.accepts(best.code) for mention in touched))


def _overlap(mention: GoldMention, entity: Entity) -> int:
    return min(mention.end, entity.end) - max(mention.begin, entity.begin)
