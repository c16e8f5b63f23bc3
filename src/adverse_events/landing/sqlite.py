"""The landing store in one SQLite file: write-ahead log, every `put` one transaction that is on the disk at its end.

Source of what WAL and synchronous=FULL promise: SQLite, "Write-Ahead Logging" and "PRAGMA synchronous",
https://www.sqlite.org/wal.html, read 2026-11.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from threading import RLock
from typing import TYPE_CHECKING, Self

from adverse_events.errors import PermanentServiceError, TransientServiceError, UsageError
from adverse_events.landing.protocol import (
    ROWS_PER_PAGE,
    LandedPage,
    LandedPost,
    LandedReject,
    differences,
    milliseconds,
    moment_of,
)
from adverse_events.landing.sqlite_rows import Putting, forget, next_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from adverse_events.landing.protocol import Landed, Mark, StoreFacts

PATIENCE_SECONDS = 30.0
"""How long to wait for another process that writes."""

_ROWS_PER_DELETE = 10_000
_FORMAT = "1"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS posts (
    tweet_id TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL, stamp INTEGER NOT NULL, state INTEGER NOT NULL,
    replaced_by TEXT, text TEXT, lang TEXT, author_pseudonym TEXT, is_repost INTEGER, payload_sha256 TEXT
);
CREATE INDEX IF NOT EXISTS posts_by_time ON posts (created_ms, tweet_id);
CREATE TABLE IF NOT EXISTS rejects (
    payload_sha256 TEXT PRIMARY KEY, dated_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL, created_ms INTEGER,
    tweet_id TEXT, reason TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS rejects_by_time ON rejects (dated_ms);
CREATE TABLE IF NOT EXISTS touched (window_ms INTEGER PRIMARY KEY, stamp INTEGER NOT NULL);
"""


