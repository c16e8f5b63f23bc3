"""A process that writes to a lake and can be killed while it does: ``python -m tests.lake_writer LAKE STAGED``.

LAKE is a folder, or s3://bucket/folder where the environment names the server.

It stages one batch per seed, says ``ready``, then reads one command a line and answers each with one line:

* ``write SEED`` writes that batch to the end and answers ``done``;
* ``kill SEED SECONDS`` starts writing it in a child process, kills that with SIGKILL after so long, and answers
  ``killed`` or, when the child was faster, ``done``;
* ``race SEED SEED`` writes two batches of the same windows in two children at once and answers ``done``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
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
        children = [start(lake, batches[seed]) for seed in arguments[:n_children]]
        if command == "kill":
            time.sleep(float(arguments[1]))
            os.kill(children[0], signal.SIGKILL)
        states = [os.waitpid(child, 0)[1] for child in children]
        answer("killed" if any(os.WIFSIGNALED(state) for state in states) else _outcome(states))


def start(lake: str, batch: Batch) -> int:
    """Start a child that writes `batch` and return its process id."""
    child = os.fork()
    if child == 0:
        open_lake(lake).write(batch, PROVENANCE)
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
