"""What stands between two stations: rows in an Arrow file, and the tally that accounts for them.

Stations hand each other a `Batch`, a small handle, never the rows: memory stays flat however long
a run is, and any process that sees the workspace can take the next step. The workspace is private to
the user (mode 0700) and removed when the run ends; what it holds has already been masked.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from adverse_events.errors import AccountingError, PermanentServiceError
from adverse_events.progress import advance
from adverse_events.tables import ASSESSMENTS, REJECTS, TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from adverse_events.windows import Window

ROWS_PER_CHUNK = 4096
"""Rows a station holds in memory at once."""

_WORKSPACE = "adverse-events-"
_SECONDS_TO_LOCK = 60


def _fields(*names: str) -> list[pa.Field]:
    return [ASSESSMENTS.schema.field(name).remove_metadata() for name in names]


TWEETS = pa.schema(
    [
        *_fields("tweet_id", "text", "created_at", "lang", "source", "author_pseudonym"),
        pa.field("is_repost", pa.bool_(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("row_number", pa.int64()),
        pa.field("payload_sha256", pa.string(), nullable=False),
        pa.field("window_start", TIMESTAMP, nullable=False),
    ]
)
"""One row per post a source could read, masked; sorted by window_start, created_at, tweet_id, payload_sha256."""

SCREENED = pa.schema(
    [
        *_fields("tweet_id", "text", "created_at", "lang", "source", "author_pseudonym"),
        *_fields("drug_mentions", "n_duplicates", "duplicate_tweet_ids"),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("row_number", pa.int64()),
        pa.field("payload_sha256", pa.string(), nullable=False),
        pa.field("window_start", TIMESTAMP, nullable=False),
    ]
)
"""One row per post that passed screening, in the order of `TWEETS`."""

CLASSIFIED = pa.schema([*SCREENED, *_fields("ade_probability", "is_ade", "label", "is_truncated")])
"""One row per post that was scored, in the order of `TWEETS`."""

CODED = pa.schema([*CLASSIFIED, *_fields("events", "seriousness", "special_situations")])
"""One row per post that was scored, positives with their events and what else they tell."""


@dataclass(frozen=True)
class Tally:
    """The account of one window so far.

    Attributes:
        rows_in: Inputs that fell into the window.
        screened_out: Rows by screening reason.
        rejected: Rows by reject reason.
        uncoded: Rows by the reason a coder refused them. They are assessed, without events, and stand in rejects too.
        billable_units: Units by paid service.
    """

    rows_in: int = 0
    screened_out: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    uncoded: Mapping[str, int] = field(default_factory=dict)
    billable_units: Mapping[str, int] = field(default_factory=dict)

    def plus(
        self,
        *,
        rows_in: int = 0,
        screened_out: Mapping[str, int] | None = None,
        rejected: Mapping[str, int] | None = None,
        uncoded: Mapping[str, int] | None = None,
        billable_units: Mapping[str, int] | None = None,
    ) -> Tally:
        """Return the tally with these counts added."""
        return Tally(
            self.rows_in + rows_in,
            _added(self.screened_out, screened_out or {}),
            _added(self.rejected, rejected or {}),
            _added(self.uncoded, uncoded or {}),
            _added(self.billable_units, billable_units or {}),
        )

    def check(self, window: Window, rows_assessed: int) -> None:
        """Raise `AccountingError` unless rows in = assessed + screened out + rejected."""
        screened_out, rejected = sum(self.screened_out.values()), sum(self.rejected.values())
        if self.rows_in != rows_assessed + screened_out + rejected:
            msg = (
                f"window {window}: {self.rows_in} rows in, but {rows_assessed} assessed, "
                f"{screened_out} screened out and {rejected} rejected"
            )
            raise AccountingError(msg)


@dataclass(frozen=True)
class Batch:
    """Consecutive windows that travel the stations together.

    Attributes:
        windows: In time order; a window may have no rows.
        rows: Arrow file of the rows still on their way, grouped by window.
        rejects: Arrow files of the rows refused so far, schema of `tables.REJECTS` plus window_start.
        tallies: The account of each of `windows`.
        durations: Seconds by station.
        served_by: The remote part that did a station's work, by station; empty on the embedded default.
    """

    windows: tuple[Window, ...]
    rows: Path
    rejects: tuple[Path, ...]
    tallies: Mapping[Window, Tally]
    durations: Mapping[str, float] = field(default_factory=dict)
    served_by: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where this batch's files live."""
        return self.rows.parent

    def took(self, station: str, seconds: float) -> Batch:
        """Return the batch with the time `station` spent on it."""
        return replace(self, durations={**self.durations, station: round(seconds, 3)})

    def served(self, station: str, remote: str) -> Batch:
        """Return the batch with the `remote` part that did the work of `station`; none when that is empty."""
        return replace(self, served_by={**self.served_by, station: remote}) if remote else self


