"""Risk and coverage: how many wrong codes one accepts with how many coded mentions, score by score."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.coding.evaluation.compare import Judged


@dataclass(frozen=True, slots=True)
class Point:
    """What one gets by keeping the codes with at least one score.

    Attributes:
        score: Lowest score kept, 0-1.
        coverage: Share of all mentions that have a code then.
        risk: Share of those codes that are wrong.
    """

    score: float
    coverage: float
    risk: float


def risk_coverage(mentions: Iterable[Judged]) -> list[Point]:
    """Return one point per distinct score, highest score first; empty when nothing is coded."""
    judged = list(mentions)
    coded = sorted((one for one in judged if one.code), key=lambda one: -one.score)
    points, n_kept, n_wrong = [], 0, 0
    for score, group in groupby(coded, key=lambda one: one.score):
        same = list(group)
        n_kept += len(same)
        n_wrong += sum(one.is_wrong for one in same)
        points.append(Point(score, n_kept / len(judged), n_wrong / n_kept))
    return points


def area(points: list[Point]) -> float | None:
    """Return the mean risk over the coverage reached, 0-1, lower is better; None without a point.

    Between two points the risk is taken as a straight line, before the first as that of the first.
    """
    if not points:
        return None
    total, before = points[0].coverage * points[0].risk, points[0]
    for point in points[1:]:
        total += (point.coverage - before.coverage) * (point.risk + before.risk) / 2
        before = point
    return total / before.coverage
