"""Athena's protocol: queries that run, over the S3 and Glue of this machine."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from sqlglot import exp

from adverse_events.local_aws.athena_engine import AthenaEngine, QueryFailure, SyntaxRefusal
from adverse_events.local_aws.athena_values import athena_type_name, csv_of, written
from adverse_events.local_aws.inside import split_url
from adverse_events.local_aws.wire import error, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from werkzeug.wrappers import Request, Response

    from adverse_events.local_aws.inside import Inside

SERVICE = "athena"
ROWS_PER_PAGE = 1000
"""Most rows of one GetQueryResults answer (Athena API reference, read 2026-11)."""

_NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)
_USER_ERROR = 2


@dataclass
class _Execution:
    """One query: what was asked, the state it is in, and its result once there is one."""

    asked: dict[str, Any]
    location: str
    statement: exp.Expression
    submitted_at: float = field(default_factory=time.time)
    state: str = "QUEUED"
    reason: str = ""
    names: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    ended: Event = field(default_factory=Event)

    @property
    def returns_rows(self) -> bool:
        return isinstance(self.statement, exp.Query)


class Athena:
    """Answers the operations of queries; everything else is the control plane's.

    Args:
        inside: Where S3, Glue and Athena's control plane answer.
    """

    OPERATIONS = ("StartQueryExecution", "GetQueryExecution", "GetQueryResults", "StopQueryExecution")

    def __init__(self, inside: Inside) -> None:
        """Start without a query."""
        self._inside, self._engine = inside, AthenaEngine(inside)
        self._lock = Lock()
        self._executions: dict[str, _Execution] = {}
        self._by_token: dict[str, str] = {}

    def __call__(self, request: Request) -> Response:
        """Answer one request for one of `OPERATIONS`."""
        body = request.get_json(force=True)
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        if operation == "StartQueryExecution":
            return self._start(body)
        answer: Callable[[str, _Execution, dict[str, Any]], Response] = {
            "GetQueryExecution": self._described,
            "GetQueryResults": self._results,
            "StopQueryExecution": self._stop,
        }[operation]
        execution_id = body["QueryExecutionId"]
        execution = self._executions.get(execution_id)
        if execution is None:
            return _refused(f"QueryExecution {execution_id} was not found")
        return answer(execution_id, execution, body)

    def _start(self, asked: dict[str, Any]) -> Response:
        token = asked.get("ClientRequestToken", uuid.uuid4().hex)
        with self._lock:
            if token in self._by_token:  # the request was sent twice; AWS starts one query
                return json_answer({"QueryExecutionId": self._by_token[token]})
        try:
            location = self._location(asked)
            statement = self._engine.parsed(asked["QueryString"])
        except (SyntaxRefusal, LookupError) as refusal:
            return _refused(str(refusal.args[0]))
        execution_id = str(uuid.uuid4())
        execution = _Execution(asked, f"{location.rstrip('/')}/{execution_id}.csv", statement)
        with self._lock:
            self._executions[execution_id] = execution
            self._by_token[token] = execution_id
        Thread(target=self._run, args=(execution,), name=f"query {execution_id}", daemon=True).start()
        return json_answer({"QueryExecutionId": execution_id})

    def _location(self, asked: dict[str, Any]) -> str:
        """Return where the result goes: the request's place, unless the workgroup has one that it enforces."""
        name = asked.get("WorkGroup", "primary")
        try:
            group = self._inside.client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
        except ClientError as missing:
            msg = f"WorkGroup {name} is not found."
            raise LookupError(msg) from missing
        settings = group.get("Configuration", {})
        own = settings.get("ResultConfiguration", {}).get("OutputLocation", "")
        given = asked.get("ResultConfiguration", {}).get("OutputLocation", "")
        location: str = own if own and settings.get("EnforceWorkGroupConfiguration") else given or own
        if not location:
            raise LookupError(_NO_OUTPUT)
        return location

    def _run(self, execution: _Execution) -> None:
        execution.state = "RUNNING"
        state, reason = "FAILED", "GENERIC_INTERNAL_ERROR: see the server's log"
        try:
            database = execution.asked.get("QueryExecutionContext", {}).get("Database", "default")
            self._keep(execution, self._engine.run(execution.statement, database))
            state, reason = "SUCCEEDED", ""
        except QueryFailure as failure:
            reason = str(failure)
        except ClientError as failure:
            reason = f"PERMISSION_DENIED: {failure.response['Error']['Message']}"
        finally:
            with self._lock:
                if execution.state != "CANCELLED":
                    execution.state, execution.reason = state, reason
            execution.ended.set()

    def _keep(self, execution: _Execution, result: pa.Table | None) -> None:
        if result is not None:
            execution.names = result.column_names
            execution.types = [athena_type_name(column.type) for column in result.schema]
            execution.rows = [[written(value) for value in row.values()] for row in result.to_pylist()]
        bucket, key = split_url(execution.location)
        body = csv_of(execution.names, execution.rows) if execution.returns_rows else b""
        self._inside.write(bucket, key, body)

    def _described(self, execution_id: str, execution: _Execution, _: dict[str, Any]) -> Response:
        status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted_at}
        if execution.reason:
            about = {"ErrorCategory": _USER_ERROR, "Retryable": False, "ErrorMessage": execution.reason}
            status |= {"StateChangeReason": execution.reason, "AthenaError": about}
        described = {
            "QueryExecutionId": execution_id,
            "Query": execution.asked["QueryString"],
            "StatementType": "DML" if execution.returns_rows else "DDL",
            "ResultConfiguration": {"OutputLocation": execution.location},
            "QueryExecutionContext": execution.asked.get("QueryExecutionContext", {}),
            "Status": status,
            "Statistics": {"DataScannedInBytes": 0, "EngineExecutionTimeInMillis": 0},
            "WorkGroup": execution.asked.get("WorkGroup", "primary"),
        }
        return json_answer({"QueryExecution": described})

    def _results(self, _: str, execution: _Execution, body: dict[str, Any]) -> Response:
        if execution.state != "SUCCEEDED":
            return _refused(f"Query has not yet finished. Current state: {execution.state}")
        heads: list[list[str | None]] = [[*execution.names]] if execution.returns_rows else []
        rows = [*heads, *execution.rows]
        begin = int(body.get("NextToken", "0"))
        end = begin + min(body.get("MaxResults", ROWS_PER_PAGE), ROWS_PER_PAGE)
        columns = [
            {"Name": name, "Label": name, "Type": kind, "Nullable": "UNKNOWN", "CaseSensitive": kind == "varchar"}
            for name, kind in zip(execution.names, execution.types, strict=True)
        ]
        shown = [
            {"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows[begin:end]
        ]
        answer = {"UpdateCount": 0, "ResultSet": {"Rows": shown, "ResultSetMetadata": {"ColumnInfo": columns}}}
        return json_answer(answer | ({"NextToken": str(end)} if end < len(rows) else {}))

    def _stop(self, _: str, execution: _Execution, __: dict[str, Any]) -> Response:
        with self._lock:
            if execution.state in {"QUEUED", "RUNNING"}:
                execution.state, execution.reason = "CANCELLED", ""
        return json_answer({})


def _refused(message: str) -> Response:
    return error(SERVICE, "InvalidRequestException", message, 400)
