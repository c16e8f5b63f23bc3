"""Answers remembered between runs, by a hash of the text: what was paid for once is not paid for again."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

import stamina

from adverse_events.coding.wire import with_text, without_text
from adverse_events.errors import AnswerError, ContractError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from adverse_events.records import Entity

LOCK_SECONDS = 60
"""Longest wait for another process that is writing."""

_OURS = 0x41444543
"""SQLite ``application_id`` of the file: "ADEC"."""

_SCHEMA = "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, entities TEXT NOT NULL) WITHOUT ROWID"


class AnswerCache:
    """One SQLite file, readable by its owner alone; safe for several threads and processes at once.

    It holds no words of a post: a key is SHA-256 over operation, model version and text, and entities are kept without
    their surface forms. It does hold what the service inferred about a text, and whoever has the text can look it up,
    so it is to be guarded, and deleted, as the lake is. It never forgets by itself; it may be deleted at any time.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, created with mode 0600 when missing.

        Raises:
            UsageError: It cannot be opened or written, or is another program's.
            ContractError: It is damaged.
        """
        self._path = path
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Before SQLite would create it with the process's wider mode; its journals then take the mode over.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            msg = f"{path}: cannot be opened as comprehend.cache ({error.strerror})"
            raise UsageError(msg) from error
        with self._damage_named():
            self._database = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
            self._prepare()

    def get(self, operation: str, model_version: str, text: str) -> tuple[Entity, ...] | None:
        """Return what was answered for `text`; None when it is not known.

        Raises:
            ContractError: The file is damaged.
        """
        with self._lock, self._damage_named():
            found = self._database.execute(
                "SELECT entities FROM answers WHERE key = ?", (_key(operation, model_version, text),)
            ).fetchone()
            return with_text(json.loads(found[0]), text) if found else None

    def put(self, operation: str, model_version: str, text: str, entities: Sequence[Entity]) -> None:
        """Remember the answer for `text`.

        Raises:
            ContractError: The file is damaged.
        """
        row = (_key(operation, model_version, text), json.dumps(without_text(entities)))
        with self._lock, self._damage_named():
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", row)

    def close(self) -> None:
        """Close the file; what was put stays."""
        self._database.close()

    def _prepare(self) -> None:
        execute = self._database.execute
        # In this order: another process may be preparing the file, and marks it before it makes the table.
        is_new = not execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        owner = execute("PRAGMA application_id").fetchone()[0]
        if owner != _OURS and not is_new:
            self._database.close()
            msg = f"{self._path}: is another program's database; set comprehend.cache to a file of its own"
            raise UsageError(msg)
        self._enter_wal()
        # A lost answer is asked again, so a power cut may cost the last ones; the file itself stays whole.
        execute("PRAGMA synchronous = NORMAL")
        execute(f"PRAGMA application_id = {_OURS}")
        execute(_SCHEMA)

    def _enter_wal(self) -> None:
        # SQLite does not wait for a lock where waiting could deadlock, and a change of journal mode is such a place
        # (https://www.sqlite.org/c3ref/busy_handler.html): it says "locked" at once while another process opens.
        busy = stamina.retry_context(on=_is_busy, attempts=None, timeout=LOCK_SECONDS, wait_initial=0.01, wait_max=0.2)
        for attempt in busy:
            with attempt:
                self._database.execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            msg = f"{self._path}: comprehend.cache cannot be used ({error})"
            raise UsageError(msg) from error
        except (sqlite3.DatabaseError, ValueError, TypeError, AttributeError, AnswerError):
            detail = "is damaged or no cache of answers; delete it: texts are then asked about again"
            # The cause could quote what the file holds.
            raise ContractError(str(self._path), detail) from None


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


def _key(operation: str, model_version: str, text: str) -> bytes:
    return hashlib.sha256(f"{operation}\0{model_version}\0{text}".encode(errors="surrogatepass")).digest()
