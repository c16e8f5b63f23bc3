"""Peak memory of the detect flow on few posts and on ten times as many: it must not follow the number of posts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fresh_process import json_of, run_fresh
from benchmarks.posts import write_archive, write_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

N_POSTS = 200_000
FEWER = 10
"""The smaller archive holds one post in this many."""

MOST_GROWTH, MOST_MEGABYTES = 0.15, 1200.0

_MEGABYTE = 1e6
ASSUMED_TIME = "2026-03-01T00:00Z"


def memory(n_posts: int = N_POSTS) -> dict[str, Any]:
    """Run the flow in processes of its own and compare their peaks.

    Two cases: a week of posts in hourly windows, and the same texts without ids or times, all in one window.

    Args:
        n_posts: Posts of the larger archive.

    Returns:
        What `docs/benchmarks.md` describes, as JSON values; megabytes are 10^6 bytes.

    Raises:
        BenchmarkError: A run failed.
    """
    sizes = (n_posts // FEWER, n_posts)
    with tempfile.TemporaryDirectory(prefix="ade-bench-") as name:
        folder = Path(name)
        hourly, one = [], []
        for n in sizes:
            archive, texts = write_archive(folder / f"{n}.jsonl", n), write_texts(folder / f"{n}.csv", n)
            hourly.append(peak_of(archive, folder / f"hourly-{n}"))
            one.append(peak_of(texts, folder / f"one-{n}", assume_time=ASSUMED_TIME))
    return {
        "posts_small": sizes[0],
        "posts_large": sizes[1],
        "hourly_windows": compare(hourly),
        "one_window": compare(one),
        "bar": {"growth": MOST_GROWTH, "peak_megabytes": MOST_MEGABYTES},
    }


def peak_of(source: Path, home: Path, *, assume_time: str | None = None) -> dict[str, Any]:
    """Run the flow on `source` in a process with `home` as its home and return what `flow_process` prints."""
    options = ["--assume-time", assume_time] if assume_time else []
    _, printed = run_fresh(["-m", "benchmarks.flow_process", str(source), str(home / "lake"), *options], home)
    measured: dict[str, Any] = json_of(printed)
    return measured


def compare(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what a small and a large run, in this order, say together."""
    small, large = runs
    return {
        "peak_megabytes_small": small["peak_bytes"] / _MEGABYTE,
        "peak_megabytes_large": large["peak_bytes"] / _MEGABYTE,
        "growth": large["peak_bytes"] / small["peak_bytes"] - 1,
        "posts_classified_large": large["account"]["rows_assessed"],
        "seconds_small": small["seconds"],
        "seconds_large": large["seconds"],
    }