class SqliteLanding:
    """The landing store in one file; get one with `open`."""

    lag_seconds = 0.0

    def __init__(self, path: Path, facts: StoreFacts) -> None:
        """Open the file, which must be there."""
        self._path, self._facts = path, facts
        self._lock = RLock()
        with self._translated("open"):
            self._connection = _connect(path)
            self._inode = path.stat().st_ino

    @classmethod
    def open(cls, path: Path, facts: StoreFacts) -> Self:
        """Open the store at `path`, made when missing and readable by its owner alone.

        Raises:
            UsageError: It was made for another privacy mode, key or window length.
            PermanentServiceError: The file cannot be made or is no landing store.
        """
        path = path.expanduser().absolute()
        with _translated(str(path), "open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            wanted = {"format": _FORMAT, **{name: str(value) for name, value in facts._asdict().items()}}
            with closing(_connect(path)) as connection:
                # A store that is there is only read: who reads a window must not queue behind who lands posts.
                made = _facts_in(connection)
                if not wanted.keys() <= made.keys():
                    connection.execute("PRAGMA journal_mode=WAL")
                    connection.executescript(_SCHEMA)
                    with _transaction(connection):
                        connection.executemany("INSERT OR IGNORE INTO facts VALUES (?, ?)", wanted.items())
                    made = _facts_in(connection)
        if unlike := differences(made, wanted):
            msg = f"landing store {path} was made with {'; '.join(unlike)}; give its own settings or another file"
            raise UsageError(msg)
        return cls(path, facts)

    @property
    def name(self) -> str:
        """The file."""
        return str(self._path)

    def put(self, posts: Sequence[LandedPost], rejects: Sequence[LandedReject] = ()) -> Landed:
        """Keep posts and rejects, all in one transaction."""
        with self._writing("put") as connection:
            put = Putting(connection, next_stamp(connection), self._facts)
            for position, post in enumerate(posts):
                put.post(position, post)
            for reject in rejects:
                put.reject(reject)
            return put.finish()

    def read(self, start: datetime, end: datetime) -> Iterator[LandedPage]:
        """Yield the posts of a range; what lands meanwhile may or may not be among them."""
        last, end_ms = (milliseconds(start), ""), milliseconds(end)
        rejects = tuple(self._rejects(last[0], end_ms))
        while True:
            with self._reading("read") as connection:
                rows = connection.execute(
                    "SELECT tweet_id, text, created_ms, lang, author_pseudonym, is_repost, payload_sha256, stamp "
                    "FROM posts WHERE state = 0 AND (created_ms, tweet_id) > (?, ?) AND created_ms < ? "
                    "ORDER BY created_ms, tweet_id LIMIT ?",
                    (*last, end_ms, ROWS_PER_PAGE),
                ).fetchall()
            if rows or rejects:
                yield LandedPage(tuple(map(_post, rows)), rejects)
            if len(rows) < ROWS_PER_PAGE:
                return
            rejects, last = (), (rows[-1][2], rows[-1][0])

    def count(self, start: datetime, end: datetime) -> int:
        """Return the number of posts in a range."""
        with self._reading("count") as connection:
            row = connection.execute(
                "SELECT count(*) FROM posts WHERE state = 0 AND created_ms >= ? AND created_ms < ?",
                (milliseconds(start), milliseconds(end)),
            ).fetchone()
        return int(row[0])

    def forget(self, tweet_ids: Iterable[str]) -> int:
        """Take posts out; their bytes are overwritten in the file."""
        n_forgotten = 0
        with self._writing("forget") as connection:
            stamp = next_stamp(connection)
            for tweet_id in tweet_ids:
                n_forgotten += forget(connection, tweet_id, stamp, self._facts)
        with self._reading("forget") as connection:
            # The log still holds the old pages; it goes as soon as nobody reads them.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return n_forgotten

    def touched(self) -> dict[datetime, int]:
        """Return the windows changed since they were settled."""
        with self._reading("touched") as connection:
            rows = connection.execute("SELECT window_ms, stamp FROM touched ORDER BY window_ms").fetchall()
        return {moment_of(window_ms): stamp for window_ms, stamp in rows}

    def settle(self, window_start: datetime, stamp: int) -> bool:
        """Take a window off the touched ones, unless it has changed since."""
        with self._writing("settle") as connection:
            done = connection.execute(
                "DELETE FROM touched WHERE window_ms = ? AND stamp <= ?", (milliseconds(window_start), stamp)
            )
            return done.rowcount > 0

    def mark(self, name: Mark) -> int:
        """Return a mark."""
        with self._reading("mark") as connection:
            row = connection.execute("SELECT value FROM facts WHERE name = ?", (f"mark_{name}",)).fetchone()
        return int(row[0]) if row else 0

    def set_mark(self, name: Mark, value: int) -> None:
        """Remember a mark."""
        with self._writing("set_mark") as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (f"mark_{name}", str(value)))

    def expire(self, before: datetime) -> int:
        """Delete what was posted before a moment, some thousand rows at a time so that nobody waits long."""
        before_ms, n_deleted = milliseconds(before), 0
        for table, column in (("posts", "created_ms"), ("rejects", "dated_ms"), ("touched", "window_ms")):
            sql = f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {column} < ? LIMIT ?)"  # noqa: S608 - our own names
            while True:
                with self._writing("expire") as connection:
                    n_rows = connection.execute(sql, (before_ms, _ROWS_PER_DELETE)).rowcount
                n_deleted += n_rows if table != "touched" else 0
                if n_rows < _ROWS_PER_DELETE:
                    break
        return n_deleted

    def close(self) -> None:
        """Close the file."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()

    def _rejects(self, start_ms: int, end_ms: int) -> Iterator[LandedReject]:
        with self._reading("read") as connection:
            rows = connection.execute(
                "SELECT reason, detail, payload_sha256, received_ms, tweet_id, created_ms FROM rejects "
                "WHERE dated_ms >= ? AND dated_ms < ? ORDER BY dated_ms, payload_sha256",
                (start_ms, end_ms),
            ).fetchall()
        for reason, detail, sha256, received_ms, tweet_id, created_ms in rows:
            created_at = None if created_ms is None else moment_of(created_ms)
            yield LandedReject(reason, detail, sha256, moment_of(received_ms), tweet_id, created_at)

    @contextmanager
    def _reading(self, operation: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated(operation):
            self._check_there()
            yield self._connection

    @contextmanager
    def _writing(self, operation: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated(operation):
            self._check_there()
            with _transaction(self._connection):
                yield self._connection
            self._check_there()

    def _check_there(self) -> None:
        """Raise where the file is gone: SQLite would go on writing to a file that has no name any more."""
        if self._path.stat().st_ino != self._inode:
            detail = "the file was replaced by another while in use; stop, put the right one back and start again"
            raise PermanentServiceError("landing store", str(self._path), detail)

    def _translated(self, operation: str) -> AbstractContextManager[None]:
        return _translated(str(self._path), operation)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    return connection


def _facts_in(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what a store is for; empty where nothing says yet."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone():
        return {}
    return dict(connection.execute("SELECT name, value FROM facts").fetchall())


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _translated(path: str, operation: str) -> Iterator[None]:
    """Say which file refused, whether asking again may help, and what to do."""
    try:
        yield
    except FileNotFoundError as error:
        detail = f"{operation}: the file is gone; put it back, or start again to make a new one"
        raise PermanentServiceError("landing store", path, detail) from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            detail = f"{operation}: another process has been writing for {PATIENCE_SECONDS:.0f} s"
            raise TransientServiceError("landing store", path, detail) from error
        raise _refused(path, operation, error) from error
    except (sqlite3.Error, OSError) as error:
        raise _refused(path, operation, error) from error


def _refused(path: str, operation: str, error: Exception) -> PermanentServiceError:
    detail = f"{operation}: {type(error).__name__}: {error}; check the disk and the file's permissions"
    return PermanentServiceError("landing store", path, detail)


def _post(row: tuple[str, str, int, str | None, str | None, int, str, int]) -> LandedPost:
    tweet_id, text, created_ms, lang, author, is_repost, sha256, stamp = row
    return LandedPost(tweet_id, text, moment_of(created_ms), lang, author, bool(is_repost), sha256, (), stamp)
