"""Splits by document: whatever belongs together stays on one side, and adding rows moves no other row."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

N_PARTS: Final = 10
VALIDATION_PART: Final = 0
TEST_PART: Final = 1


def part_of(cluster: str, *, n_parts: int = N_PARTS, seed: int = 0) -> int:
    """Return the part, 0 to `n_parts` - 1, that a cluster falls in: a hash of its name, the same on every machine."""
    salted = f"{seed}:{cluster}" if seed else cluster
    return int(hashlib.sha256(salted.encode()).hexdigest(), 16) % n_parts


def parts_of(clusters: Iterable[str], *, n_parts: int = N_PARTS, seed: int = 0) -> NDArray[np.int64]:
    """Return the part of each cluster, same order."""
    return np.array([part_of(cluster, n_parts=n_parts, seed=seed) for cluster in clusters], np.int64)


def held_out(
    frame: pd.DataFrame, clusters: Sequence[str], *, with_test: bool = False, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Split `frame`: about a tenth for validation, a tenth for test where one is asked for, the rest for training.

    Returns:
        Frames by train, validation and test, each in the order of `frame`.
    """
    parts = parts_of(clusters, seed=seed)
    is_test = (parts == TEST_PART) & with_test
    is_validation = parts == VALIDATION_PART
    split = {"train": frame[~is_validation & ~is_test], "validation": frame[is_validation]}
    return {**split, "test": frame[is_test]} if with_test else split


def folds(clusters: Sequence[str], k: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Return the fold, 0 to `k` - 1, of each row for cross-validation by cluster."""
    return parts_of(clusters, n_parts=k, seed=seed)
