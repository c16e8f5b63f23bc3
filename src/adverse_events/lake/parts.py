"""Rows as Parquet part files whose bytes depend on the rows alone, not on how they arrived in chunks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from adverse_events.tables import Table

_ZSTD_LEVEL = 3


@dataclass(frozen=True, slots=True)
class PartSize:
    """How a window's rows are cut.

    Attributes:
        rows_per_part: Most rows in one file; a multiple of `row_group_rows`.
        row_group_rows: Rows in every row group but a file's last; what a write holds in memory.
    """

    rows_per_part: int = 200_000
    row_group_rows: int = 20_000

    def __post_init__(self) -> None:
        """Refuse a cut that would leave short row groups inside a file."""
        if self.row_group_rows < 1 or self.rows_per_part < 1 or self.rows_per_part % self.row_group_rows:
            msg = f"rows_per_part {self.rows_per_part} is not a multiple of row_group_rows {self.row_group_rows}"
            raise ValueError(msg)


def write_parts(
    chunks: Iterable[pa.Table], table: Table, stem: Path, size: PartSize, schema: pa.Schema | None = None
) -> list[tuple[Path, int]]:
    """Write `chunks` as ``<stem>-<table>-0000.parquet``, ``<stem>-<table>-0001.parquet``, ....

    Args:
        chunks: Rows of `table`, any sizes; at most a row group and one chunk are held in memory.
        table: Their contract.
        stem: Folder and first letters of the files' names.
        size: How they are cut.
        schema: Schema of rows that an older version wrote; that of `table` when None.

    Returns:
        Each file with its number of rows; empty when there are no rows.
    """
    parts: list[tuple[Path, int]] = []
    writer: pq.ParquetWriter | None = None
    try:
        for group in _rechunked(chunks, size.row_group_rows):
            if writer is None:
                parts.append((stem.with_name(f"{stem.name}-{table.name}-{len(parts):04d}.parquet"), 0))
                writer = _open_part(parts[-1][0], table.schema if schema is None else schema)
            writer.write_table(group, row_group_size=size.row_group_rows)
            path, n_rows = parts[-1]
            parts[-1] = (path, n_rows + group.num_rows)
            if parts[-1][1] >= size.rows_per_part:
                writer.close()
                writer = None
    finally:
        if writer is not None:
            writer.close()
    return parts


def write_table(rows: pa.Table, path: Path) -> None:
    """Write one small table as a part file of its own."""
    with _open_part(path, rows.schema) as writer:
        writer.write_table(rows)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_part(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=_ZSTD_LEVEL)


def _rechunked(chunks: Iterable[pa.Table], n_rows: int) -> Iterator[pa.Table]:
    """Yield the same rows in contiguous tables of exactly `n_rows`, the last one shorter.

    Parquet starts a page at every chunk it is given, so chunk borders would show in the bytes.
    """
    held: list[pa.Table] = []
    n_held = 0
    for chunk in chunks:
        held.append(chunk)
        n_held += chunk.num_rows
        while n_held >= n_rows:
            rows = pa.concat_tables(held)
            yield rows.slice(0, n_rows).combine_chunks()
            held, n_held = [rows.slice(n_rows)], n_held - n_rows
    if n_held:
        yield pa.concat_tables(held).combine_chunks()
