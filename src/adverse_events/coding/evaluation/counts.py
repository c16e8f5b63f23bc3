"""Counting judged posts: everything a score is made of, post by post, so that posts can be drawn again.

A count is a name and a number per post. Scores are sums of counts over sums of counts (`scores`); the bootstrap draws
whole posts, because the mentions of one post are not independent.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from adverse_events.coding.evaluation.gold import GOLD_ROLES, SCORED_TRAITS
from adverse_events.coding.evaluation.splits import GROUPS
from adverse_events.coding.select import is_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from adverse_events.coding.evaluation.compare import Judged, JudgedPost
    from adverse_events.coding.evaluation.gold import GoldMention, Level
    from adverse_events.coding.evaluation.splits import Manifest
    from adverse_events.coding.select import CodingSettings
    from adverse_events.records import Entity

LEVELS: tuple[Level, ...] = ("full", "category", "chapter")
ALL = "all"
HELD = "held_posts"
"""The posts whose roles and traits nobody looks at while the rules are improved."""

_NOT_ASSERTED = frozenset({"NEGATION", "HYPOTHETICAL"})
_NOT_AN_EVENT = frozenset({*_NOT_ASSERTED, "PERTAINS_TO_FAMILY"})
_EVENT_ROLES = frozenset({"ADE", "WITHDRAWAL"})


class Counts:
    """Counts of one split.

    Args:
        names: Names of the counts.
        matrix: One row per post, one column per name.
    """

    def __init__(self, names: Sequence[str], matrix: NDArray[np.float64]) -> None:
        """Keep `matrix`."""
        self.names, self.matrix = names, matrix
        self._column = {name: index for index, name in enumerate(names)}

    @classmethod
    def of(cls, rows: Sequence[Counter[str]]) -> Counts:
        """Lay out counts by name, one counter per post."""
        names = sorted({name for row in rows for name in row})
        column = {name: index for index, name in enumerate(names)}
        matrix = np.zeros((len(rows), len(names)), dtype=np.float64)
        for number, row in enumerate(rows):
            for name, n in row.items():
                matrix[number, column[name]] = n
        return cls(names, matrix)

    def only(self, is_kept: Sequence[bool]) -> Counts:
        """Return the counts of the posts for which `is_kept` is true."""
        return Counts(self.names, self.matrix[np.asarray(is_kept, dtype=bool)])

    def total(self, name: str) -> int:
        """Return the sum of one count over all posts; 0 for a name that nothing was counted under."""
        column = self._column.get(name)
        return 0 if column is None else int(self.matrix[:, column].sum())

    def picked(self, sums: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        """Return one count out of `sums`, whose last axis is laid out like the columns of `matrix`."""
        column = self._column.get(name)
        return np.zeros(sums.shape[:-1]) if column is None else sums[..., column]


def count(posts: Sequence[JudgedPost], manifest: Manifest, settings: CodingSettings) -> dict[str, Counts]:
    """Return the counts of each of `GROUPS`, of `ALL`, and of the posts `HELD` back.

    The last two also hold what was found where nothing is marked, which belongs to no phrase.
    """
    rows: dict[str, list[Counter[str]]] = {group: [] for group in (*GROUPS, ALL)}
    for post in posts:
        of_post: dict[str, Counter[str]] = {group: Counter() for group in rows}
        for judged in post.mentions:
            names = list(_names(judged, settings))
            for group in (*manifest.groups_of(judged.mention.text), ALL):
                of_post[group].update(names)
        of_post[ALL].update(_spurious_names(post, settings))
        of_post[ALL]["posts"] = 1
        for group, counted in of_post.items():
            rows[group].append(counted)
    counts = {group: Counts.of(counted) for group, counted in rows.items()}
    counts[HELD] = counts[ALL].only([post.post.post_id not in manifest.dev_posts for post in posts])
    return counts


def _names(judged: Judged, settings: CodingSettings) -> Iterator[str]:
    """Yield the name of every count that one mention adds one to."""
    mention = judged.mention
    yield "mentions"
    yield from _code_names(judged)
    if not mention.is_nil:
        yield "codable"
        yield "span:fn" if judged.entity is None else "span:tp"
        yield "exact:tp" if judged.is_exact else "exact:fn"
        if judged.entity is not None and not judged.is_exact:
            yield "exact:fp"
        is_given = judged.entity is not None and is_event(judged.entity, settings)
        yield from _confused("event", is_true=_is_gold_event(mention), is_given=is_given)
    if judged.entity is not None:
        yield "found"
        yield from _trait_names(mention, judged.entity)
        if mention.traits.isdisjoint(_NOT_ASSERTED):
            yield from _confusion("role", mention.roles, judged.entity.role)


def _code_names(judged: Judged) -> Iterator[str]:
    mention, code = judged.mention, judged.code
    if code is None:
        yield "abstained"
        if mention.may_abstain:
            yield "abstained_right"
    elif judged.is_wrong:
        yield "wrong"
    if mention.is_nil:
        yield "nil"
        yield "nil_coded" if code else "nil_abstained"
        return
    if code is not None:
        yield "coded"
    for level in LEVELS:
        if code is not None:
            yield f"right@1:{level}" if mention.accepts(code, level) else f"wrong:{level}"
        if any(mention.accepts(other, level) for other in judged.codes):
            yield f"right@5:{level}"


def _trait_names(mention: GoldMention, entity: Entity) -> Iterator[str]:
    given = {trait.name for trait in entity.traits}
    for trait in sorted(SCORED_TRAITS - mention.optional_traits):
        yield from _confused(f"trait:{trait}", is_true=trait in mention.traits, is_given=trait in given)


def _confusion(what: str, accepted: Sequence[str], given: str) -> Iterator[str]:
    """Yield what one answer out of several adds: an accepted one is right, any other misses the preferred one."""
    wanted = given if given in accepted else accepted[0]
    yield f"{what}s"
    yield f"{what}:{wanted}>{given}"
    for name in sorted(GOLD_ROLES):
        yield from _confused(f"{what}:{name}", is_true=name == wanted, is_given=name == given)


def _confused(what: str, *, is_true: bool, is_given: bool) -> Iterator[str]:
    if is_true and is_given:
        yield f"{what}:tp"
    elif is_given:
        yield f"{what}:fp"
    elif is_true:
        yield f"{what}:fn"


def _is_gold_event(mention: GoldMention) -> bool:
    return mention.traits.isdisjoint(_NOT_AN_EVENT) and mention.roles[0] in _EVENT_ROLES


def _spurious_names(post: JudgedPost, settings: CodingSettings) -> Iterator[str]:
    if not post.post.mentions:
        yield "posts_without"
        if any(entity.concepts for entity in post.spurious):
            yield "posts_without:coded"
    for entity in post.spurious:
        yield "span:fp"
        yield "exact:fp"
        if any(concept.score >= settings.concept_min_score for concept in entity.concepts):
            yield "spurious"
        if is_event(entity, settings):
            yield "event:fp"
    for _ in post.fragments:
        yield "exact:fp"
