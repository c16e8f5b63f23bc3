"""Rows of one file, whatever its format: every row in order, readable or with the reason why it is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING

from adverse_events.errors import UsageError
from adverse_events.source import csv_rows, json_rows, parquet_rows
from adverse_events.source.files import require_format

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from adverse_events.source.files import FileFormat
    from adverse_events.source.row import Row

ROWS_LOOKED_AHEAD = 1000
"""Rows of a JSON file whose keys are taken for its columns."""

_DELIMITERS = {"csv": ",", "tsv": "\t"}

LONGEST_COLUMN_NAME = 40
MOST_WORDS_IN_COLUMN_NAME = 3


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
    if not path.is_file():
        msg = f"{path}: no such file"
        raise UsageError(msg)
    found = file_format or require_format(path)
    rows: Iterable[Row]
    if found in _DELIMITERS:
        columns = csv_rows.columns_of(path, delimiter=_DELIMITERS[found])
        rows = csv_rows.rows_of(path, delimiter=_DELIMITERS[found])
    elif found == "parquet":
        columns, rows = parquet_rows.columns_of(path), parquet_rows.rows_of(path)
    else:
        every = json_rows.rows_of(path, is_document=found == "json")
        head = list(islice(every, ROWS_LOOKED_AHEAD))
        columns, rows = tuple(dict.fromkeys(key for row in head for key in row.values)), chain(head, every)
    for name in needs:
        check_column(name, columns, path.name)
    return Rows(columns, rows)


def check_column(name: str, columns: tuple[str, ...], origin: str) -> str:
    """Return `name` if it is one of `columns`, else raise a `UsageError` that lists them."""
    if name not in columns:
        one_column = len(columns) == 1 and ";" in columns[0]
        hint = " (the columns look separated by semicolons: save the file with commas)" if one_column else ""
        msg = f"{origin}: no column {name!r}; it has {listed(columns)}{hint}"
        raise UsageError(msg)
    return name


def listed(columns: tuple[str, ...]) -> str:
    """Return `columns` for a message.

    The first row of a file without a header is a post: what does not look like a name is not shown.
    """
    return (
        ", ".join(
            name
            if 0 < len(name) <= LONGEST_COLUMN_NAME and len(name.split()) <= MOST_WORDS_IN_COLUMN_NAME
            else f"(column {number}: no name of a column)"
            for number, name in enumerate(columns, 1)
        )
        or "none"
    )
