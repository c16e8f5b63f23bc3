"""What reports and questions ask of a lake, wherever it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import duckdb
    import pyarrow as pa


class LakeReader(Protocol):
    """Reads a lake; `query.LocalReader` the one on a disk, `s3.reader.S3Reader` one in a bucket."""

    def connect(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Provide DuckDB with the lake's tables and views; see `query.connect`."""

    def query(self, sql: str) -> pa.Table:
        """Return the result of one SELECT.

        Raises:
            UsageError: No such lake, not exactly one SELECT, or SQL that is refused; no message quotes a post.
            ContractError: The lake's marker is damaged or newer code wrote it.
            ServiceError: A remote engine that did not answer.
        """
