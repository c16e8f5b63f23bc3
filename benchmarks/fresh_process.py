"""Programs run as on the first day: a process of its own, with a home folder of its own and no settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adverse_events.errors import AdverseEventsError

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]

_SETTINGS_OF_SOMEBODY = ("ADE_", "PREFECT_", "XDG_")


class BenchmarkError(AdverseEventsError):
    """What was to be measured did not run to its end."""


def run_fresh(arguments: Sequence[str], home: Path, **variables: str) -> tuple[float, str]:
    """Run ``python`` with `arguments` and return the wall time in seconds and what it printed.

    Args:
        arguments: For this interpreter, such as ``-m ade --help``.
        home: Folder that is its home and its working folder; created when missing.
        variables: More environment variables.

    Raises:
        BenchmarkError: It failed; the message is the last line of its standard error.
    """
    home.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS_OF_SOMEBODY)}
    environment = {
        **inherited,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        **variables,
    }
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this interpreter on the project's own modules
        [sys.executable, *arguments], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        msg = f"python {' '.join(arguments)} ended with code {done.returncode}: {last}"
        raise BenchmarkError(msg)
    return seconds, done.stdout


def json_of(printed: str) -> Any:
    """Return the JSON document in the last line of `printed`."""
    return json.loads(printed.strip().splitlines()[-1])
