"""Values and types as Athena writes them in query results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from adverse_events.dictionary import athena_type

if TYPE_CHECKING:
    from datetime import datetime

_NAMES = {
    pa.string(): "varchar",
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.date32(): "date",
}


def athena_type_name(arrow_type: pa.DataType) -> str:
    """Return the name of a column's type in ``ResultSetMetadata``: of arrays and rows no more than that they are."""
    if pa.types.is_list(arrow_type):
        return "array"
    if pa.types.is_struct(arrow_type):
        return "row"
    if pa.types.is_timestamp(arrow_type):
        return "timestamp"
    # DuckDB sums whole numbers in 128 bits; Athena in 64.
    if pa.types.is_decimal(arrow_type):
        return "bigint" if arrow_type.scale == 0 else "decimal"
    return _NAMES.get(arrow_type, "varchar")


def hive_type_name(arrow_type: pa.DataType) -> str:
    """Return the type Glue keeps of a view's column."""
    if pa.types.is_decimal(arrow_type):
        return f"decimal({arrow_type.precision},{arrow_type.scale})"
    return athena_type(pa.string() if pa.types.is_null(arrow_type) else arrow_type)


def written(value: Any) -> str | None:
    """Return a value as Athena's results show it; None for null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_inside(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}={_inside(item)}' for name, item in value.items())}}}"
    if hasattr(value, "hour"):
        moment: datetime = value
        return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
    return str(value)


def csv_of(names: list[str], rows: list[list[str | None]]) -> bytes:
    """Return the CSV object of a result: every value in quotes, a null as nothing."""
    heads: list[list[str | None]] = [[*names]]
    return "".join(",".join(map(_quoted, row)) + "\n" for row in heads + rows).encode()


def _inside(value: Any) -> str:
    return "null" if value is None else str(written(value))


def _quoted(value: str | None) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"'
