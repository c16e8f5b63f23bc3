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
_ASSUMED_TIME = "2026-03-01T00:00Z"


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
        hourly = [_peak(write_archive(folder / f"{n}.jsonl", n), []) for n in sizes]
        one = [_peak(write_texts(folder / f"{n}.csv", n), ["--assume-time", _ASSUMED_TIME]) for n in sizes]
    return {
        "posts_small": sizes[0],
        "posts_large": sizes[1],
        "hourly_windows": _compared(hourly),
        "one_window": _compared(one),
        "bar": {"growth": MOST_GROWTH, "peak_megabytes": MOST_MEGABYTES},
    }


def _peak(source: Path, options: Sequence[str]) -> dict[str, Any]:
    """Run the flow on `source` and return what `flow_process` says."""
    lake = source.with_suffix(".lake")
    _, printed = run_fresh(["-m", "benchmarks.flow_process", str(source), str(lake), *options], source.with_suffix(""))
    measured: dict[str, Any] = json_of(printed)
    return measured


def _compared(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    small, large = runs
    return {
        "peak_megabytes_small": small["peak_bytes"] / _MEGABYTE,
        "peak_megabytes_large": large["peak_bytes"] / _MEGABYTE,
        "growth": large["peak_bytes"] / small["peak_bytes"] - 1,
        "posts_classified_large": large["account"]["rows_assessed"],
        "seconds_small": small["seconds"],
        "seconds_large": large["seconds"],
    }
