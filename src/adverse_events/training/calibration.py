"""Temperature: one number that makes probabilities mean what they say, without changing any ranking.

Guo et al. 2017. A network is surer than it is right; dividing its logits by a temperature above 1 mends most of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import minimize_scalar

from adverse_events.corpus.keys import text_key
from adverse_events.evaluation.scores import calibration_error
from adverse_events.training.predicting import softmax

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Judged = Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
    """Class index (texts) and logits (texts x classes), by source."""

FOLDS: Final = 5
_LOWEST, _HIGHEST = 0.25, 8.0


def fit_temperature(judged: Judged) -> float:
    """Return the temperature (0.25-8) with the lowest negative log-likelihood.

    Sources weigh the same, whatever their size: a temperature fitted to sentences of case reports would be that of the
    largest corpus, and lay posts, which the product reads, are the smallest.
    """

    def loss(logarithm: float) -> float:
        return float(np.mean([_nll(labels, logits / np.exp(logarithm)) for labels, logits in judged.values()]))

    found = minimize_scalar(loss, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def calibration_report(
    judged: Judged, texts: Mapping[str, Sequence[str]], temperature: float
) -> dict[str, dict[str, float]]:
    """Return, by source, the calibration error of the last class before and after, 0-1.

    ``after_unseen`` is cross-fitted: every fifth of the texts is judged by a temperature fitted to the other four,
    so that it is not read on the texts it was fitted to.

    Args:
        judged: Labels and logits by source.
        texts: The same texts, by source; their hashes make the folds.
        temperature: What is served.
    """
    folds = {name: np.array([int(text_key(text), 16) % FOLDS for text in texts[name]]) for name in judged}
    unseen = {name: np.zeros(len(labels)) for name, (labels, _) in judged.items()}
    for fold in range(FOLDS):
        others = {name: (y[folds[name] != fold], z[folds[name] != fold]) for name, (y, z) in judged.items()}
        fitted = fit_temperature({name: pair for name, pair in others.items() if len(pair[0])})
        for name, (_, logits) in judged.items():
            mine = folds[name] == fold
            unseen[name][mine] = softmax(logits[mine] / fitted)[:, -1]
    return {
        name: {
            "before": calibration_error(labels == logits.shape[1] - 1, softmax(logits)[:, -1]),
            "after": calibration_error(labels == logits.shape[1] - 1, softmax(logits / temperature)[:, -1]),
            "after_unseen": calibration_error(labels == logits.shape[1] - 1, unseen[name]),
        }
        for name, (labels, logits) in judged.items()
    }


def _nll(labels: NDArray[np.int64], logits: NDArray[np.float64]) -> float:
    normal = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return float(-normal[np.arange(len(labels)), labels].mean())
