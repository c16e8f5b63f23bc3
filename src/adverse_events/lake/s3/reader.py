"""Reading a lake on S3: DuckDB over its Parquet objects, and Athena for SQL where a catalog is set."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow.fs import S3FileSystem

from adverse_events.aws.errors import translated
from adverse_events.errors import ContractError, PermanentServiceError, TransientServiceError
from adverse_events.lake.catalog.athena import Athena
from adverse_events.lake.catalog.glue import GlueCatalog
from adverse_events.lake.layout import MARKER_KEY
from adverse_events.lake.marker import Marker
from adverse_events.lake.query import create_views, empty_database, is_failed_scan, no_lake_in, select, shut_in
from adverse_events.lake.s3.store import S3Store
from adverse_events.tables import PARTITION_COLUMNS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adverse_events.aws.session import Cloud
    from adverse_events.lake.catalog.settings import CatalogSettings
    from adverse_events.lake.s3.store import Seen
    from adverse_events.tables import Table

_OBJECT = re.compile(r"[a-z]+/event_date=[^/]+/event_time=[^/]+/[^/]+\.parquet")
_REFUSALS = frozenset({"ACCESS_DENIED", "EXPIRED_TOKEN", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH"})
_PARTITIONS = ds.partitioning(
    pa.schema([pa.field(column.name, column.type) for column in PARTITION_COLUMNS]), flavor="hive"
)


class S3Reader:
    """Reads the lake in a bucket (a `LakeReader`).

    Args:
        cloud: The account.
        url: Root of the lake, ``s3://bucket/folder``.
        catalog: Where Athena finds the lake; SQL runs in DuckDB here when its database is unset.
    """

    def __init__(self, cloud: Cloud, url: str, catalog: CatalogSettings) -> None:
        """Take the settings; nothing is asked yet."""
        self._cloud, self._catalog, self._url = cloud, catalog, url
        self._store = S3Store(cloud, url)

    def query(self, sql: str) -> pa.Table:
        """Return the result of one SELECT: in Athena's SQL where a catalog is set, else in DuckDB's.

        Raises:
            UsageError: No such lake, not exactly one SELECT, or SQL that the engine refuses; a message that might
                quote a post is withheld.
            ContractError: The lake's marker is damaged or newer code wrote it; or the catalog's tables lie over
                another lake.
            ServiceError: S3, Glue or Athena did not answer.
        """
        if self._catalog.database:
            # Athena answers from the tables of its database, whatever lake they lie over.
            GlueCatalog(self._cloud, self._catalog, self._url).check()
            return Athena(self._cloud, self._catalog).query(sql)
        with self.connect() as connection:
            return select(connection, sql)

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Provide an in-memory database with the tables and views of the lake, its objects as listed now.

        Rows are fetched when they are asked for: filters on event_date and event_time leave the other objects
        alone, filters on columns skip row groups. The connection can read nothing else, and no file. An object that
        a run replaces meanwhile may be read in its new form, or fail.

        Raises:
            UsageError: There is no lake.
            ContractError: Its marker is damaged, or newer code wrote it.
            ServiceError: S3 did not answer.
        """
        self._check_marker()
        files, listed = self._file_system(), self._listed()
        with empty_database() as connection:
            for table in TABLES:
                connection.register(table.name, self._dataset(table, listed, files))
            create_views(connection)
            shut_in(connection, ())
            with self._reading(listed):
                yield connection

    def _check_marker(self) -> None:
        marker = self._store.get(MARKER_KEY)
        if marker is None:
            raise no_lake_in(self._store.url)
        Marker.parse(marker.data, f"{self._store.url}/{MARKER_KEY}")

    def _listed(self) -> dict[str, Seen]:
        """Return the lake's Parquet objects, by key."""
        listed = (self._store.list_between(f"{table.name}/") for table in TABLES)
        return {key: seen for objects in listed for key, seen in objects.items() if _OBJECT.fullmatch(key)}

    def _dataset(self, table: Table, listed: Mapping[str, Seen], files: S3FileSystem) -> ds.Dataset:
        schema = pa.schema([pa.field(column.name, column.type) for column in (*table.columns, *PARTITION_COLUMNS)])
        root, parquet = f"{self._store.bucket}/{self._store.prefix}", ds.ParquetFileFormat()
        # Schema, partitions and sizes are given, so that no object is asked for before its rows are, and one that an
        # older version wrote lacks no column.
        fragments = [
            parquet.make_fragment(
                f"{root}{key}", files, _PARTITIONS.parse(f"/{key.partition('/')[2]}"), file_size=seen.n_bytes
            )
            for key, seen in listed.items()
            if key.startswith(f"{table.name}/")
        ]
        return ds.FileSystemDataset(fragments, schema, parquet, files)

    @contextmanager
    def _reading(self, listed: Mapping[str, Seen]) -> Iterator[None]:
        """Raise what Arrow could not read as ours; DuckDB has only one error for all of it."""
        try:
            yield
        except duckdb.InvalidInputException as error:
            if not is_failed_scan(error):
                raise
            operation, reason = f"read {self._store.url}", str(error).partition(" failed: ")[2].splitlines()[0]
            if self._listed() != listed:
                detail = f"a run replaced objects while they were read; ask again ({reason})"
                raise TransientServiceError("s3", operation, detail) from error
            if reason.startswith("IOError"):
                code = re.search(r"AWS Error (\w+)", reason)
                kind = PermanentServiceError if code and code.group(1) in _REFUSALS else TransientServiceError
                raise kind("s3", operation, reason) from error
            contract, detail = f"lake {self._store.url}", f"{reason}; remove that object and run its window again"
            raise ContractError(contract, detail) from error

    def _file_system(self) -> S3FileSystem:
        """Return Arrow's own S3 client, for the endpoint and with the credentials that boto3 would use."""
        client, settings = self._cloud.client("s3"), self._cloud.settings
        with translated("s3", "find credentials"):
            source = self._cloud.session.get_credentials()
            credentials = source.get_frozen_credentials() if source else None
        if credentials is None:
            raise PermanentServiceError("s3", "find credentials", "there are none; configure the boto3 chain")
        endpoint = urlsplit(client.meta.endpoint_url)
        return S3FileSystem(
            access_key=credentials.access_key,
            secret_key=credentials.secret_key,
            session_token=credentials.token,
            region=client.meta.region_name,
            scheme=endpoint.scheme,
            endpoint_override=f"{endpoint.netloc}{endpoint.path}".rstrip("/"),
            connect_timeout=settings.connect_timeout_s,
            request_timeout=settings.read_timeout_s,
        )
