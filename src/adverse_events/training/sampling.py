"""Which texts an epoch sees, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def repeats(
    sources: Sequence[str],
    labels: Sequence[int],
    *,
    source_weights: Mapping[str, float],
    oversample: float,
    seed: int,
) -> NDArray[np.int64]:
    """Return the index of every text as often as one epoch sees it, in order.

    Args:
        sources: Source of each text.
        labels: Class of each text; negative where there is none.
        source_weights: How often a source's texts are taken; 1 where it is not named. A fraction takes that share of
            them, chosen by `seed`.
        oversample: A class is taken up to this often, but not more than makes it as frequent as the most frequent.
        seed: Of the choice.

    Raises:
        UsageError: A weight names a source that is not there, or nothing is left.
    """
    unknown = set(source_weights) - set(sources)
    if unknown:
        msg = f"--source-weights names {', '.join(sorted(unknown))}; the sources are {', '.join(sorted(set(sources)))}"
        raise UsageError(msg)
    classes = np.asarray(labels)
    counts = np.bincount(classes[classes >= 0], minlength=1)
    boost = np.minimum(oversample, counts.max() / np.maximum(counts, 1))
    wanted = np.array([source_weights.get(source, 1.0) for source in sources])
    wanted = wanted * np.where(classes >= 0, boost[np.maximum(classes, 0)], 1.0)
    whole = np.floor(wanted).astype(np.int64)
    luck = np.random.default_rng(seed).random(len(wanted)) < wanted - whole
    chosen = np.repeat(np.arange(len(wanted)), whole + luck)
    if not len(chosen):
        msg = "--source-weights leaves no text to train on"
        raise UsageError(msg)
    return chosen
