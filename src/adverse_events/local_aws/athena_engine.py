"""Athena's SQL, run by DuckDB over the rows that Glue and S3 on this machine hold."""

from __future__ import annotations

import base64
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import sqlglot
from botocore.exceptions import ClientError
from sqlglot import exp
from sqlglot.errors import SqlglotError

from adverse_events.local_aws.athena_tables import GlueRows, columns_only
from adverse_events.local_aws.athena_values import athena_type_name, hive_type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from adverse_events.local_aws.inside import Inside

_PRESTO_VIEW = "/* Presto View: {} */"
_STORED_VIEW = re.compile(r"/\* Presto View: (\S+) \*/")


class SyntaxRefusal(Exception):  # noqa: N818 - Athena refuses it before there is a query that could fail
    """The statement is no SQL that Athena could start."""


class QueryFailure(Exception):  # noqa: N818 - a state a query ends in
    """The query ended as FAILED; the message is Athena's reason, its error name first."""


class AthenaEngine:
    """Runs one statement at a time, each on a database of its own in memory.

    Args:
        inside: Where Glue and S3 answer.
    """

    def __init__(self, inside: Inside) -> None:
        """Read tables through `inside`."""
        self._inside, self._rows = inside, GlueRows(inside)

    def parsed(self, sql: str) -> exp.Expression:
        """Return the statement in `sql`.

        Raises:
            SyntaxRefusal: It is no SQL, or more than one statement.
        """
        try:
            (statement,) = (found for found in sqlglot.parse(sql, read="athena") if isinstance(found, exp.Expression))
        except SqlglotError as error:
            msg = "line 1:1: mismatched input. Expecting: <query>"
            raise SyntaxRefusal(msg) from error
        except ValueError as error:
            msg = "Only one sql statement is allowed."
            raise SyntaxRefusal(msg) from error
        return statement

    def run(self, statement: exp.Expression, database: str) -> pa.Table | None:
        """Return the result of a query, or None once a view is stored or dropped.

        Raises:
            QueryFailure: It failed.
        """
        if isinstance(statement, exp.Create) and statement.kind == "VIEW":
            self._store_view(statement, database)
            return None
        if isinstance(statement, exp.Drop) and statement.kind == "VIEW":
            place = statement.this
            self._inside.client("glue").delete_table(DatabaseName=place.db or database, Name=place.name)
            return None
        if not isinstance(statement, exp.Query):
            msg = f"NOT_SUPPORTED: {statement.key.upper()} is not served on this machine"
            raise QueryFailure(msg)
        return self._answer(statement, database, self._rows.rows)

    def _answer(self, query: exp.Expression, database: str, read: Callable[[dict[str, Any]], pa.Table]) -> pa.Table:
        """Return the result of `query` over what `read` returns for each Glue table it names."""
        with _failures(), duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            self._provide(connection, query, database, read)
            return connection.sql(in_duckdb(query)).to_arrow_table()

    def _provide(
        self,
        connection: duckdb.DuckDBPyConnection,
        query: exp.Expression,
        database: str,
        read: Callable[[dict[str, Any]], pa.Table],
    ) -> None:
        """Make the tables and views that `query` names, and those they name; leave `database` the current one."""
        local = {(database, cte.alias) for cte in query.find_all(exp.CTE)}
        for schema, name in sorted({(table.db or database, table.name) for table in query.find_all(exp.Table)} - local):
            table = self._table(schema, name)
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}")
            if table.get("TableType") == "VIRTUAL_VIEW":
                view = self.parsed(original_sql(table))
                self._provide(connection, view, schema, read)
                source = in_duckdb(view)
            else:
                rows = f"rows of {schema}.{name}"
                connection.register(rows, read(table))
                source = f"FROM memory.main.{_quoted(rows)}"
            connection.execute(f"CREATE VIEW IF NOT EXISTS {_quoted(name, schema)} AS {source}")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(database)}")
        connection.execute(f"USE {_quoted(database)}")

    def _table(self, database: str, name: str) -> dict[str, Any]:
        try:
            table: dict[str, Any] = self._inside.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            msg = f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{database}.{name}' does not exist"
            raise QueryFailure(msg) from error
        return table

    def _store_view(self, statement: exp.Create, database: str) -> None:
        """Keep a view in Glue as Athena does, after finding out its columns; no row is read.

        Source:
            Trino's Hive connector: the view's JSON, base64, in ViewOriginalText; read 2026-11.
        """
        place, query = statement.this, statement.expression
        schema = place.db or database
        fields = list(self._answer(query, schema, columns_only).schema)
        sql = query.sql(dialect="athena")
        said = {
            "originalSql": sql,
            "catalog": "awsdatacatalog",
            "schema": schema,
            "columns": [{"name": field.name, "type": athena_type_name(field.type)} for field in fields],
        }
        stored = _PRESTO_VIEW.format(base64.b64encode(json.dumps(said).encode()).decode())
        table = {
            "Name": place.name,
            "TableType": "VIRTUAL_VIEW",
            "ViewOriginalText": stored,
            "ViewExpandedText": "/* Presto View */",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "PartitionKeys": [],
            "StorageDescriptor": {
                "Columns": [{"Name": field.name, "Type": hive_type_name(field.type)} for field in fields],
                "Location": "",
            },
        }
        glue = self._inside.client("glue")
        try:
            glue.create_table(DatabaseName=schema, TableInput=table)
        except glue.exceptions.AlreadyExistsException as error:
            if not statement.args.get("replace"):
                msg = f"TABLE_ALREADY_EXISTS: line 1:1: View already exists: 'awsdatacatalog.{schema}.{place.name}'"
                raise QueryFailure(msg) from error
            glue.update_table(DatabaseName=schema, TableInput=table)


