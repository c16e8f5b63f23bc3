"""What outlives a run: pages that were fetched, where each query stands, and what was spent. SQLite, in one file.

Posts lie here as they lie in a run's workspace: text masked, ids and authors replaced as the privacy mode says. Each
page is kept together with the token of the next one and its price, or not at all: a kill loses no page that was paid.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import stamina

from adverse_events.errors import PermanentServiceError
from adverse_events.source.protocol import Reject, Tweet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

FILE = "x.sqlite3"
SECONDS_TO_LOCK = 60
SECONDS_PER_HOUR = 3600
HOURS_OF_A_RUN = 24 * 31
"""A run that is older than this is over."""

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS queries (
    span TEXT, query TEXT, next_token TEXT, end_time TEXT, oldest REAL, is_done INTEGER NOT NULL, updated REAL NOT NULL,
    PRIMARY KEY (span, query)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS rows (
    span TEXT, root TEXT, version INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (span, root))""",
    "CREATE INDEX IF NOT EXISTS rows_by_id ON rows (json_extract(body, '$.tweet_id'))",
    """CREATE TABLE IF NOT EXISTS spent (
    period TEXT PRIMARY KEY, posts INTEGER NOT NULL, users INTEGER NOT NULL, requests INTEGER NOT NULL,
    updated REAL NOT NULL) WITHOUT ROWID""",
)
_LATER_VERSION_WINS = """
INSERT INTO rows VALUES (?, ?, ?, ?, ?) ON CONFLICT (span, root) DO UPDATE
SET version = excluded.version, kind = excluded.kind, body = excluded.body WHERE excluded.version > rows.version
"""
_DONE_STAYS_DONE = """
INSERT INTO queries VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (span, query) DO UPDATE
SET next_token = excluded.next_token, end_time = excluded.end_time, oldest = excluded.oldest,
    is_done = excluded.is_done, updated = excluded.updated WHERE NOT queries.is_done
"""
"""Of two runs at once, the one that is behind may not undo what the other has finished."""
_SPEND = """
INSERT INTO spent VALUES (?, ?, ?, ?, ?) ON CONFLICT (period) DO UPDATE
SET posts = posts + excluded.posts, users = users + excluded.users, requests = requests + excluded.requests,
    updated = excluded.updated
"""


@dataclass(frozen=True)
class Standing:
    """How far one query over one span has come.

    Attributes:
        next_token: Of the page to ask for next; None for the first.
        end_time: What the query was asked up to, where that is not the span's own end.
        oldest: Time of the oldest post so far, seconds since 1970; None where there is none.
        is_done: Every page was read.
    """

    next_token: str | None = None
    end_time: str | None = None
    oldest: float | None = None
    is_done: bool = False


@dataclass(frozen=True)
class StoredRow:
    """One input and what it is told apart by.

    Attributes:
        root: Same for all versions of an edited post.
        version: How often it had been edited; the highest is kept.
        outcome: Already masked.
    """

    root: str
    version: int
    outcome: Tweet | Reject


@dataclass(frozen=True)
class Spent:
    """What was read: posts and profiles, which are paid for, and requests."""

    posts: int = 0
    users: int = 0
    requests: int = 0


