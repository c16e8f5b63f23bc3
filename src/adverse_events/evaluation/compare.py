"""One model against another on the same texts, drawn together, so that what both find hard cancels out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adverse_events.evaluation.intervals import DRAWS, drawn_scores, draws, interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def paired_difference(
    positive: NDArray[np.bool_],
    mine: tuple[NDArray[np.float64], float],
    other: tuple[NDArray[np.float64], float],
    groups: Sequence[str] | None = None,
    *,
    n_draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Any]:
    """Return how much better the first model is, with what the drawing of texts allows to say.

    Args:
        positive: Whether each text has the class looked for.
        mine: Probabilities of that class and the decision limit of one model.
        other: Those of the other.
        groups: Document of each text, or None.
        n_draws: Draws of the bootstrap.
        seed: Of the draws.

    Returns:
        f1_difference (mine minus other), its 95 % interval, p_worse (share of draws in which mine is worse; a tie
        counts half), and the same for average precision. All None without positives.
    """
    keys = {
        "f1": ("f1_difference", "interval", "p_worse"),
        "average_precision": (
            "average_precision_difference",
            "average_precision_interval",
            "average_precision_p_worse",
        ),
    }
    if not positive.any():
        return {key: None for names in keys.values() for key in names}
    whole = np.ones((1, len(positive)))
    now = [drawn_scores(positive, found, limit, whole) for found, limit in (mine, other)]
    parts: dict[str, list[NDArray[np.float64]]] = {metric: [] for metric in keys}
    for weights in draws(positive, groups, n_draws=n_draws, seed=seed):
        first, second = (drawn_scores(positive, found, limit, weights) for found, limit in (mine, other))
        for metric in keys:
            parts[metric].append(first[metric] - second[metric])
    result: dict[str, Any] = {}
    for metric, (difference, bounds, worse) in keys.items():
        drawn = np.concatenate(parts[metric])
        result[difference] = float((now[0][metric] - now[1][metric])[0])
        result[bounds] = interval(drawn)
        result[worse] = float(np.mean((drawn < 0) + 0.5 * (drawn == 0)))
    return result
