"""Partitions of the lake's tables in Glue: which a run wrote, and their registration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adverse_events.aws.errors import TRANSIENT_CODES, translated
from adverse_events.errors import PermanentServiceError, TransientServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adverse_events.lake.receipt import Receipt

    Values = tuple[str, ...]

PER_REQUEST = 100
"""Most partitions in one BatchCreatePartition (AWS Glue API reference, read 2026-11)."""


def partitions_of(receipts: Iterable[Receipt]) -> dict[str, list[Values]]:
    """Return the partitions that hold an object of `receipts`, by table, sorted: ``("2026-03-01", "1300")``."""
    found: dict[str, set[Values]] = {}
    for receipt in receipts:
        for key in (receipt.key, *(part.key for part in receipt.parts)):
            table, *folders, _ = key.split("/")
            found.setdefault(table, set()).add(tuple(folder.partition("=")[2] for folder in folders))
    return {table: sorted(values) for table, values in sorted(found.items())}


def register(glue: Any, database: str, table: Mapping[str, Any], partitions: Sequence[Values]) -> int:
    """Add `partitions` to a table in Glue; those that are there already are left alone.

    Args:
        glue: boto3's Glue client.
        database: Where the table is.
        table: Its ``TableInput``.
        partitions: One text per partition key, in order.

    Returns:
        How many were new.

    Raises:
        ServiceError: Glue refused some; those added before stand.
    """
    n_new = 0
    operation = f"BatchCreatePartition {database}.{table['Name']}"
    for first in range(0, len(partitions), PER_REQUEST):
        inputs = [_input(table, values) for values in partitions[first : first + PER_REQUEST]]
        with translated("glue", operation):
            answer = glue.batch_create_partition(
                DatabaseName=database, TableName=table["Name"], PartitionInputList=inputs
            )
        errors = answer.get("Errors", [])
        _check(operation, errors)
        n_new += len(inputs) - len(errors)
    return n_new


def _check(operation: str, errors: Sequence[Mapping[str, Any]]) -> None:
    """Raise for the errors that say more than that a partition is there."""
    failed = [error for error in errors if error["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException"]
    if failed:
        code, message = (failed[0]["ErrorDetail"].get(name, "") for name in ("ErrorCode", "ErrorMessage"))
        where = "/".join(failed[0]["PartitionValues"])
        kind = TransientServiceError if code in TRANSIENT_CODES else PermanentServiceError
        raise kind("glue", operation, f"{len(failed)} partitions refused, the first {where}: {code}: {message}")


def _input(table: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """Return the Glue ``PartitionInput``: the table's own storage, in the partition's folder.

    Without the comments of its columns, which are half of what a partition takes: the table keeps them.
    """
    storage = table["StorageDescriptor"]
    columns = [{"Name": column["Name"], "Type": column["Type"]} for column in storage["Columns"]]
    keys = (key["Name"] for key in table["PartitionKeys"])
    folder = "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
    location = f"{storage['Location']}{folder}/"
    return {"Values": list(values), "StorageDescriptor": {**storage, "Columns": columns, "Location": location}}
