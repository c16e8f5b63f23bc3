"""Glue crawlers that crawl: a started one lists S3, registers what it finds in Glue, and is READY again.

The control plane on this machine keeps crawlers and never runs them; their state and last crawl are kept here and laid
over its answers.
"""

from __future__ import annotations

import re
import time
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError

from adverse_events.dictionary import athena_type
from adverse_events.local_aws.inside import split_url
from adverse_events.local_aws.wire import error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from werkzeug.wrappers import Response

    from adverse_events.local_aws.inside import Inside

SERVICE = "glue"
MOST_PARTITIONS = 100
"""Partitions of one BatchCreatePartition request (Glue API reference, read 2026-11)."""

_PARTITION = re.compile(r"^([a-z_]+)=([^/]+)$")
_PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


class Crawlers:
    """Runs the crawlers that are started.

    Args:
        inside: Where S3 and Glue answer.
        least_seconds: A crawl takes this long at least, so that a client sees it RUNNING.
    """

    def __init__(self, inside: Inside, *, least_seconds: float = 0.1) -> None:
        """Start with every crawler READY."""
        self.least_seconds = least_seconds
        self._inside = inside
        self._lock = Lock()
        self._running: dict[str, Thread] = {}
        self._last: dict[str, dict[str, Any]] = {}
        self._to_fail: dict[str, str] = {}

    def fail_next(self, name: str, message: str) -> None:
        """Let the next crawl of crawler `name` end as FAILED with `message`."""
        self._to_fail[name] = message

    def start(self, name: str) -> Response | None:
        """Start crawler `name`; returns AWS's error, None when it was started."""
        try:
            crawler = self._inside.client("glue").get_crawler(Name=name)["Crawler"]
        except ClientError as missing:
            return error(SERVICE, missing.response["Error"]["Code"], missing.response["Error"]["Message"], 400)
        with self._lock:
            if name in self._running:
                detail = f"Crawler with name {name} has already started"
                return error(SERVICE, "CrawlerRunningException", detail, 400)
            thread = Thread(target=self._crawl, args=(crawler,), name=f"crawler {name}", daemon=True)
            self._running[name] = thread
            self._last[name] = {"StartTime": time.time(), "LogGroup": "/aws-glue/crawlers", "LogStream": name}
        thread.start()
        return None

    def described(self, crawler: dict[str, Any]) -> dict[str, Any]:
        """Return a crawler as GetCrawler shows it, with its state and last crawl."""
        name = crawler["Name"]
        with self._lock:
            state = "RUNNING" if name in self._running else "READY"
            # The crawl under way is not the last one yet: Glue shows the one before until it ends.
            last = {"LastCrawl": self._last[name]} if "Status" in self._last.get(name, {}) else {}
        return {**crawler, "State": state, **last}

    def wait(self) -> None:
        """Wait until no crawler runs."""
        while threads := list(self._running.values()):
            for thread in threads:
                thread.join()

    def _crawl(self, crawler: dict[str, Any]) -> None:
        name, began = crawler["Name"], time.monotonic()
        outcome: dict[str, Any] = {"Status": "FAILED", "ErrorMessage": "Internal Service Exception"}
        try:
            if message := self._to_fail.pop(name, None):
                outcome["ErrorMessage"] = message
            else:
                self._register(crawler)
                outcome = {"Status": "SUCCEEDED"}
        except ClientError as failed:
            outcome["ErrorMessage"] = failed.response["Error"]["Message"]
        except BotoCoreError as failed:  # as when this machine's services are being stopped
            outcome["ErrorMessage"] = f"Internal Service Exception: {type(failed).__name__}"
        finally:
            time.sleep(max(0.0, self.least_seconds - (time.monotonic() - began)))
            with self._lock:
                self._last[name] |= outcome
                del self._running[name]

    def _register(self, crawler: dict[str, Any]) -> None:
        glue, targets = self._inside.client("glue"), crawler["Targets"]
        for target in targets.get("CatalogTargets", ()):
            for table_name in target["Tables"]:
                self._register_partitions(glue.get_table(DatabaseName=target["DatabaseName"], Name=table_name)["Table"])
        for target in targets.get("S3Targets", ()):
            for location in self._table_folders(target["Path"]):
                table_name = crawler.get("TablePrefix", "") + location.rstrip("/").rpartition("/")[2]
                self._register_partitions(self._table(crawler["DatabaseName"], table_name, location))

    def _table_folders(self, url: str) -> list[str]:
        """Return the folders under `url` that hold partitioned Parquet, each one a table."""
        bucket, _ = split_url(url)
        found = {
            key.partition("/event_date=")[0]
            for key in self._inside.keys(url)
            if key.endswith(".parquet") and "/event_date=" in key
        }
        return sorted(f"s3://{bucket}/{folder}/" for folder in found)

    def _table(self, database: str, name: str, location: str) -> dict[str, Any]:
        """Return the table, made from the schema of its first file when missing."""
        glue = self._inside.client("glue")
        try:
            table: dict[str, Any] = glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError:
            glue.create_table(DatabaseName=database, TableInput=self._inferred(name, location))
            table = glue.get_table(DatabaseName=database, Name=name)["Table"]
        return table

    def _inferred(self, name: str, location: str) -> dict[str, Any]:
        bucket, _ = split_url(location)
        first = next(key for key in self._inside.keys(location) if key.endswith(".parquet"))
        schema = pq.read_schema(pa.BufferReader(self._inside.read(bucket, first)))
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet"},
            # A crawler takes every partition value for text.
            "PartitionKeys": [{"Name": key, "Type": "string"} for key, _ in partition_of(first)],
            "StorageDescriptor": {
                "Columns": [{"Name": field.name, "Type": athena_type(field.type)} for field in schema],
                "Location": location,
                **_PARQUET,
            },
        }

    def _register_partitions(self, table: dict[str, Any]) -> None:
        storage = table["StorageDescriptor"]
        bucket, prefix = split_url(storage["Location"])
        found = {partition_of(key.removeprefix(prefix)) for key in self._inside.keys(storage["Location"])}
        names = [key["Name"] for key in table["PartitionKeys"]]
        columns = [{"Name": column["Name"], "Type": column["Type"]} for column in storage["Columns"]]
        inputs = [
            {
                "Values": [value for _, value in partition],
                "StorageDescriptor": {
                    **storage,
                    "Columns": columns,
                    "Location": f"s3://{bucket}/{prefix}" + "".join(f"{key}={value}/" for key, value in partition),
                },
            }
            for partition in sorted(found)
            if [key for key, _ in partition] == names
        ]
        for begin in range(0, len(inputs), MOST_PARTITIONS):
            # Those that stand already are reported in the answer, and stay as they are.
            self._inside.client("glue").batch_create_partition(
                DatabaseName=table["DatabaseName"],
                TableName=table["Name"],
                PartitionInputList=inputs[begin : begin + MOST_PARTITIONS],
            )


def partition_of(key: str) -> tuple[tuple[str, str], ...]:
    """Return the partition keys and values in the folders of `key`, in order."""
    return tuple(_partition_parts(key.split("/")[:-1]))


def _partition_parts(folders: Iterable[str]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        if found := _PARTITION.match(folder):
            yield found[1], found[2]
