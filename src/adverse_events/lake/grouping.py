"""Rows of staged files by window or by source file, without reading them into memory."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class GroupedRows:
    """Staged files indexed by the value of one column; a context manager.

    The files stay mapped, and what is held is three numbers per run of equal values: rows that a station left
    grouped cost nothing, rows in any other order still come out right.

    Args:
        paths: Staged files; within a group, rows keep this order and that of each file.
        column: Name of the column to group by.
    """

    def __init__(self, paths: Sequence[Path], column: str) -> None:
        """Map `paths` and index them."""
        self._runs: dict[Any, list[tuple[pa.ipc.RecordBatchFileReader, int, int, int]]] = {}
        self._mapped = ExitStack()
        for path in paths:
            reader = pa.ipc.open_file(self._mapped.enter_context(pa.memory_map(str(path))))
            for index in range(reader.num_record_batches):
                self._add_runs(reader, index, column)

    def _add_runs(self, reader: pa.ipc.RecordBatchFileReader, index: int, column: str) -> None:
        encoded = pc.run_end_encode(reader.get_batch(index).column(column))
        begin = 0
        for value, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
            self._runs.setdefault(value, []).append((reader, index, begin, end))
            begin = end

    @property
    def groups(self) -> list[Any]:
        """Distinct values, in order of first appearance."""
        return list(self._runs)

    def n_rows(self, group: object) -> int:
        """Return how many rows carry the value `group`; 0 when none does."""
        return sum(end - begin for _, _, begin, end in self._runs.get(group, ()))

    def chunks(self, group: object) -> Iterator[pa.RecordBatch]:
        """Yield the rows that carry the value `group`, in order, a chunk at a time."""
        for reader, index, begin, end in self._runs.get(group, ()):
            yield reader.get_batch(index).slice(begin, end - begin)

    def count_by(self, column: str, group: object) -> dict[str, int]:
        """Return how many rows of `group` carry each value of another `column`."""
        counts: dict[str, int] = {}
        for chunk in self.chunks(group):
            for entry in pc.value_counts(chunk.column(column)).to_pylist():
                counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
        return counts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._mapped.close()
