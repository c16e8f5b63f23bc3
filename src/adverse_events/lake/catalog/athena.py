"""SQL in Athena: one statement, started, waited for, its result typed.

Results come through ``GetQueryResults`` rather than the CSV file behind it: its column types are Athena's own, it
tells a null from an empty text, and it needs no right to read the bucket of results.
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from botocore.exceptions import ClientError

from adverse_events.aws.errors import translated
from adverse_events.errors import AnswerError, PermanentServiceError, TransientServiceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.aws.session import Cloud
    from adverse_events.lake.catalog.settings import CatalogSettings

logger = logging.getLogger("adverse_events.athena")

SPEAKS_OF_THE_SQL = frozenset(
    {
        "AMBIGUOUS_NAME",
        "CATALOG_NOT_FOUND",
        "COLUMN_NOT_FOUND",
        "COLUMN_TYPE_UNKNOWN",
        "EXPRESSION_NOT_AGGREGATE",
        "EXPRESSION_NOT_IN_DISTINCT",
        "EXPRESSION_NOT_SCALAR",
        "FUNCTION_NOT_AGGREGATE",
        "FUNCTION_NOT_FOUND",
        "INVALID_COLUMN_REFERENCE",
        "MISMATCHED_COLUMN_ALIASES",
        "MISSING_GROUP_BY",
        "NESTED_AGGREGATION",
        "NOT_SUPPORTED",
        "SCHEMA_NOT_FOUND",
        "SYNTAX_ERROR",
        "TABLE_NOT_FOUND",
        "TOO_MANY_ARGUMENTS",
        "TYPE_MISMATCH",
        "VIEW_IS_STALE",
    }
)
"""Error names by which Athena refuses a statement before it reads a row. Others may quote the text of a post.

Source:
    Trino's StandardErrorCode, which Athena engine 3 puts before the message ("COLUMN_NOT_FOUND: line 1:8: ..."),
    read 2026-11.
"""

_READS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC"})
_OPAQUE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", re.DOTALL)
"""Comments, texts and quoted names: what may hold a semicolon that ends nothing."""

_TYPES = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
"""Arrow types of Athena's; others stay text: arrays, rows and maps as Athena writes them."""

_ROWS_PER_PAGE = 1000
_SYSTEM_ERROR = 1


_REFUSALS = {
    "output": "set catalog.query_output",
    "workgroup": "correct catalog.workgroup, or create that workgroup in this region",
}
"""What to do about a query that was refused at once, by a word of the refusal."""


