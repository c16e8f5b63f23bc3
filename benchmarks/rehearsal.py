"""A listener in a process of its own against X's protocol in this one, and what came of every post."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from adverse_events.lake.query import LocalReader
from adverse_events.local_x.clock import Clock
from adverse_events.local_x.listener import LocalX
from adverse_events.local_x.published import expected
from adverse_events.local_x.state import TOKEN, State
from adverse_events.privacy import IdentityKey
from adverse_events.source.archive import LANDING
from benchmarks.fresh_process import ROOT, BenchmarkError, json_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PATIENCE_S = 600.0


@dataclass
class Running:
    """A listener in a process of its own."""

    process: subprocess.Popen[str]
    log: Path

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.communicate()

    def end(self) -> dict[str, Any]:
        """End it in good order and return its account.

        Raises:
            BenchmarkError: It did not end with code 0.
        """
        self.process.send_signal(signal.SIGTERM)
        printed, _ = self.process.communicate(timeout=PATIENCE_S)
        if self.process.returncode:
            msg = f"the listener ended with code {self.process.returncode}: {self.log.read_text()[-500:]}"
            raise BenchmarkError(msg)
        account: dict[str, Any] = json_of(printed)
        return account


class Rehearsal:
    """A server, a folder and settings for a listener; a context manager.

    Attributes:
        state: Of the server.
    """

    def __init__(self, settings: Mapping[str, Any], seed: int = 0) -> None:
        """Prepare."""
        self.state = State(clock=Clock(datetime.now(UTC), runs=True), seed=seed)
        self._server = LocalX(state=self.state)
        self._settings = dict(settings)
        self._folder = tempfile.TemporaryDirectory(prefix="ade-bench-live-")
        self.root = Path(self._folder.name)
        self.log = self.root / "listener.log"

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()
        self._folder.cleanup()

    def start(self, *, waits: bool = True) -> Running:
        """Start a listener, and wait until it is connected."""
        options = {
            "x.base_url": self._server.address,
            "x.state_folder": str(self.root / "state"),
            "landing.path": str(self.root / "landing.sqlite"),
            "listen.recovery": "stream",
            "listen.settle_seconds": 2,
            "listen.rewrite_seconds": 5,
        }
        running = Running(
            self._ade(["listen", "--json", "--lake", str(self.root / "lake"), *self._assigned(options)]), self.log
        )
        if waits:
            self.wait_until_connected(running)
        return running

    def wait_until_connected(self, running: Running) -> None:
        """Wait until a listener is connected.

        Raises:
            BenchmarkError: It ended, or did not connect.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not self.state.stream.n_connected:
            if running.process.poll() is not None or time.monotonic() > deadline:
                running.process.kill()
                running.process.communicate()
                msg = f"the listener did not connect: {self.log.read_text()[-500:]}"
                raise BenchmarkError(msg)
            time.sleep(0.05)

    def landed(self) -> tuple[int, int, int]:
        """Return how many posts have landed, and the first and last stamp, milliseconds since 1970."""
        with self._landing() as landing:
            n_posts, first, last = landing.execute(
                "SELECT count(*), min(stamp), max(stamp) FROM posts WHERE state = 0"
            ).fetchone()
        return n_posts, first or 0, last or 0

    def wait_until_landed(self, listener: Running, *, is_written: bool) -> None:
        """Wait until everything published has landed, and, if asked, is in the lake and settled.

        Raises:
            BenchmarkError: The listener ended.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_landed(is_written=is_written) and time.monotonic() < deadline:  # else counted as lost
            if listener.process.poll() is not None:
                listener.process.communicate()
                msg = f"the listener ended: {self.log.read_text()[-500:]}"
                raise BenchmarkError(msg)
            time.sleep(0.2)

    def detect(self) -> None:
        """Write every window from the landing store.

        Raises:
            BenchmarkError: That failed.
        """
        arguments = ["detect", "--json", "--source", LANDING, "--lake", str(self.root / "lake")]
        process = self._ade([*arguments, *self._assigned({"landing.path": str(self.root / "landing.sqlite")})])
        process.communicate()
        if process.returncode:
            msg = f"detect ended with code {process.returncode}: {self.log.read_text()[-500:]}"
            raise BenchmarkError(msg)

    def outcome(self) -> dict[str, int]:
        """Compare what was published with what landed and what the lake holds."""
        key = IdentityKey.load_or_create(self.root / "config" / "adverse_events" / "identity.key")
        wanted = {key.pseudonym(str(post.tweet_id), "tweet") for post in expected(self.state)}
        with self._landing() as landing:
            landed = {row[0] for row in landing.execute("SELECT tweet_id FROM posts WHERE state = 0")}
            n_rejects = landing.execute("SELECT count(*) FROM rejects").fetchone()[0]
        with LocalReader(self.root / "lake").connect() as lake:
            ((rows_in, assessed),) = lake.sql("SELECT sum(rows_in), sum(rows_assessed) FROM receipts").fetchall()
            ids = [row[0] for row in lake.sql("SELECT tweet_id FROM assessments").fetchall()]
            seen = {row[0] for row in lake.sql("SELECT unnest(duplicate_tweet_ids) FROM assessments").fetchall()}
        return {
            "published": len(self.state.stream.published),
            "asked_for": len(wanted),
            "landed": len(landed),
            "lost": len(wanted - landed),
            "unexpected": len(landed - wanted),
            "lake_rows_in": int(rows_in),
            "lake_lost": len(landed) + n_rejects - int(rows_in),
            "lake_assessed": int(assessed),
            "lake_duplicated": len(ids) - len(set(ids)),
            "lake_unexpected": len((set(ids) | seen) - wanted),
            "rejects": n_rejects,
        }

    def _ade(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("ADE_", "PREFECT_API", "XDG_"))}
        environment = {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "XDG_CONFIG_HOME": str(self.root / "config"),
            "ADE_X__BEARER_TOKEN": TOKEN,
        }
        # Into a file: a pipe that nobody reads would hold the listener up once it is full.
        with self.log.open("a", encoding="utf-8") as log:
            return subprocess.Popen(  # noqa: S603 - this interpreter on the project's own module
                [sys.executable, "-m", "ade", *arguments],
                cwd=self.root,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _assigned(self, options: Mapping[str, Any]) -> list[str]:
        return [part for name, value in {**options, **self._settings}.items() for part in ("--set", f"{name}={value}")]

    def _is_landed(self, *, is_written: bool) -> bool:
        wanted = sum(1 for _ in expected(self.state))
        with self._landing() as landing:
            n_landed, n_touched = landing.execute(
                "SELECT (SELECT count(*) FROM posts WHERE state = 0), (SELECT count(*) FROM touched)"
            ).fetchone()
        return n_landed >= wanted and not (is_written and n_touched)

    @contextmanager
    def _landing(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"file:{self.root / 'landing.sqlite'}?mode=ro", uri=True)) as landing:
            yield landing
