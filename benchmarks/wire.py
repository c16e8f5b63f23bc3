"""Posts per second over AWS's protocols against the embedded default: the same flow, both on this machine.

The services run in a process of their own, as AWS would; it and the client share the machine's processors, so what is
measured is what the wire costs, not what AWS's machines would gain. Rounds alternate between the two paths, so that a
machine that slows down slows both; every round over the wire writes a lake and a catalog of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from adverse_events import assembly
from adverse_events.settings import load_settings
from benchmarks.fresh_process import ROOT, BenchmarkError
from benchmarks.posts import SEED, write_archive
from benchmarks.throughput import FlowRound, run_flow
from flows.detect import detect_adverse_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

N_POSTS = 10_000
ROUNDS = 3
N_WARM_UP = 40
LEAST_RATIO = 0.6


def wire(n_posts: int = N_POSTS, seed: int = SEED) -> dict[str, Any]:
    """Measure both paths and compare them.

    Args:
        n_posts: Posts in the archive, `N_WARM_UP` or more.
        seed: Of the generated posts.

    Returns:
        What `docs/benchmarks.md` describes, as JSON values. Speeds are medians over the rounds.

    Raises:
        BenchmarkError: The services did not start.
    """
    with tempfile.TemporaryDirectory(prefix="ade-bench-") as name, local_aws(ROUNDS + 1) as (services, runs):
        folder = Path(name)
        archive = write_archive(folder / "posts.jsonl", n_posts, seed)
        warm_up = folder / "warm-up.jsonl"
        warm_up.write_text("".join(archive.read_text(encoding="utf-8").splitlines(keepends=True)[:N_WARM_UP]), "utf-8")
        run_flow(warm_up, folder / "warm-up")
        run_wired(warm_up, runs[-1])
        rounds, processor = [], []
        for number in range(ROUNDS):
            before = _processor_seconds(services)
            local = run_flow(archive, folder / f"lake-{number}")
            between = _processor_seconds(services)
            remote = run_wired(archive, runs[number])
            rounds.append((local, remote))
            processor.append((between - before, _processor_seconds(services) - between))
    embedded, wired = zip(*rounds, strict=True)
    ratios = [local.seconds / remote.seconds for local, remote in rounds]
    return {
        "posts": n_posts,
        "seed": seed,
        "rounds": ROUNDS,
        "embedded": _speeds(embedded),
        "wire": _speeds(wired),
        "ratio": {"median": median(ratios), "lowest_round": min(ratios), "highest_round": max(ratios)},
        "processor_seconds": {
            "embedded": median(local for local, _ in processor),
            "wire": median(remote for _, remote in processor),
            "ratio": median(local / remote for local, remote in processor),
        },
        "bar": {"ratio": LEAST_RATIO},
    }


@contextmanager
def local_aws(n_runs: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Run the services in a process of their own, reached from this one; provide its id and the settings of each run.

    Raises:
        BenchmarkError: They did not start.
    """
    command = [sys.executable, "-m", "benchmarks.local_aws_process", str(n_runs)]
    services = subprocess.Popen(  # noqa: S603 - this interpreter on the project's own module
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    before = dict(os.environ)
    try:
        if services.stdout is None or not (line := services.stdout.readline()):
            msg = "the services of AWS's protocols did not start; install the development extras and see above"
            raise BenchmarkError(msg)
        told = json.loads(line)
        os.environ.update(told["environment"])
        yield services.pid, told["settings"]
    finally:
        os.environ.clear()
        os.environ.update(before)
        services.communicate()  # the end of its input is what it waits for


def _processor_seconds(services: int) -> float:
    """Return the processor time that this process and the process `services` have taken so far.

    Linux says that of another process in clock ticks, in ``/proc`` (proc(5), utime and stime); elsewhere it is left
    out.
    """
    about = Path(f"/proc/{services}/stat")
    ticks = about.read_text(encoding="ascii").rpartition(")")[2].split()[11:13] if about.exists() else []
    return time.process_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def run_wired(source: Path, settings: Mapping[str, Any]) -> FlowRound:
    """Run the detect flow with the settings of the AWS profile, and time it."""
    options = {name: value for name, value in settings.items() if name != "lake.path"}
    started = time.perf_counter()
    account = detect_adverse_events.fn(source=str(source), lake=settings["lake.path"], options=options)
    seconds = time.perf_counter() - started
    stations: dict[str, float] = {}
    with assembly.reader_for(load_settings(settings)).connect() as lake:
        for (batch,) in lake.sql("SELECT DISTINCT durations FROM receipts").fetchall():
            for entry in batch:
                stations[entry["station"]] = stations.get(entry["station"], 0.0) + entry["seconds"]
    return FlowRound(seconds, account.rows_read, account.rows_assessed, stations)


def _speeds(runs: Sequence[FlowRound]) -> dict[str, Any]:
    stations = {name: median(run.stations[name] for run in runs) for name in runs[0].stations}
    return {
        "posts_read": runs[0].n_read,
        "posts_classified": runs[0].n_scored,
        "posts_read_per_s": median(run.n_read / run.seconds for run in runs),
        "seconds": median(run.seconds for run in runs),
        "station_seconds": {
            **stations,
            "fetch, write, report and catalog": median(run.seconds - sum(run.stations.values()) for run in runs),
        },
    }
