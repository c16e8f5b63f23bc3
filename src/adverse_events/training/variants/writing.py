"""Variants as the file that ``--extra-texts`` takes."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from adverse_events.training.variants.making import generate

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, n: int, seed: int) -> None:
    """Write a CSV of `n` variants with the columns text, label and capability; its folder is made.

    Raises:
        UsageError: `n` is negative, or more than the frames can give.
    """
    variants = generate(n, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("text", "label", "capability"))
        writer.writerows(variants)
