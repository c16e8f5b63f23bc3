"""A process that writes to a lake and can be killed while it does: ``python -m tests.lake_writer LAKE STAGED``.

LAKE is a folder, or s3://bucket/folder where the environment names the server.

It stages one batch per seed, says ``ready``, then reads one command a line and answers each with one line:

* ``write SEED`` writes that batch to the end and answers ``done``;
* ``steps SEED`` does the same and answers how many steps it took: files opened, renamed or removed, requests sent;
* ``kill SEED STEP SECONDS`` starts writing it in a child process, which is killed with SIGKILL so long after it began
  that step, and answers ``killed`` or, when the child was done by then, ``done``;
* ``race SEED SEED`` writes two batches of the same windows in two children at once and answers ``done``.

Steps rather than time say when to kill: how long a write takes depends on what else the machine does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings
from adverse_events.lake import Lake, LocalLake
from adverse_events.lake.parts import PartSize
from adverse_events.lake.s3.lake import S3Lake
from adverse_events.lake.s3.lease import LeaseTerms
from tests.staged_batches import LAKE, PROVENANCE, random_batch

if TYPE_CHECKING:
    from adverse_events.staging import Batch

SEEDS = (1, 2)
SIZE = PartSize(rows_per_part=40, row_group_rows=20)


def main() -> None:
    """Answer commands until the input ends."""
    lake, staged = sys.argv[1], Path(sys.argv[2])
    batches = {str(seed): random_batch(staged / str(seed), seed=seed, n_windows=12, max_rows=200) for seed in SEEDS}
    answer("ready")
    for line in sys.stdin:
        command, *arguments = line.split()
        n_children = 2 if command == "race" else 1
        kill_at, seconds = (int(arguments[1]), float(arguments[2])) if command == "kill" else (0, 0.0)
        counted, count = os.pipe()
        children = [start(lake, batches[seed], Steps(kill_at, seconds), count) for seed in arguments[:n_children]]
        states = [os.waitpid(child, 0)[1] for child in children]
        os.close(count)
        with os.fdopen(counted) as counts:
            n_steps = counts.read().strip()
        outcome = "killed" if any(os.WIFSIGNALED(state) for state in states) else _outcome(states)
        answer(n_steps if command == "steps" and outcome == "done" else outcome)


class Steps:
    """Counts what a writing process does, and kills it at a step: an audit hook.

    Args:
        kill_at: The step at which it is killed, from 1; 0 lets it live.
        seconds: How long after that step began.
    """

    EVENTS = frozenset({"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "http.client.send"})

    def __init__(self, kill_at: int, seconds: float) -> None:
        self.n_steps = 0
        self._kill_at, self._seconds = kill_at, seconds

    def __call__(self, event: str, _: object) -> None:
        """Count one event of the interpreter."""
        if event not in self.EVENTS:
            return
        self.n_steps += 1
        if self.n_steps == self._kill_at:
            threading.Timer(self._seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()


def start(lake: str, batch: Batch, steps: Steps, count: int) -> int:
    """Start a child that writes `batch` and says on `count` how many steps it took; return its process id."""
    child = os.fork()
    if child == 0:
        sys.addaudithook(steps)
        open_lake(lake).write(batch, PROVENANCE)
        os.write(count, b"%d\n" % steps.n_steps)
        os._exit(0)
    return child


def open_lake(lake: str) -> Lake:
    """Open the lake, wherever it is; a dead writer's lease is soon taken over."""
    if not lake.startswith("s3://"):
        return LocalLake.open(lake, **LAKE, part_size=SIZE)
    terms = LeaseTerms(lifetime_s=3.0, poll_s=0.05)
    return S3Lake.open(Cloud(AwsSettings()), lake, **LAKE, part_size=SIZE, lease_terms=terms)


def answer(word: str) -> None:
    """Say `word` to the test."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _outcome(states: list[int]) -> str:
    return "failed" if any(states) else "done"


if __name__ == "__main__":
    main()
