"""A Glue table's rows as Athena reads them: the objects of its registered or projected partitions, columns by name."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from adverse_events.local_aws.crawler import partition_of
from adverse_events.local_aws.inside import split_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adverse_events.local_aws.inside import Inside

_SCALARS = {
    exp.DataType.Type.TEXT: pa.string(),
    exp.DataType.Type.VARCHAR: pa.string(),
    exp.DataType.Type.BOOLEAN: pa.bool_(),
    exp.DataType.Type.INT: pa.int32(),
    exp.DataType.Type.BIGINT: pa.int64(),
    exp.DataType.Type.DOUBLE: pa.float64(),
    exp.DataType.Type.DATE: pa.date32(),
    exp.DataType.Type.TIMESTAMP: pa.timestamp("ms"),
}


def arrow_type(hive_type: str) -> pa.DataType:
    """Return the Arrow type of a Glue column type, such as ``array<struct<name:string,score:double>>``.

    Raises:
        KeyError: A type no table of a lake has.
    """
    return _arrow(exp.DataType.build(hive_type, dialect="hive"))


def _arrow(kind: exp.DataType) -> pa.DataType:
    if kind.this is exp.DataType.Type.ARRAY:
        return pa.list_(_arrow(kind.expressions[0]))
    if kind.this is exp.DataType.Type.STRUCT:
        return pa.struct([pa.field(member.name, _arrow(member.args["kind"])) for member in kind.expressions])
    return _SCALARS[kind.this]


class GlueRows:
    """Reads the tables of a Glue catalog.

    Args:
        inside: Where Glue and S3 answer.
    """

    def __init__(self, inside: Inside) -> None:
        """Read through `inside`."""
        self._inside = inside
        self._lock = Lock()
        self._read: dict[tuple[str, str], pa.Table] = {}
        """Objects read so far, by key and ETag: the same bytes are parsed once."""

    def rows(self, table: Mapping[str, Any]) -> pa.Table:
        """Return the rows of a Glue table, its partition keys as columns at the end.

        Timestamps have no zone, as in Athena.
        """
        empty, keys = columns_only(table), _schema(table.get("PartitionKeys", ()))
        found = [_conformed(rows, empty.schema, values, keys) for values, rows in self._partitions(table)]
        return pa.concat_tables([empty, *found])

    def _partitions(self, table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], pa.Table]]:
        """Yield the values and the rows of each object."""
        folders = self._folders(table)
        for url, values in folders.items():
            bucket, prefix = split_url(url)
            for key, etag in self._objects(bucket, prefix):
                yield values, self._rows_of(bucket, key, etag)

    def _folders(self, table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """Return the folders Athena looks in, with their partition values."""
        location = table["StorageDescriptor"]["Location"]
        if not table.get("PartitionKeys"):
            return {location: ()}
        parameters = table.get("Parameters", {})
        if parameters.get("projection.enabled") == "true":
            return self._projected(location, parameters)
        pages = (
            self._inside.client("glue")
            .get_paginator("get_partitions")
            .paginate(DatabaseName=table["DatabaseName"], TableName=table["Name"])
        )
        return {
            partition["StorageDescriptor"]["Location"]: tuple(partition["Values"])
            for page in pages
            for partition in page["Partitions"]
        }

    def _projected(self, location: str, parameters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """Return the folders that exist among those that the table's properties compute."""
        bucket, prefix = split_url(location)
        first = parameters["projection.event_date.range"].partition(",")[0]
        times = set(parameters["projection.event_time.values"].split(","))
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        found: dict[str, tuple[str, ...]] = {}
        for key in self._inside.keys(location):
            values = tuple(value for _, value in partition_of(key.removeprefix(prefix)))
            if values and first <= values[0] <= today and values[1] in times:
                found[f"s3://{bucket}/{key.rpartition('/')[0]}/"] = values
        return found

    def _objects(self, bucket: str, prefix: str) -> list[tuple[str, str]]:
        pages = self._inside.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        # Engines pass over names that begin with a dot or an underscore.
        return [
            (item["Key"], item["ETag"])
            for page in pages
            for item in page.get("Contents", ())
            if not item["Key"].rpartition("/")[2].startswith((".", "_"))
        ]

    def _rows_of(self, bucket: str, key: str, etag: str) -> pa.Table:
        place = (f"{bucket}/{key}", etag)
        with self._lock:
            known = self._read.get(place)
        if known is None:
            known = pq.read_table(pa.BufferReader(self._inside.read(bucket, key)))
            with self._lock:
                self._read[place] = known
        return known


def columns_only(table: Mapping[str, Any]) -> pa.Table:
    """Return a Glue table without its rows."""
    return pa.schema(
        [*_schema(table["StorageDescriptor"]["Columns"]), *_schema(table.get("PartitionKeys", ()))]
    ).empty_table()


def _schema(columns: Any) -> pa.Schema:
    return pa.schema([pa.field(column["Name"], arrow_type(column["Type"])) for column in columns])


def _conformed(rows: pa.Table, schema: pa.Schema, values: tuple[str, ...], keys: pa.Schema) -> pa.Table:
    given = dict(zip(keys.names, values, strict=True))
    columns = []
    for field in schema:
        if field.name in given:
            column = pa.array([given[field.name]] * rows.num_rows, pa.string()).cast(field.type)
        elif field.name in rows.column_names:
            column = rows.column(field.name).cast(field.type, safe=False)
        else:
            column = pa.nulls(rows.num_rows, field.type)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)
