"""`ade query`: SQL over the lake, as a table for people, JSON or CSV for programs."""

from __future__ import annotations

import base64
import csv
import json
import math
import sys
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ade import terminal
from adverse_events import assembly
from adverse_events.errors import UsageError
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

ROWS_SHOWN = 50
COLUMNS_SHOWN = 8
WIDE_ROWS_SHOWN = 20
CHARACTERS_SHOWN = 160


def ask(sql: str, lake: str | None, *, as_json: bool, as_csv: bool) -> int:
    """Print the result of one SELECT; returns the exit code.

    Raises:
        UsageError: Both formats at once, no lake, or SQL that cannot be run.
        ServiceError: The lake is in a bucket, and S3 or Athena did not answer.
    """
    if as_json and as_csv:
        msg = "--json and --csv exclude each other"
        raise UsageError(msg)
    rows = assembly.reader_for(load_settings({"lake.path": lake})).query(sql)
    if as_json:
        _print_json(rows)
    elif as_csv:
        _print_csv(rows)
    else:
        _print_table(rows)
    return 0


def plain(value: Any) -> Any:
    """Return a value of a result as JSON has it: times in ISO 8601, bytes in base64, what is no number as null."""
    match value:
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case Decimal():  # what SQL makes of a sum
            return int(value) if value == value.to_integral_value() else float(value)
        case float() if not math.isfinite(value):
            return None
        case None | str() | int() | float():
            return value
        case _:
            return _as_text(value)


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _print_json(rows: pa.Table) -> None:
    """Print a list of objects, a few thousand at a time, one per line."""
    opening = "["
    for row in _records(rows):
        sys.stdout.write(f"{opening}{json.dumps(row, ensure_ascii=False)}")
        opening = ",\n"
    print("[]" if opening == "[" else "]")


def _print_csv(rows: pa.Table) -> None:
    """Print CSV as in RFC 4180; lists and structs are JSON, nulls empty."""
    out = csv.writer(sys.stdout, lineterminator="\r\n")
    out.writerow(rows.column_names)
    for row in _records(rows):
        out.writerow([_flat(value) for value in row.values()])


def _print_table(rows: pa.Table) -> None:
    """Print the first rows: as a table, or one under the other when there are too many columns for that."""
    is_wide = rows.num_columns > COLUMNS_SHOWN
    n_shown = WIDE_ROWS_SHOWN if is_wide else ROWS_SHOWN
    shown = [{name: _short(value) for name, value in row.items()} for row in _records(rows.slice(0, n_shown))]
    if is_wide:
        for row in shown:
            terminal.show_table(("", ""), row.items(), separators=False)
            terminal.show_line()
    else:
        terminal.show_table(_unique(rows.column_names), [list(row.values()) for row in shown], separators=False)
    if rows.num_rows > n_shown:
        terminal.note(f"{n_shown} of {rows.num_rows:,} rows shown; --json and --csv give all of them")
    elif not shown:
        terminal.note("no rows")


def _records(rows: pa.Table) -> Iterator[dict[str, Any]]:
    named = rows.rename_columns(_unique(rows.column_names))
    for batch in named.to_batches(max_chunksize=4096):
        for row in batch.to_pylist():
            yield {name: plain(value) for name, value in row.items()}


def _unique(names: list[str]) -> list[str]:
    """Return column names that differ: SQL allows equal ones, objects do not."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique


def _flat(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return value


def _short(value: Any) -> Any:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and len(value) > CHARACTERS_SHOWN:
        return f"{value[: CHARACTERS_SHOWN - 1]}…"
    return round(value, 4) if isinstance(value, float) else value
