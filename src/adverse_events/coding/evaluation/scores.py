"""Scores: sums of counts over sums of counts, each with the interval that drawing the posts again gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adverse_events.coding.evaluation.counts import LEVELS
from adverse_events.coding.evaluation.gold import SCORED_TRAITS
from adverse_events.coding.lexicon import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from adverse_events.coding.evaluation.counts import Counts

DRAWS = 1000
"""Times the posts are drawn again, with replacement."""
SEED = 20260401
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Ratio:
    """A score: weighted counts over weighted counts.

    Attributes:
        name: What it is called in the output.
        over: Counts and weights above the line.
        under: Counts and weights below it.
    """

    name: str
    over: Mapping[str, float]
    under: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Score:
    """One measured score.

    Attributes:
        value: 0-1; None where nothing was counted below the line.
        low: Lower bound of its 95 % interval.
        high: Upper bound.
        n: What stands below the line, such as the number of mentions.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int

    def to_json(self) -> dict[str, float | int | None]:
        """Return the score as JSON values, rounded to four digits."""
        return {
            "value": _rounded(self.value),
            "low": _rounded(self.low),
            "high": _rounded(self.high),
            "n": self.n,
        }


def _share(name: str, over: str, under: str) -> Ratio:
    return Ratio(name, {over: 1}, {under: 1})


def precision(name: str, what: str) -> Ratio:
    """Return the share of what was given as `what` that is right."""
    return Ratio(name, {f"{what}:tp": 1}, {f"{what}:tp": 1, f"{what}:fp": 1})


def recall(name: str, what: str) -> Ratio:
    """Return the share of what is `what` that was given."""
    return Ratio(name, {f"{what}:tp": 1}, {f"{what}:tp": 1, f"{what}:fn": 1})


def f1(name: str, classes: Iterable[str]) -> Ratio:
    """Return F1 over several classes, pooled (micro)."""
    over = {f"{one}:tp": 2.0 for one in classes}
    missed = {f"{one.removesuffix(':tp')}:{end}": 1.0 for one in over for end in ("fp", "fn")}
    return Ratio(name, over, {**over, **missed})


_OF_SPLITS = (
    _share("coded", "coded", "codable"),
    *(_share(f"accuracy@{n}:{level}", f"right@{n}:{level}", "codable") for n in (1, 5) for level in LEVELS),
    _share("wrong_codes", "wrong", "mentions"),
    *(_share(f"wrong_codes:{level}", f"wrong:{level}", "codable") for level in LEVELS),
    _share("nil_abstained", "nil_abstained", "nil"),
    _share("abstention_precision", "abstained_right", "abstained"),
    _share("span_recall", "span:tp", "codable"),
    _share("exact_span_recall", "exact:tp", "codable"),
)

_OF_ALL = (
    precision("span_precision", "span"),
    f1("span_f1", ["span"]),
    precision("exact_span_precision", "exact"),
    f1("exact_span_f1", ["exact"]),
    _share("spurious_codes_per_post", "spurious", "posts"),
    _share("posts_without_conditions_coded", "posts_without:coded", "posts_without"),
    precision("event_precision", "event"),
    recall("event_recall", "event"),
    f1("event_f1", ["event"]),
    f1("role_f1_micro", [f"role:{role}" for role in sorted(ROLES)]),
    *(
        made(f"{what}:{name}:{kind}", f"{what}:{name}")
        for what, names in (("role", sorted({*ROLES, "UNKNOWN"})), ("trait", sorted(SCORED_TRAITS)))
        for name in names
        for kind, made in (("precision", precision), ("recall", recall))
    ),
    *(
        f1(f"{what}:{name}:f1", [f"{what}:{name}"])
        for what, names in (("role", sorted({*ROLES, "UNKNOWN"})), ("trait", sorted(SCORED_TRAITS)))
        for name in names
    ),
)


def measure(counts: Counts, *, is_whole: bool, draws: int = DRAWS) -> dict[str, Score]:
    """Return the scores of one split by name.

    Args:
        counts: Its counts.
        is_whole: These are the counts of the whole set, which alone has precision and roles.
        draws: Times the posts are drawn again for the intervals.
    """
    ratios = (*_OF_SPLITS, *(_OF_ALL if is_whole else ()))
    sums = counts.matrix.sum(axis=0)
    drawn = _drawn(counts.matrix, draws)
    scores = {ratio.name: _score(counts, ratio, sums, drawn) for ratio in ratios}
    if is_whole:
        scores["role_f1_macro"] = _macro(counts, "role", sorted(ROLES), sums, drawn)
        scores["trait_f1_macro"] = _macro(counts, "trait", sorted(SCORED_TRAITS), sums, drawn)
    return scores


def _drawn(matrix: NDArray[np.float64], draws: int) -> NDArray[np.float64]:
    """Return the sums over `draws` sets of posts drawn with replacement, one row each."""
    n_posts = len(matrix)
    drawn = np.zeros((draws, matrix.shape[-1]))
    if n_posts:
        random = np.random.default_rng(SEED)
        for number in range(draws):
            times = np.bincount(random.integers(n_posts, size=n_posts), minlength=n_posts)
            drawn[number] = times @ matrix
    return drawn


def _score(counts: Counts, ratio: Ratio, sums: NDArray[np.float64], drawn: NDArray[np.float64]) -> Score:
    under = _weighted(counts, ratio.under, sums)
    n = sum(counts.total(name) for name in ratio.under)
    if not under:
        return Score(None, None, None, n)
    return Score(float(_divided(counts, ratio, sums)), *_bounds(_divided(counts, ratio, drawn)), n)


def _macro(counts: Counts, what: str, names: list[str], sums: NDArray[np.float64], drawn: NDArray[np.float64]) -> Score:
    """Return the mean F1 of the classes that occur."""
    ratios = [f1("", [f"{what}:{name}"]) for name in names]
    ratios = [ratio for ratio in ratios if _weighted(counts, ratio.under, sums)]
    if not ratios:
        return Score(None, None, None, 0)
    value = np.mean([_divided(counts, ratio, sums) for ratio in ratios])
    with np.errstate(all="ignore"):
        over_draws = np.mean([np.nan_to_num(_divided(counts, ratio, drawn)) for ratio in ratios], axis=0)
    return Score(float(value), *_bounds(over_draws), len(ratios))


def _weighted(counts: Counts, weights: Mapping[str, float], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(sum(weight * counts.picked(sums, name) for name, weight in weights.items()))


def _divided(counts: Counts, ratio: Ratio, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    over, under = _weighted(counts, ratio.over, sums), _weighted(counts, ratio.under, sums)
    return np.divide(over, under, out=np.full_like(over, np.nan, dtype=np.float64), where=under != 0)


def _bounds(drawn: NDArray[np.float64]) -> tuple[float | None, float | None]:
    known = drawn[~np.isnan(drawn)]
    if not known.size:
        return None, None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, (tail, 1 - tail))
    return float(low), float(high)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
