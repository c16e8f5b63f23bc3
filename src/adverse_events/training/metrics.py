"""Scores of a training run, by source, and the lines that a tuner's regular expressions read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from adverse_events.evaluation.scores import score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Scored = Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
    """Class index (texts) and probabilities (texts x classes), by source."""

ALL: Final = "all"
"""Name under which means over the sources are reported."""

METRIC_DEFINITIONS: Final = (
    {"Name": "validation:f1", "Regex": rf"^{ALL} .*validation/f1=([0-9.]+)"},
    {"Name": "validation:average_precision", "Regex": rf"^{ALL} .*validation/average_precision=([0-9.]+)"},
    {"Name": "train:loss", "Regex": r"train/loss=([0-9.]+)"},
)
"""How a SageMaker training or tuning job finds the metrics in the log."""


def report(scored: Scored, threshold: float) -> dict[str, dict[str, float]]:
    """Return the scores of every source, and their means under `ALL`."""
    by_source = {name: score(labels, probabilities, threshold) for name, (labels, probabilities) in scored.items()}
    keys = next(iter(by_source.values()))
    return {**by_source, ALL: {key: float(np.mean([each[key] for each in by_source.values()])) for key in keys}}


def metric_lines(scores: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Write one line per source, such as ``tweets validation/f1=0.5700 ...``; the line of `ALL` is last."""
    return [
        f"{name} " + " ".join(f"validation/{key}={value:.4f}" for key, value in values.items())
        for name, values in scores.items()
    ]


def flat(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the scores under names such as ``validation/tweets/f1``, those of `ALL` under ``validation/f1``."""
    return {
        f"validation/{key}" if name == ALL else f"validation/{name}/{key}": value
        for name, values in scores.items()
        for key, value in values.items()
    }
