"""What a limit costs: for a recall, the limit that reaches it and the posts a reviewer would have to read.

Precision and load depend on how rare the events are, which a corpus does not tell; both are given for the shares of
positives met in practice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECALLS: Final = (0.80, 0.90, 0.95, 0.98)
PREVALENCES: Final = (0.20, 0.07, 0.018)
"""Shares of positives: the ADE corpus; tweets kept by drug name (SMM4H); tweets of every kind that name a drug."""


def operating_points(positive: NDArray[np.bool_], found: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return one operating point per recall of `RECALLS`.

    Returns:
        recall (asked for), threshold (the largest that reaches it), the recall reached, precision on these texts, and
        by prevalence (as text) expected precision and posts flagged among 1,000. Empty without positives or without
        negatives.
    """
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return []
    ranked = np.sort(found[positive])[::-1]
    points = []
    for recall in RECALLS:
        threshold = float(ranked[int(np.ceil(recall * n_positive - 1e-9)) - 1])
        called = found >= threshold
        hit_rate, false_rate = float(called[positive].mean()), float(called[~positive].mean())
        points.append(
            {
                "recall": recall,
                "threshold": threshold,
                "recall_reached": hit_rate,
                "precision": float(positive[called].mean()),
                "precision_at": {_name(share): _precision(hit_rate, false_rate, share) for share in PREVALENCES},
                "load_per_1000": {_name(share): 1000 * _flagged(hit_rate, false_rate, share) for share in PREVALENCES},
            }
        )
    return points


def _flagged(hit_rate: float, false_rate: float, prevalence: float) -> float:
    return hit_rate * prevalence + false_rate * (1 - prevalence)


def _precision(hit_rate: float, false_rate: float, prevalence: float) -> float:
    return hit_rate * prevalence / _flagged(hit_rate, false_rate, prevalence)


def _name(prevalence: float) -> str:
    return f"{prevalence:g}"
