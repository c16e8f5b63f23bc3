"""Rows of one file, whatever its format: every row in order, readable or with the reason why it is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from adverse_events.errors import UsageError
from adverse_events.source.files import find_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from adverse_events.source.files import FileFormat

ROWS_LOOKED_AHEAD = 1000
"""Rows of a JSON file whose keys are taken for its columns."""

LONGEST_COLUMN_NAME = 40
MOST_WORDS_IN_COLUMN_NAME = 3


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row cannot be read.

    Attributes:
        reason: Short code, such as `ragged_row`.
        detail: What is wrong and how to mend it, without the row's content.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        number: CSV and Parquet: the row, from 1, the header not counted. JSON lines: the line, from 1; the posts of
            one response page share it. A whole JSON document: the position in its list, from 1.
        values: Column to value, as the file holds them; empty when the row was refused.
        raw: The row's bytes, without the end of the line; of a part of a JSON document or of a Parquet row, its JSON.
        refusal: None when the row could be read.
    """

    number: int
    values: Mapping[str, Any] = field(repr=False)
    raw: bytes = field(repr=False)
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Rows:
    """The rows of one file; iterate once.

    Attributes:
        columns: Names of the columns. JSON: every key of the first `ROWS_LOOKED_AHEAD` rows, in order of appearance.
    """

    columns: tuple[str, ...]
    _rows: Iterable[Row] = field(repr=False)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)


def read_rows(path: Path, *, file_format: FileFormat | None = None, needs: Iterable[str] = ()) -> Rows:
    """Open one file and return its rows, read as they are asked for.

    Args:
        path: A CSV, TSV, JSON or Parquet file; text formats may be compressed with gzip or zstd.
        file_format: Format, where the file's name does not say.
        needs: Columns the caller cannot do without.

    Raises:
        UsageError: No such file, a file that is empty or of an unknown kind, or a column that it does not have.
        ContractError: A file that is cut short or damaged: here, or when the reading gets there.
    """
    # Imported here because the readers yield this module's records.
    from adverse_events.source import csv_rows, json_rows, parquet_rows  # noqa: PLC0415

    [file] = find_files(str(path), file_format)
    match file.file_format:
        case "csv":
            columns, rows = csv_rows.read(path, delimiter=",")
        case "tsv":
            columns, rows = csv_rows.read(path, delimiter="\t")
        case "parquet":
            columns, rows = parquet_rows.read(path)
        case "jsonl" | "json":
            every = json_rows.read(path, is_document=file.file_format == "json")
            head = list(islice(every, ROWS_LOOKED_AHEAD))
            columns, rows = tuple(dict.fromkeys(key for row in head for key in row.values)), chain(head, every)
    for name in needs:
        check_column(name, columns, path.name)
    return Rows(columns, rows)


def check_column(name: str, columns: tuple[str, ...], origin: str) -> str:
    """Return `name` if it is one of `columns`, else raise a `UsageError` that lists them."""
    if name not in columns:
        msg = f"{origin}: no column {name!r}; it has {listed(columns)}"
        raise UsageError(msg)
    return name


def listed(columns: tuple[str, ...]) -> str:
    """Return `columns` for a message.

    The first row of a file without a header is a post: what does not look like a name is not shown.
    """
    return ", ".join(
        name
        if 0 < len(name) <= LONGEST_COLUMN_NAME and len(name.split()) <= MOST_WORDS_IN_COLUMN_NAME
        else f"(column {number}: no name of a column)"
        for number, name in enumerate(columns, 1)
    ) or "none"
