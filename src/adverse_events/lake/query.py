"""SQL over a lake: DuckDB with the lake's tables and views, and nothing else within its reach."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from adverse_events.errors import ContractError, UsageError
from adverse_events.lake.files import reading
from adverse_events.lake.layout import MARKER_KEY
from adverse_events.lake.marker import Marker
from adverse_events.lake.views import VIEWS, view_sql
from adverse_events.tables import PARTITION_COLUMNS, SCHEMA_VERSION, TABLES, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

_SAFE_ERRORS = (
    duckdb.ParserException,
    duckdb.SyntaxException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.PermissionException,
    duckdb.NotImplementedException,
    duckdb.OutOfMemoryException,
    duckdb.IOException,
)
"""Errors about the SQL or a file. Others come from rows, and may quote the text of a post."""


@contextmanager
def connect(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Provide an in-memory database with the tables and views of `lake`, which stand still while it is open.

    The connection can read files under the lake's folder and no others, install or load nothing, and change none
    of that. It could still write files inside the lake: run SQL from elsewhere through `query`. Writers wait for it
    up to `files.PATIENCE_SECONDS`; one kept open longer may fail on a file that has been replaced.

    Raises:
        UsageError: There is no lake.
        ContractError: Its marker or its first data file is damaged, or newer code wrote it.
    """
    root = lake.expanduser().resolve()
    try:
        marker = Marker.read(root / MARKER_KEY)
    except OSError as error:
        raise no_lake_in(lake) from error
    with reading(root), empty_database() as connection:
        try:
            for table in TABLES:
                _create_table_view(connection, root, table, is_older=marker.schema_version < SCHEMA_VERSION)
            create_views(connection)
        except duckdb.Error as error:
            contract = f"lake {lake}"
            raise ContractError(
                contract, f"{str(error).splitlines()[0]}; remove that file and run its window again"
            ) from error
        shut_in(connection, [f"{folder}/" for folder in (root, _escaped(root))])
        yield connection


class LocalReader:
    """Reads the lake in a folder (a `LakeReader`)."""

    def __init__(self, lake: str | Path) -> None:
        """Read the lake in the folder `lake`; nothing is opened yet."""
        self.lake = Path(lake)

    def connect(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Provide DuckDB over the lake; see `connect`."""
        return connect(self.lake)

    def query(self, sql: str) -> pa.Table:
        """Return the result of one SELECT; see `query`."""
        return query(self.lake, sql)


def query(lake: Path, sql: str) -> pa.Table:
    """Return the result of one SELECT over `lake`.

    Raises:
        UsageError: No such lake, not exactly one SELECT, or SQL that DuckDB refuses; a message that might quote a
            post is withheld.
        ContractError: The lake's marker is damaged or newer code wrote it.
    """
    with connect(lake) as connection:
        return select(connection, sql)


def select(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """Return the result of one SELECT of somebody else's on `connection`.

    Raises:
        UsageError: Not exactly one SELECT, or SQL that DuckDB refuses; a message that might quote a post is withheld.
    """
    try:
        statements = connection.extract_statements(sql)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            msg = "only one SELECT (or SHOW, DESCRIBE, SUMMARIZE) can be run: the lake is read, never changed"
            raise UsageError(msg)
        return connection.sql(statements[0]).to_arrow_table()
    except _SAFE_ERRORS as error:
        raise UsageError(str(error)) from error
    except duckdb.Error as error:
        if is_failed_scan(error):
            raise
        msg = (
            f"the query failed on the rows ({type(error).__name__}); its message is withheld because "
            "it may quote a post; for casts try TRY_CAST"
        )
        raise UsageError(msg) from None


def is_failed_scan(error: duckdb.Error) -> bool:
    """Say whether `error` is about an object behind a registered table, not about the SQL or a row."""
    return str(error).startswith("Invalid Input Error: reading the stream registered as")


def no_lake_in(lake: str | Path) -> UsageError:
    """Return the error for a folder, or an ``s3://`` one, without a lake's marker."""
    return UsageError(
        f"there is no lake in {lake}: {MARKER_KEY} cannot be read; make one with: ade detect --lake {lake}"
    )


@contextmanager
def empty_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Provide an in-memory database that keeps UTC and takes no Python variable for a table."""
    with duckdb.connect(config={"temp_directory": "", "python_enable_replacements": False}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the lake's views over its tables, which must be there."""
    for view in VIEWS:
        connection.execute(f"CREATE VIEW {view.name} AS {view_sql(view, 'duckdb')}")


def shut_in(connection: duckdb.DuckDBPyConnection, folders: Sequence[str]) -> None:
    """Leave `connection` the files under `folders` and what is registered in it, and no way to widen that."""
    for setting in (
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        "allow_persistent_secrets = false",
        f"allowed_directories = [{', '.join(map(_literal, folders))}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def _create_table_view(connection: duckdb.DuckDBPyConnection, root: Path, table: Table, *, is_older: bool) -> None:
    columns = (*table.columns, *PARTITION_COLUMNS)
    empty = pa.schema([pa.field(column.name, column.type) for column in columns]).empty_table()
    if next(root.glob(f"{table.name}/*/*/*.parquet"), None) is None:
        connection.from_arrow(empty).create(table.name)
        return
    names = ", ".join(f'"{column.name}"' for column in columns)
    glob = _literal(f"{_escaped(root)}/{table.name}/*/*/*.parquet")
    types = "hive_partitioning = true, hive_types = {'event_date': DATE, 'event_time': VARCHAR}"
    rows = f"FROM read_parquet({glob}, {types})"
    if is_older:
        # Files of an older version lack the newer columns: null, as the empty table declares them. Every file is
        # opened for that, so a lake made by this version is spared it.
        connection.from_arrow(empty).create(f"no_{table.name}")
        rows = f"FROM (FROM no_{table.name} UNION ALL BY NAME FROM read_parquet({glob}, {types}, union_by_name = true))"
    connection.execute(f"CREATE VIEW {table.name} AS SELECT {names} {rows}")


def _escaped(root: Path) -> str:
    """Return the path as a glob pattern that matches only itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(root))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
