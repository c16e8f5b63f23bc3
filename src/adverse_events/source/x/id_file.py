"""Ids of posts from a file: a plain list, or a column of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.errors import UsageError
from adverse_events.source.columns import ID_NAMES
from adverse_events.source.files import format_of, open_bytes
from adverse_events.source.posts import read_id
from adverse_events.source.rows import check_column, listed, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ID = re.compile(r"[0-9]{1,19}")
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class IdRow:
    """One row of the file.

    Attributes:
        number: Line or row, from 1.
        tweet_id: None where there is none.
        problem: Why there is none.
    """

    number: int
    tweet_id: int | None
    problem: str | None = None


def read_ids(path: Path, column: str | None = None) -> Iterator[IdRow]:
    """Yield the ids of a file in order; blank lines are none.

    Args:
        path: CSV, TSV, JSON or Parquet with a column of ids; any other name: one id per line. Plain, gzip or zstd.
        column: Name of the column; found by its usual names when None.

    Raises:
        UsageError: No such file, an empty one, or no column of ids.
        ContractError: It is cut short or damaged.
    """
    if format_of(path) is None:
        if not path.is_file():
            msg = f"{path}: no such file"
            raise UsageError(msg)
        yield from _lines(path)
        return
    rows = read_rows(path)
    if column is not None:
        name: str | None = check_column(column, rows.columns, path.name)
    else:
        by_name = {each.lower(): each for each in reversed(rows.columns)}
        name = next((by_name[usual] for usual in ID_NAMES if usual in by_name), None)
    if name is None:
        msg = (
            f"{path.name}: no column of ids among {listed(rows.columns)}; name it with --id-column, or give a plain "
            "list as a .txt file"
        )
        raise UsageError(msg)
    for row in rows:
        yield IdRow(row.number, None, row.refusal.detail) if row.refusal else _checked(row.number, row.values.get(name))


def _lines(path: Path) -> Iterator[IdRow]:
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            text = line.decode("utf-8-sig", "replace").strip().strip('"')
            if text and not (number == 1 and text.lower() in ID_NAMES):
                yield _checked(number, text)


def _checked(number: int, value: object) -> IdRow:
    try:
        text = read_id(value)
    except ValueError as error:
        return IdRow(number, None, str(error))
    if text is None:
        return IdRow(number, None, "the id is missing")
    if not _ID.fullmatch(text) or int(text) > _LARGEST:
        return IdRow(number, None, "the id is no whole number of at most 63 bits")
    return IdRow(number, int(text))