REJECTED = REJECTS.schema.remove_metadata().append(pa.field("window_start", TIMESTAMP))
"""A staged reject: the table's row and the window it belongs to (null when undated)."""


class StagedWriter:
    """Writes one staged file in chunks of `ROWS_PER_CHUNK`; a context manager.

    Rows are gathered to whole chunks: a quiet window is a dozen rows, and the classifier is several times faster on a
    thousand posts of like length than on a dozen. Whatever it is asked to do raises `PermanentServiceError` when the
    disk refuses.

    Args:
        path: File to create.
        schema: Schema of every batch written.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """Open `path` for writing."""
        self.path, self.n_rows = path, 0
        self._schema = schema
        self._waiting = schema.empty_table()
        with _disk_errors(path):
            self._sink = pa.OSFile(str(path), "wb")
            self._writer = pa.ipc.new_file(self._sink, schema)

    def write(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Append `rows`, cast to the file's schema."""
        table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        table = table.select(self._schema.names).cast(self._schema)
        self.n_rows += table.num_rows
        self._waiting = pa.concat_tables([self._waiting, table])
        n_whole = self._waiting.num_rows // ROWS_PER_CHUNK * ROWS_PER_CHUNK
        if n_whole:
            self._flush(n_whole)

    def write_rows(self, rows: list[dict[str, object]]) -> None:
        """Append Python rows."""
        if rows:
            self.write(pa.Table.from_pylist(rows, schema=self._schema))

    def _flush(self, n_rows: int) -> None:
        with _disk_errors(self.path):
            self._writer.write_table(self._waiting.slice(0, n_rows).combine_chunks(), max_chunksize=ROWS_PER_CHUNK)
        self._waiting = self._waiting.slice(n_rows)

    def close(self) -> None:
        """Write what waits and finish the file."""
        with _disk_errors(self.path), self._sink:
            self._flush(self._waiting.num_rows)
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write_staged(path: Path, schema: pa.Schema, chunks: Iterable[pa.RecordBatch | pa.Table]) -> int:
    """Write `chunks` to `path` and return the number of rows."""
    with StagedWriter(path, schema) as staged:
        for chunk in chunks:
            staged.write(chunk)
    return staged.n_rows


def read_staged(path: Path, *, counts: bool = True) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a staged file in chunks of at most `ROWS_PER_CHUNK`, in order.

    Args:
        path: The file.
        counts: Whether its rows count as the station's progress; not for a second reading.
    """
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        for index in range(reader.num_record_batches):
            rows = reader.get_batch(index)
            yield rows
            if counts:
                advance(rows.num_rows)


def n_staged(path: Path) -> int:
    """Return the number of rows in a staged file."""
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        return sum(reader.get_batch(index).num_rows for index in range(reader.num_record_batches))


@contextmanager
def workspace(parent: Path | None = None) -> Iterator[Path]:
    """Provide a private folder for one run's staged files and remove it afterwards.

    Folders of this user's earlier runs that were killed are removed too: posts may not pile up where nobody looks.

    Args:
        parent: Where to create it; the system's temporary folder when None.
    """
    root = Path(parent or tempfile.gettempdir())
    for left in root.glob(f"{_WORKSPACE}*"):
        _remove_if_dead(left)
    folder = Path(tempfile.mkdtemp(prefix=_WORKSPACE, dir=root))
    # The kernel frees the lock of a process that dies, so a folder that nobody holds is a dead run's.
    alive = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(alive, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(alive)


def _remove_if_dead(folder: Path) -> None:
    # Another user's folder cannot be opened; one made a moment ago may not be locked yet.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - folder.stat().st_mtime > _SECONDS_TO_LOCK:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        detail = f"{path.parent}: {reason}; free space there or set TMPDIR elsewhere, then run again"
        raise PermanentServiceError("workspace", "write", detail) from error


def _added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {key: counts.get(key, 0) + more.get(key, 0) for key in sorted({*counts, *more})}
