"""The other end of `tests.lake_writer`: a process that writes to a lake, told what to do."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]


class Writer:
    """Takes one command, see `tests.lake_writer`, and returns the answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wait until `process` is ready."""
        self._process = process
        assert self._answer() == "ready"

    def __call__(self, command: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@contextmanager
def writer(lake: Path | str, staged: Path, environment: Mapping[str, str] | None = None) -> Iterator[Writer]:
    """Run a writer to `lake`, which stages its batches in `staged`, and provide it.

    Args:
        lake: A folder, or s3://bucket/folder.
        staged: An empty folder.
        environment: All of its variables; this process's when None.
    """
    command = [sys.executable, "-m", "tests.lake_writer", str(lake), str(staged)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Writer(process)
        finally:
            assert process.stdin
            process.stdin.close()
