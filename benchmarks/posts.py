"""The posts the benchmarks read: made by the sample generator from a seed of their own, the same on every machine."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

from adverse_events.sample import wire
from adverse_events.sample.generate import generate

if TYPE_CHECKING:
    from pathlib import Path

SEED = 7
"""Not the seed of the bundled week: these posts are nobody's test data."""


def write_archive(path: Path, n_posts: int, seed: int = SEED) -> Path:
    """Write `n_posts` posts of one week, one X API v2 object per line, in time order, and return `path`."""
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(f"{json.dumps(wire.single(post))}\n" for post in generate(n_posts, seed))
    return path


def write_texts(path: Path, n_posts: int, seed: int = SEED) -> Path:
    """Write the texts of the same posts as a CSV file of one column ``text``, and return `path`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["text"])
        rows.writerows([post.text] for post in generate(n_posts, seed))
    return path
