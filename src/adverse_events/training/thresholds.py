"""The decision limits of a model, chosen on validation texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from adverse_events.training.metrics import Scored

CANDIDATES: Final = np.round(np.arange(0.02, 0.985, 0.01), 2)
TOLERANCE: Final = 0.002
"""F1 that is nobody's to lose: limits within it of the best are equally good."""


def choose_threshold(scored: Scored) -> float:
    """Return the limit (0-1, two decimals) for the last class.

    The best mean F1 over the sources, so that a large corpus does not decide for a small one. The curve is a staircase
    of a few texts' luck: of the limits within `TOLERANCE` of the best that are connected to it, the middle is taken.
    """
    return _choose([(labels == p.shape[1] - 1, p[:, -1]) for labels, p in scored.values()])


def choose_thresholds(scored: Scored, labels: Sequence[str]) -> dict[str, float]:
    """Return the limit of every class against all others, chosen as `choose_threshold` chooses.

    A class that no text of any source has gets 0.5.
    """
    limits = {}
    for number, label in enumerate(labels):
        sides = [(truth == number, p[:, number]) for truth, p in scored.values() if (truth == number).any()]
        limits[label] = _choose(sides) if sides else 0.5
    return limits


def _choose(sides: Sequence[tuple[NDArray[np.bool_], NDArray[np.float64]]]) -> float:
    means = np.mean([[_f1(truth, found >= limit) for limit in CANDIDATES] for truth, found in sides], axis=0)
    best = int(np.argmax(means))
    low = high = best
    while low > 0 and means[low - 1] >= means[best] - TOLERANCE:
        low -= 1
    while high < len(means) - 1 and means[high + 1] >= means[best] - TOLERANCE:
        high += 1
    return float(CANDIDATES[(low + high) // 2])


def _f1(truth: NDArray[np.bool_], called: NDArray[np.bool_]) -> float:
    return float(2 * (truth & called).sum() / max(int(truth.sum() + called.sum()), 1))
