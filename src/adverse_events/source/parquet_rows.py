"""Rows of Parquet files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic_core import to_json

from adverse_events.source.files import BUFFER_BYTES, open_bytes
from adverse_events.source.row import INVALID_UTF8, Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS_AT_ONCE = 1024


def columns_of(path: Path) -> tuple[str, ...]:
    """Return the column names of a Parquet file.

    Raises:
        UsageError: No such file, or an empty one.
        ContractError: The file is cut short, damaged or no Parquet.
    """
    with open_bytes(path) as stream:
        return tuple(pq.ParquetFile(stream).schema_arrow.names)


def rows_of(path: Path) -> Iterator[Row]:
    """Yield the rows of a Parquet file, in order; errors as for `columns_of`."""
    number = 0
    with open_bytes(path) as stream:
        # Buffered page by page: a file may be one row group of a million rows.
        file = pq.ParquetFile(stream, buffer_size=BUFFER_BYTES, pre_buffer=False)
        for batch in file.iter_batches(ROWS_AT_ONCE, use_threads=False):
            for row in _rows(_in_microseconds(batch), number):
                yield row
                number = row.number


def _rows(batch: pa.RecordBatch, number: int) -> Iterator[Row]:
    """Yield the rows of `batch`, the first of which comes after `number`."""
    try:
        values = batch.to_pylist()
    except UnicodeDecodeError:
        if batch.num_rows == 1:
            yield Row(number + 1, {}, batch.serialize().to_pybytes(), INVALID_UTF8)
            return
        # Arrow does not check text when it reads it; halving finds the row that is not UTF-8.
        half = batch.num_rows // 2
        yield from _rows(batch.slice(0, half), number)
        yield from _rows(batch.slice(half), number + half)
        return
    for position, row in enumerate(values, number + 1):
        yield Row(position, row, to_json(row, bytes_mode="hex", inf_nan_mode="constants", fallback=str))


def _in_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return `batch` with nanosecond times cut to what a Python datetime holds."""
    for index, column in enumerate(batch.schema):
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            micro = pa.timestamp("us", column.type.tz)
            batch = batch.set_column(index, column.with_type(micro), batch.column(index).cast(micro, safe=False))
    return batch