class Athena:
    """Runs statements in one workgroup against one database; safe to share between threads.

    Args:
        cloud: The account.
        settings: Database, workgroup, output and how long a query may take.
    """

    def __init__(self, cloud: Cloud, settings: CatalogSettings) -> None:
        """Take the settings; nothing is asked yet."""
        self._client = cloud.client("athena")
        self._settings, self._kms_key = settings, cloud.settings.kms_key

    def query(self, sql: str) -> pa.Table:
        """Return the result of one SELECT, WITH, SHOW or DESCRIBE.

        Timestamps are UTC without saying so, as Athena has them. Arrays and structs are text.

        Raises:
            UsageError: Another or more than one statement, or SQL that Athena refuses; a reason that might quote a
                post is withheld.
            ServiceError: Athena did not answer, or not in time.
        """
        check_reads(sql)
        return self._result(self._finished(sql))

    def execute(self, statement: str) -> None:
        """Run one statement of our own that returns no rows, such as CREATE VIEW.

        Raises:
            UsageError: As `query`.
            ServiceError: As `query`.
        """
        self._finished(statement)

    def _finished(self, sql: str) -> dict[str, Any]:
        """Return the execution of `sql` once it has succeeded."""
        execution_id = self._started(sql)
        deadline = time.monotonic() + 60 * self._settings.query_timeout_minutes
        pauses = _pauses(self._settings.poll_seconds)
        while True:
            with translated("athena", "GetQueryExecution"):
                execution: dict[str, Any] = self._client.get_query_execution(QueryExecutionId=execution_id)[
                    "QueryExecution"
                ]
            state = execution["Status"]["State"]
            if state == "SUCCEEDED":
                return execution
            if state in {"FAILED", "CANCELLED"}:
                raise _failure(execution_id, execution["Status"])
            if time.monotonic() > deadline:
                with translated("athena", "StopQueryExecution"):
                    self._client.stop_query_execution(QueryExecutionId=execution_id)
                raise PermanentServiceError(
                    "athena",
                    f"query {execution_id}",
                    f"was stopped after {self._settings.query_timeout_minutes:g} minutes; ask for fewer dates "
                    "(event_date), or raise catalog.query_timeout_minutes",
                )
            time.sleep(next(pauses))

    def _started(self, sql: str) -> str:
        settings = self._settings
        request: dict[str, Any] = {
            "QueryString": sql,
            "QueryExecutionContext": {"Database": settings.database},
            "WorkGroup": settings.workgroup,
        }
        if settings.query_output:
            request["ResultConfiguration"] = {"OutputLocation": settings.query_output}
            if self._kms_key:
                encryption = {"EncryptionOption": "SSE_KMS", "KmsKey": self._kms_key}
                request["ResultConfiguration"]["EncryptionConfiguration"] = encryption
        with translated("athena", f"StartQueryExecution in workgroup {settings.workgroup}"):
            try:
                execution_id: str = self._client.start_query_execution(**request)["QueryExecutionId"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "InvalidRequestException":
                    # Nothing has been read yet, so this can speak of the statement and the workgroup only.
                    reason = str(error.response["Error"].get("Message", ""))
                    remedy = next((f"; {said}" for word, said in _REFUSALS.items() if word in reason.lower()), "")
                    msg = f"Athena refused the query: {reason}{remedy}"
                    raise UsageError(msg) from error
                raise
        logger.info("query %s started in workgroup %s", execution_id, settings.workgroup)
        return execution_id

    def _result(self, execution: dict[str, Any]) -> pa.Table:
        pages = self._client.get_paginator("get_query_results").paginate(
            QueryExecutionId=execution["QueryExecutionId"], PaginationConfig={"PageSize": _ROWS_PER_PAGE}
        )
        # The first row of a SELECT names the columns; SHOW and DESCRIBE have no such row.
        n_heads = 1 if execution.get("StatementType", "DML") == "DML" else 0
        columns: list[dict[str, str]] = []
        rows: list[list[str | None]] = []
        with translated("athena", "GetQueryResults"):
            for page in pages:
                columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
                rows += (
                    [cell.get("VarCharValue") for cell in row.get("Data", ())] for row in page["ResultSet"]["Rows"]
                )
        return _typed(columns, rows[n_heads:])


def check_reads(sql: str) -> None:
    """Refuse what is not one statement that reads.

    Raises:
        UsageError: It is another statement, none, or several.
    """
    bare = _OPAQUE.sub(" ", sql).strip().rstrip(";").lstrip("( \n\t")
    first = re.match(r"\w*", bare)
    if first is None or first.group().upper() not in _READS or ";" in bare:
        msg = "only one SELECT (or WITH, SHOW, DESCRIBE) can be run: the lake is read, never changed"
        raise UsageError(msg)


def _typed(columns: list[dict[str, str]], rows: list[list[str | None]]) -> pa.Table:
    arrays = [
        _column(column, [row[index] if index < len(row) else None for row in rows])
        for index, column in enumerate(columns)
    ]
    return pa.Table.from_arrays(arrays, names=[column["Name"] for column in columns])


def _column(column: dict[str, str], values: list[str | None]) -> pa.Array:
    kind = pa.decimal128(38, _scale(values)) if column["Type"] == "decimal" else _TYPES.get(column["Type"], pa.string())
    # Arrow's error quotes the value: it is dropped, not chained.
    with suppress(pa.ArrowInvalid):
        return pa.array(values, pa.string()).cast(kind)
    raise AnswerError("athena result", f"a value of column {column['Name']} is no {column['Type']}")


def _scale(values: list[str | None]) -> int:
    """Return the most digits after the point; Athena writes every decimal of a column with as many."""
    return max((len(value.partition(".")[2]) for value in values if value), default=0)


def _failure(execution_id: str, status: dict[str, Any]) -> Exception:
    """Return the error for a query that ended badly, without what its reason may quote."""
    operation, reason = f"query {execution_id}", status.get("StateChangeReason", "")
    error = status.get("AthenaError", {})
    if status["State"] == "CANCELLED":
        return PermanentServiceError("athena", operation, "was cancelled, in the console or by the workgroup's limits")
    if reason.partition(":")[0] in SPEAKS_OF_THE_SQL:
        return UsageError(reason)
    if error.get("Retryable") or error.get("ErrorCategory") == _SYSTEM_ERROR:
        return TransientServiceError("athena", operation, f"failed inside Athena (error type {error.get('ErrorType')})")
    name = re.match(r"[A-Z][A-Z_]+(?=:)", reason)
    msg = (
        f"the query failed on the rows ({name.group() if name else 'no error name'}); its message is withheld because "
        f"it may quote a post: see query {execution_id} in the Athena console; for casts try TRY_CAST"
    )
    return UsageError(msg)


def _pauses(longest: float) -> Iterator[float]:
    """Yield seconds to wait: short at first, for most statements are, up to `longest`."""
    pause = min(0.2, longest)
    while True:
        yield pause
        pause = min(1.5 * pause, longest)