class XState:
    """The file; a context manager. Safe to use from several processes.

    Args:
        folder: Created when missing, for this user alone.
        run: Name of the run, whose spending is counted by itself; a station that is tried again keeps its name.
        clock: Time now, seconds since 1970.
    """

    def __init__(self, folder: Path, run: str | None = None, clock: Callable[[], float] = time.time) -> None:
        """Open the file, made when missing.

        Raises:
            PermanentServiceError: The folder cannot hold it, or the file is none of ours.
        """
        self._path, self._clock = folder / FILE, clock
        self._run = f"run {run or secrets.token_hex(8)}"
        with self._own_errors():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.touch(mode=0o600)
            self._file = sqlite3.connect(
                self._path, timeout=SECONDS_TO_LOCK, isolation_level=None, check_same_thread=False
            )
            self._prepare()

    def forget_old(self, *, done_hours: float, begun_hours: float) -> None:
        """Remove spans that were done, or last gone on with, longer ago than that."""
        now = self._clock()
        with self._writing() as file:
            spans = file.execute("SELECT span, MIN(is_done), MAX(updated) FROM queries GROUP BY span").fetchall()
            old = [
                (span,)
                for span, is_done, updated in spans
                if now - updated >= SECONDS_PER_HOUR * (done_hours if is_done else begun_hours)
            ]
            file.executemany("DELETE FROM rows WHERE span = ?", old)
            file.executemany("DELETE FROM queries WHERE span = ?", old)
            file.execute(
                "DELETE FROM spent WHERE period LIKE 'run %' AND updated < ?",
                (now - SECONDS_PER_HOUR * HOURS_OF_A_RUN,),
            )

    def standing(self, span: str, query: str) -> Standing:
        """Return how far `query` over `span` has come."""
        with self._own_errors():
            found = self._file.execute(
                "SELECT next_token, end_time, oldest, is_done FROM queries WHERE span = ? AND query = ?", (span, query)
            ).fetchone()
        return Standing(found[0], found[1], found[2], bool(found[3])) if found else Standing()

    def save(
        self, span: str, query: str, standing: Standing, rows: Iterable[StoredRow] = (), spent: Spent | None = None
    ) -> None:
        """Keep one page and where the query stands after it, together."""
        now = self._clock()
        held = [(span, row.root, row.version, *_written(row.outcome)) for row in rows]
        place = (standing.next_token, standing.end_time, standing.oldest, standing.is_done, now)
        with self._writing() as file:
            file.executemany(_LATER_VERSION_WINS, held)
            file.execute(_DONE_STAYS_DONE, (span, query, *place))
            if spent:
                self._spend(file, spent)

    def spend(self, spent: Spent) -> None:
        """Count what was read."""
        with self._writing() as file:
            self._spend(file, spent)

    def spent_in_month(self) -> Spent:
        """Return what was read in this calendar month, UTC."""
        return self._spent(self._month())

    def spent_in_run(self) -> Spent:
        """Return what this run has read."""
        return self._spent(self._run)

    def rows(self, span: str) -> Iterator[Tweet | Reject]:
        """Yield the inputs of `span`, each once, without holding them all."""
        with (
            self._own_errors(),
            closing(self._file.execute("SELECT kind, body FROM rows WHERE span = ? ORDER BY rowid", (span,))) as found,
        ):
            for kind, body in found:
                yield _read(kind, body)

    def is_done(self, span: str, queries: Sequence[str]) -> bool:
        """Tell whether every one of `queries` over `span` has been read to its end, and is still kept."""
        return all(self.standing(span, query).is_done for query in queries)

    def forget(self, tweet_ids: Iterable[str]) -> int:
        """Remove posts that may not be kept any more; returns how many there were.

        Args:
            tweet_ids: As they are stored: hashed in signal mode.
        """
        with self._writing() as file:
            found = file.executemany(
                "DELETE FROM rows WHERE json_extract(body, '$.tweet_id') = ?", ((each,) for each in tweet_ids)
            )
            return found.rowcount

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _spend(self, file: sqlite3.Connection, spent: Spent) -> None:
        for period in (self._month(), self._run):
            file.execute(_SPEND, (period, spent.posts, spent.users, spent.requests, self._clock()))

    def _spent(self, period: str) -> Spent:
        with self._own_errors():
            found = self._file.execute(
                "SELECT posts, users, requests FROM spent WHERE period = ?", (period,)
            ).fetchone()
        return Spent(*found) if found else Spent()

    def _month(self) -> str:
        return f"month {datetime.fromtimestamp(self._clock(), UTC):%Y-%m}"

    def _prepare(self) -> None:
        # SQLite says "locked" at once, whatever the timeout, where another process is changing the journal mode.
        busy = stamina.retry_context(
            on=_is_busy, attempts=None, timeout=SECONDS_TO_LOCK, wait_initial=0.01, wait_max=0.2
        )
        for attempt in busy:
            with attempt:
                self._file.execute("PRAGMA journal_mode = WAL")
        with self._writing() as file:
            for statement in _SCHEMA:
                file.execute(statement)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._own_errors():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield self._file
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            detail = f"{error}; free space there, or set another x.state_folder"
            raise PermanentServiceError("state file", str(self._path), detail) from error


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


_KINDS: dict[str, type[Tweet | Reject]] = {"tweet": Tweet, "reject": Reject}


def _written(outcome: Tweet | Reject) -> tuple[str, str]:
    values = asdict(outcome)
    moment: datetime | None = values["created_at"]
    values["created_at"] = moment.isoformat() if moment else None
    return type(outcome).__name__.lower(), json.dumps(values)


def _read(kind: str, body: str) -> Tweet | Reject:
    values: dict[str, Any] = json.loads(body)
    made = _KINDS[kind]
    known = {field.name for field in fields(made)}
    if values["created_at"]:
        values["created_at"] = datetime.fromisoformat(values["created_at"])
    if "earlier_ids" in values:  # JSON has no tuples
        values["earlier_ids"] = tuple(values["earlier_ids"])
    return made(**{name: value for name, value in values.items() if name in known})
