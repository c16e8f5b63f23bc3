"""Sorting more rows than memory holds: sorted runs on disk, merged block by block.

DuckDB's sort was tried first: it spills too, but what it must hold grows with the number of rows, and below that it
stops with an out-of-memory error (1,000,000 posts under a limit of 64 MB).
"""

from __future__ import annotations

import shutil
from bisect import bisect_right
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

ROWS_PER_RUN = 32_768
BYTES_PER_RUN = 16 << 20
"""A run is closed at whichever comes first; that, and a block of each run while merging, is what memory holds."""

BLOCKS_PER_RUN = 64
ROWS_PER_CHUNK = 4096

_DIGITS = 20
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


class ExternalSort:
    """Takes rows in any order and gives them back sorted.

    Numbers in the key are whole and not negative; text is compared by code point; nulls come first.

    Attributes:
        schema: Columns of the rows.
    """

    def __init__(self, folder: Path, schema: pa.Schema, keys: Sequence[str]) -> None:
        """Prepare to sort.

        Args:
            folder: Existing folder, for this sort's files alone.
            schema: Columns of the rows, text and 64-bit whole numbers among the keys.
            keys: Columns to sort by, most significant first. Together they tell any two unlike rows apart, so that
                the order in which rows come leaves no trace.
        """
        self.schema, self._folder, self._keys = schema, folder, keys
        self._waiting: list[pa.RecordBatch] = []
        self._n_rows = self._n_bytes = 0
        self._runs: list[Path] = []

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows."""
        self._waiting.append(rows)
        self._n_rows += rows.num_rows
        self._n_bytes += rows.nbytes
        if self._n_rows >= ROWS_PER_RUN or self._n_bytes >= BYTES_PER_RUN:
            self._close_run()

    def sorted(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows in order, `ROWS_PER_CHUNK` at a time."""
        if self._waiting:
            self._close_run()
        yield from _rechunked(_merged([_Run(path, self._keys) for path in self._runs]))

    def remove(self) -> None:
        """Remove this sort's files."""
        shutil.rmtree(self._folder)

    def _close_run(self) -> None:
        table = pa.Table.from_batches(self._waiting, self.schema)
        self._waiting, self._n_rows, self._n_bytes = [], 0, 0
        ordered = table.take(pc.sort_indices(_keys(table, self._keys)))
        path = self._folder / f"run-{len(self._runs):05d}.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, self.schema, options=_COMPRESSED) as writer:
            writer.write_table(ordered, max_chunksize=-(-ordered.num_rows // BLOCKS_PER_RUN))
        self._runs.append(path)


class _Run:
    """One sorted file, read a block at a time.

    Attributes:
        block: Rows not yet taken of the block in memory.
        keys: Their sort keys; empty at the end of the file.
    """

    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        self._names = keys
        self._blocks = _blocks(path)
        self.block: pa.RecordBatch
        self.keys: list[str]
        self._refill()

    def take_through(self, key: str) -> pa.RecordBatch:
        """Return the rows of the block up to and including `key`, and forget them."""
        count = bisect_right(self.keys, key)
        taken = self.block.slice(0, count)
        self.block, self.keys = self.block.slice(count), self.keys[count:]
        if not self.keys:
            self._refill()
        return taken

    def _refill(self) -> None:
        self.block = next(self._blocks, None)
        self.keys = [] if self.block is None else _keys(self.block, self._names).to_pylist()


def _blocks(path: Path) -> Iterator[pa.RecordBatch]:
    # Read, not mapped: mapped pages would count as this process's memory.
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)


def _merged(runs: list[_Run]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of all runs in order.

    Whatever a run has not shown yet comes after its block, so rows up to the smallest last key are complete.
    """
    while runs := [run for run in runs if run.keys]:
        frontier = min(run.keys[-1] for run in runs)
        keys, pieces = [], []
        for run in runs:
            if run.keys[0] <= frontier:
                keys.extend(run.keys[: bisect_right(run.keys, frontier)])
                pieces.append(run.take_through(frontier))
        if len(pieces) == 1:
            yield pieces[0]
        else:
            yield pa.concat_batches(pieces).take(pc.sort_indices(pa.array(keys, pa.string())))


def _rechunked(pieces: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in chunks whose size says nothing about the runs."""
    held: list[pa.RecordBatch] = []
    n_rows = 0
    for piece in pieces:
        held.append(piece)
        n_rows += piece.num_rows
        if n_rows >= ROWS_PER_CHUNK:
            rows = pa.concat_batches(held)
            whole = n_rows - n_rows % ROWS_PER_CHUNK
            for begin in range(0, whole, ROWS_PER_CHUNK):
                yield rows.slice(begin, ROWS_PER_CHUNK)
            held, n_rows = [rows.slice(whole)], n_rows - whole
    if n_rows:
        yield pa.concat_batches(held)


def _keys(rows: pa.RecordBatch | pa.Table, names: Sequence[str]) -> pa.Array:
    """Return one text per row that sorts as the columns `names` do."""
    columns = [rows.column(name) for name in names]
    texts = [
        pc.utf8_lpad(column.cast(pa.string()), _DIGITS, "0") if pa.types.is_integer(column.type) else column
        for column in columns
    ]
    # Nothing sorts before NUL: a shorter text comes before a longer one that begins with it.
    joined = pc.binary_join_element_wise(*texts, "\0", null_handling="replace", null_replacement="")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
