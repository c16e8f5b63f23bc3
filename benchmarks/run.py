"""The benchmarks by name: `ade bench [NAME]`, or ``python -m benchmarks.run NAME --posts N`` for another size."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adverse_events.errors import UsageError
from benchmarks.coder import coder
from benchmarks.cold_start import cold_start
from benchmarks.memory import memory
from benchmarks.throughput import throughput
from benchmarks.wire import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BENCHMARKS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "throughput": throughput,
    "memory": memory,
    "cold_start": cold_start,
    "wire": wire,
    "coder": coder,
}

MINUTES = {"throughput": 2, "memory": 15, "cold_start": 1, "wire": 3, "coder": 1}
"""About how long each takes on two cores, so that nobody thinks it hangs."""


def run(name: str | None = None, **sizes: Any) -> dict[str, Any]:
    """Run one benchmark or all.

    Args:
        name: A key of `BENCHMARKS`; None runs them all.
        sizes: Arguments for the benchmark named; its own defaults where left out.

    Returns:
        The machine, and one entry per benchmark, JSON values.

    Raises:
        UsageError: No benchmark of that name.
        AdverseEventsError: One could not be measured.
    """
    if name is not None and name not in BENCHMARKS:
        msg = f"there is no benchmark {name}; choose one of {', '.join(BENCHMARKS)}"
        raise UsageError(msg)
    results: dict[str, Any] = {"machine": _machine()}
    for chosen in [name] if name else BENCHMARKS:
        print(f"{chosen}: about {MINUTES[chosen]} min on two cores", file=sys.stderr, flush=True)
        results[chosen] = BENCHMARKS[chosen](**sizes)
    return results


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "processor": _processor(), "python": platform.python_version()}


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", about.read_text(encoding="utf-8")) if about.exists() else None
    return found[1] if found else platform.processor()


def main() -> None:
    """Run one benchmark in a size of one's own and print the result as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("--posts", type=int, help="posts, for throughput, memory, wire and coder")
    given = parser.parse_args()
    print(json.dumps(run(given.name, **({"n_posts": given.posts} if given.posts else {})), indent=2))


if __name__ == "__main__":
    main()
