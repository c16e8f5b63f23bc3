"""The data dictionary: Athena types, column comments and ``docs/tables.md``, from the table declarations."""

from __future__ import annotations

import sys
from itertools import chain
from textwrap import shorten
from typing import TYPE_CHECKING

import pyarrow as pa

from adverse_events.errors import ContractError
from adverse_events.lake.views import VIEWS
from adverse_events.tables import PARTITION_COLUMNS, SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.tables import Column, Table

_MAX_COMMENT = 255
"""Longest column comment Glue stores (``CommentString``, AWS Glue API service model, read 2026-11)."""

_SCALARS = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.date32(): "date",
}


def athena_type(arrow_type: pa.DataType) -> str:
    """Return the Athena (Hive) type that reads `arrow_type` from Parquet.

    Raises:
        ContractError: No table may use that type.
    """
    if pa.types.is_list(arrow_type):
        return f"array<{athena_type(arrow_type.value_type)}>"
    if pa.types.is_struct(arrow_type):
        return f"struct<{','.join(f'{field.name}:{athena_type(field.type)}' for field in arrow_type)}>"
    if pa.types.is_timestamp(arrow_type):
        return "timestamp"
    if arrow_type not in _SCALARS:
        raise ContractError("data dictionary", f"{arrow_type} has no Athena type; use {', '.join(_SCALARS.values())}")
    return _SCALARS[arrow_type]


def athena_types(columns: Iterable[Column]) -> dict[str, str]:
    """Return the Athena type of each of `columns`, by name, in order."""
    return {column.name: athena_type(column.type) for column in columns}


def column_comments(columns: Iterable[Column]) -> dict[str, str]:
    """Return the description of each of `columns` by name, cut at a word to the length Glue stores."""
    return {column.name: shorten(column.description, _MAX_COMMENT, placeholder=" ...") for column in columns}


def markdown() -> str:
    """Return ``docs/tables.md``."""
    head = (
        "# Tables of the lake",
        "",
        "Generated from `src/adverse_events/tables.py` and `src/adverse_events/lake/views.py` by",
        "`python -m adverse_events.dictionary > docs/tables.md`; a test compares the two.",
        "",
        f"Schema version {SCHEMA_VERSION}. Data lie in `<table>/event_date=YYYY-MM-DD/event_time=HHMM/`, as Parquet",
        "with zstd. Types are Athena's. A column that is not nullable never holds a null: rows are checked before",
        "they are written.",
        "",
    )
    tables = (_section("Table", table, (*table.columns, *PARTITION_COLUMNS)) for table in TABLES)
    views = (_section("View", view, view.columns) for view in VIEWS)
    return "\n".join(chain(head, *tables, *views))


def _section(kind: str, table: Table, columns: Iterable[Column]) -> list[str]:
    rows = [
        f"| {column.name} | `{athena_type(column.type)}` | {'' if column.nullable else 'no'} | {column.description} |"
        for column in columns
    ]
    return [
        f"## {kind} `{table.name}`",
        "",
        table.grain,
        "",
        "| column | type | nullable | meaning |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
    ]


if __name__ == "__main__":
    sys.stdout.write(markdown())
