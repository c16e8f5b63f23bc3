"""A table of the lake as Glue knows it: the declaration it gets, and how one that stands differs from ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from adverse_events.dictionary import athena_types, column_comments
from adverse_events.tables import PARTITION_COLUMNS, SCHEMA_VERSION
from adverse_events.windows import MINUTES_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adverse_events.tables import Column, Table

_FORMAT = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}
"""How Athena reads Parquet, columns by name (Athena user guide, "Parquet SerDe", read 2026-11)."""

_PROJECTION = "projection."
_LISTED_AT_MOST = 10


def table_input(table: Table, lake_url: str, projection: Mapping[str, str]) -> dict[str, Any]:
    """Return the Glue ``TableInput`` of `table`.

    Args:
        table: Its declaration.
        lake_url: Root of the lake, ``s3://bucket/folder``.
        projection: See `projection`; empty where Glue lists the partitions.
    """
    return {
        "Name": table.name,
        "Description": table.grain,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "classification": "parquet",
            "EXTERNAL": "TRUE",
            "parquet.compression": "ZSTD",
            "schema_version": str(SCHEMA_VERSION),
            **projection,
        },
        "PartitionKeys": _columns(PARTITION_COLUMNS),
        "StorageDescriptor": {
            "Columns": _columns(table.columns),
            "Location": f"{lake_url.rstrip('/')}/{table.name}/",
            "Compressed": True,
            **_FORMAT,
        },
    }


def projection(start: str, window_minutes: int) -> dict[str, str]:
    """Return the table properties by which Athena computes partitions instead of listing them.

    Undated rejects and their receipts lie in 1970: Athena sees them only when `start` is as early.

    Args:
        start: First date, YYYY-MM-DD.
        window_minutes: Length of the lake's windows, whose starts are the times of a day.

    Source:
        Athena user guide, "Supported types for partition projection" (date ranges up to NOW, enum values), read
        2026-11.
    """
    midnight = datetime(2000, 1, 1, tzinfo=UTC)
    times = (midnight + timedelta(minutes=minutes) for minutes in range(0, MINUTES_PER_DAY, window_minutes))
    return {
        "projection.enabled": "true",
        "projection.event_date.type": "date",
        "projection.event_date.format": "yyyy-MM-dd",
        "projection.event_date.range": f"{start},NOW",
        "projection.event_time.type": "enum",
        "projection.event_time.values": ",".join(f"{time:%H%M}" for time in times),
    }


def differences(stands: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return every way in which the table that `stands` in Glue cannot be ours; empty when it is or can be updated.

    A column that Glue lacks is none: older code made the table, and this code adds the column. Nor is a struct that
    lacks its last members. The order of columns is none either: Athena reads Parquet by name.
    """
    storage, ours = stands.get("StorageDescriptor", {}), wanted["StorageDescriptor"]
    location = storage.get("Location", "")
    found = []
    if location.rstrip("/") != ours["Location"].rstrip("/"):
        found.append(f"location {location or 'none'}, not {ours['Location']}")
    known, promised = _types(storage.get("Columns", ())), _types(ours["Columns"])
    found += [
        f"column {name} is {kind}, not {promised[name]}" if name in promised else f"unknown column {name} {kind}"
        for name, kind in known.items()
        if name not in promised or not _grows_into(kind, promised[name])
    ]
    keys, wanted_keys = _types(stands.get("PartitionKeys", ())), _types(wanted["PartitionKeys"])
    if list(keys.items()) != list(wanted_keys.items()):
        found.append(f"partition keys {_listed(keys)}, not {_listed(wanted_keys)}")
    more = len(found) - _LISTED_AT_MOST
    return [*found[:_LISTED_AT_MOST], f"{more} more"] if more > 0 else found


def updated(stands: Mapping[str, Any], wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Return the ``TableInput`` that makes the table that `stands` the `wanted` one; None when it is already.

    Parameters that others keep on the table, such as a crawler's statistics, are kept.
    """
    others = {k: v for k, v in stands.get("Parameters", {}).items() if not k.startswith(_PROJECTION)}
    wanted = {**wanted, "Parameters": {**others, **wanted["Parameters"]}}
    return None if _essence(stands) == _essence(wanted) else wanted


def _essence(table: Mapping[str, Any]) -> tuple[Any, ...]:
    storage = table.get("StorageDescriptor", {})
    columns = [
        (c["Name"], c["Type"], c.get("Comment", "")) for c in (*storage.get("Columns", ()), *table["PartitionKeys"])
    ]
    return columns, table.get("Description", ""), dict(table.get("Parameters", {})), storage.get("Location")


def _columns(columns: Iterable[Column]) -> list[dict[str, str]]:
    columns = tuple(columns)
    comments = column_comments(columns)
    return [{"Name": name, "Type": kind, "Comment": comments[name]} for name, kind in athena_types(columns).items()]


def _types(columns: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {column["Name"]: column["Type"].replace(" ", "").lower() for column in columns}


def _grows_into(older: str, newer: str) -> bool:
    """Whether a type is `newer`, or `newer` without the last members of its structs."""
    if older == newer:
        return True
    (kind, inside), (newer_kind, newer_inside) = (_taken_apart(one) for one in (older, newer))
    if kind != newer_kind or not inside or len(inside) > len(newer_inside):
        return False
    if kind == "struct":
        pairs = [(one.partition(":"), other.partition(":")) for one, other in zip(inside, newer_inside, strict=False)]
        return all(one[0] == other[0] and _grows_into(one[2], other[2]) for one, other in pairs)
    return all(_grows_into(one, other) for one, other in zip(inside, newer_inside, strict=True))


def _taken_apart(kind: str) -> tuple[str, list[str]]:
    """Return the name of a type, and the types or members inside its angle brackets."""
    name, _, rest = kind.partition("<")
    inside, depth = [""], 0
    for letter in rest.removesuffix(">"):
        depth += (letter == "<") - (letter == ">")
        if letter == "," and not depth:
            inside.append("")
        else:
            inside[-1] += letter
    return name, inside if rest else []


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items()) or "none"
