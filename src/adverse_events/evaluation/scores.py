"""Scores of probabilities against labels: how many are found, how many calls are right, how honest the numbers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS: Final = 15
"""Bins of equal mass in a calibration error, as Nguyen and O'Connor (2015) and most papers since take."""


def score(labels: NDArray[Any], probabilities: NDArray[Any], threshold: float) -> dict[str, float]:
    """Score one source.

    Args:
        labels: Class index per text; the last class is what is looked for.
        probabilities: Texts x classes, same order.
        threshold: Lowest probability of the last class called positive.

    Returns:
        precision, recall and f1 of the last class at the threshold, its best_f1 over all thresholds, its
        average_precision, brier score and ece (see `calibration_error`); with more than two classes macro_f1 of the
        most probable class too. All 0-1.
    """
    n_classes = probabilities.shape[1]
    positive, found = labels == n_classes - 1, probabilities[:, -1]
    called = found >= threshold
    hits = float((called & positive).sum())
    precision, recall = hits / max(float(called.sum()), 1.0), hits / max(float(positive.sum()), 1.0)
    scores = {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        "best_f1": best_f1(positive, found),
        "average_precision": float(average_precision_score(positive, found)),
        "brier": float(np.mean((found - positive) ** 2)),
        "ece": calibration_error(positive, found),
    }
    if n_classes > 2:  # noqa: PLR2004 - with two, it would say the same again
        chosen = probabilities.argmax(axis=1)
        scores["macro_f1"] = float(f1_score(labels, chosen, average="macro", zero_division=0.0))
    return scores


def best_f1(positive: NDArray[Any], found: NDArray[Any]) -> float:
    """Return the largest F1, 0-1, over all thresholds: what a threshold chosen on these very texts would reach."""
    precision, recall, _ = precision_recall_curve(positive, found)
    return float((2 * precision * recall / np.maximum(precision + recall, 1e-12)).max())


def calibration_error(positive: NDArray[Any], found: NDArray[Any], *, bins: int = BINS) -> float:
    """Return the expected calibration error with bins of equal mass, 0-1.

    Texts are sorted by probability and cut into bins of equally many; in each, the mean probability is compared with
    the share of positives, and the differences are averaged by the number of texts. Bins of equal width would leave
    most of them empty where most probabilities are near 0.
    """
    order = np.argsort(found, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [abs(float(found[part].mean()) - float(positive[part].mean())) * len(part) for part in parts]
    return float(sum(gaps) / max(len(found), 1))
