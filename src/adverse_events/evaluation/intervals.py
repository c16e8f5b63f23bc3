"""How far a score may be off: its spread when the texts are drawn again with replacement.

Percentile intervals of a bootstrap (Efron and Tibshirani 1993). A draw is a weight per text, the number of times it was
drawn, so that a thousand draws are a few matrix operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from adverse_events.evaluation.scores import BINS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

DRAWS: Final = 2000
LEVEL: Final = 0.95
SCORES: Final = ("precision", "recall", "f1", "average_precision", "brier", "ece")
_AT_ONCE: Final = 4_000_000
"""Weights held at a time: 32 MB."""


def draws(
    positive: NDArray[np.bool_], groups: Sequence[str] | None, *, n_draws: int = DRAWS, seed: int = 0
) -> Iterator[NDArray[np.float64]]:
    """Yield weights (some draws x texts) until there are `n_draws`.

    Without groups, positives and others are drawn apart, each as many as there are; so a rare class never vanishes.
    With groups, whole groups are drawn: sentences of one review are not independent.

    Args:
        positive: Whether each text has the class looked for.
        groups: Document of each text, or None; an empty one is a group of its own.
        n_draws: How many.
        seed: The same seed draws the same.
    """
    rng = np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // max(len(positive), 1))
    members = _group_numbers(groups) if groups is not None and any(groups) else None
    for start in range(0, n_draws, at_once):
        n = min(at_once, n_draws - start)
        if members is not None:
            n_groups = int(members.max()) + 1
            yield rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n)[:, members].astype(float)
            continue
        weights = np.zeros((n, len(positive)))
        for stratum in (positive, ~positive):
            size = int(stratum.sum())
            if size:
                weights[:, stratum] = rng.multinomial(size, np.full(size, 1 / size), size=n)
        yield weights


def drawn_scores(
    positive: NDArray[np.bool_], found: NDArray[np.float64], threshold: float, weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return every score of `SCORES` for every draw.

    Args:
        positive: Whether each text has the class looked for.
        found: Its probability of that class.
        threshold: Lowest probability called positive.
        weights: Draws x texts.
    """
    called = found >= threshold
    hits = weights @ (called & positive)
    n_called, n_positive = weights @ called, weights @ positive
    order = np.argsort(-found, kind="stable")
    ranked = weights[:, order]
    true = ranked * positive[order]
    precision_at = np.cumsum(true, axis=1) / np.maximum(np.cumsum(ranked, axis=1), 1e-12)
    total = np.maximum(weights.sum(axis=1), 1e-12)
    bins = np.array_split(np.argsort(found, kind="stable"), BINS)
    gaps = sum(np.abs(weights[:, part] @ (found[part] - positive[part])) for part in bins if len(part))
    return {
        "precision": hits / np.maximum(n_called, 1),
        "recall": hits / np.maximum(n_positive, 1),
        "f1": 2 * hits / np.maximum(n_called + n_positive, 1),
        "average_precision": (true * precision_at).sum(axis=1) / np.maximum(n_positive, 1),
        "brier": weights @ (found - positive) ** 2 / total,
        "ece": gaps / total,
    }


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the bounds within which the middle `LEVEL` of `values` lies."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def intervals(
    positive: NDArray[np.bool_],
    found: NDArray[np.float64],
    threshold: float,
    groups: Sequence[str] | None = None,
    *,
    n_draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Return the 95 % interval of every score of `SCORES`; see `draws` and `drawn_scores`."""
    parts = [
        drawn_scores(positive, found, threshold, weights)
        for weights in draws(positive, groups, n_draws=n_draws, seed=seed)
    ]
    return {name: interval(np.concatenate([part[name] for part in parts])) for name in SCORES}


def _group_numbers(groups: Sequence[str]) -> NDArray[np.int64]:
    named = [group or f"\0{number}" for number, group in enumerate(groups)]
    return np.unique(named, return_inverse=True)[1].astype(np.int64)