def original_sql(view: dict[str, Any]) -> str:
    """Return the SQL of a view that Athena keeps in Glue."""
    stored = _STORED_VIEW.search(view["ViewOriginalText"])
    said = json.loads(base64.b64decode(stored[1])) if stored else {"originalSql": ""}
    return str(said["originalSql"])


def in_duckdb(query: exp.Expression) -> str:
    """Return an Athena `query` in DuckDB's SQL."""
    return query.transform(_unnested_by_name).sql(dialect="duckdb")


def _unnested_by_name(node: exp.Expression) -> exp.Expression:
    """Let UNNEST of rows yield their members as columns, which Athena does of itself and DuckDB when told so.

    ``CROSS JOIN UNNEST(a) AS e (x, y)`` becomes a sub-query of ``unnest(a, max_depth := 2)`` with those names.
    """
    if not (isinstance(node, exp.Unnest) and len(node.args["alias"].columns if node.args.get("alias") else ()) > 1):
        return node
    alias = node.args["alias"]
    names = ", ".join(column.sql(dialect="duckdb") for column in alias.columns)
    (array,) = node.expressions
    inner = f"SELECT unnest({array.sql(dialect='duckdb')}, max_depth := 2)"
    rows = sqlglot.parse_one(f"FROM ({inner}) AS _rows ({names})", read="duckdb")
    return exp.Lateral(this=exp.Subquery(this=rows), alias=exp.TableAlias(this=alias.this))


def _quoted(name: str, schema: str | None = None) -> str:
    return exp.table_(name, db=schema, quoted=True).sql(dialect="duckdb")


@contextmanager
def _failures() -> Iterator[None]:
    """Raise DuckDB's errors as Athena's reasons."""
    try:
        yield
    except duckdb.BinderException as error:
        found = re.search(r'column "?([^"\s]+?)"? not found', str(error)) or re.search(r'named "([^"]+)"', str(error))
        msg = (
            f"COLUMN_NOT_FOUND: line 1:8: Column '{found[1]}' cannot be resolved"
            if found
            else f"TYPE_MISMATCH: {error}"
        )
        raise QueryFailure(msg) from error
    except duckdb.CatalogException as error:
        msg = f"FUNCTION_NOT_FOUND: line 1:8: {error}"
        raise QueryFailure(msg) from error
    except duckdb.ConversionException as error:
        msg = f"INVALID_CAST_ARGUMENT: {error}"
        raise QueryFailure(msg) from error
    except duckdb.Error as error:
        msg = f"GENERIC_INTERNAL_ERROR: {error}"
        raise QueryFailure(msg) from error
