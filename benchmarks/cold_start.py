"""How long a newcomer waits: `ade demo` and `ade --help` in new processes with new folders."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.fresh_process import run_fresh

TIMES = 3
MOST_SECONDS = 40.0


def cold_start(times: int = TIMES) -> dict[str, Any]:
    """Time the two commands.

    Args:
        times: How often each runs.

    Returns:
        Wall seconds: the first run of the demo, which finds nothing in the disk cache that nobody else left there,
        and the medians of all.

    Raises:
        BenchmarkError: A command failed.
    """
    with tempfile.TemporaryDirectory(prefix="ade-bench-") as name:
        demos = [run_fresh(["-m", "ade", "demo"], Path(name) / f"demo-{number}")[0] for number in range(times)]
        helps = [run_fresh(["-m", "ade", "--help"], Path(name) / f"help-{number}")[0] for number in range(times)]
    return {
        "times": times,
        "demo_first_seconds": demos[0],
        "demo_seconds": median(demos),
        "help_seconds": median(helps),
        "bar": {"demo_first_seconds": MOST_SECONDS},
    }
