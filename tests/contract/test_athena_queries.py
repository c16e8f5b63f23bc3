"""Queries over Athena's wire protocol: types, pages, states, and reasons that may not be passed on."""

import json
from collections import Counter

import pyarrow as pa
import pytest
from botocore import xform_name

from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings
from adverse_events.errors import AnswerError, PermanentServiceError, TransientServiceError, UsageError
from adverse_events.lake.catalog import queries as catalog_queries
from adverse_events.lake.catalog.athena import Athena
from adverse_events.lake.catalog.queries import saved_queries
from adverse_events.lake.catalog.settings import CatalogSettings
from adverse_events.local_aws.listener import listening
from adverse_events.local_aws.wire import error, json_answer
from tests.moto_server import aws_environment

POST = "three weeks of sertraline and my hands shake"
SETTINGS = CatalogSettings(database="lake", workgroup="team", poll_seconds=0.01, query_timeout_minutes=0.01)


class Scripted:
    """Athena as a test says it behaves; keeps what it was asked."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.asked, self.counts = [], Counter()
        self.states = [{"State": "SUCCEEDED"}]
        self.statement_type, self.columns, self.pages, self.refusal = "DML", [], [[]], None
        self.named = {}

    def __call__(self, request):
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        body = json.loads(request.get_data())
        self.asked.append((operation, body))
        self.counts[operation] += 1
        return getattr(self, xform_name(operation))(body)

    def start_query_execution(self, _):
        return error("athena", "InvalidRequestException", self.refusal, 400) if self.refusal else self._id()

    def _id(self):
        return json_answer({"QueryExecutionId": "q-1"})

    def get_query_execution(self, _):
        status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        execution = {"QueryExecutionId": "q-1", "Status": status, "StatementType": self.statement_type}
        return json_answer({"QueryExecution": execution})

    def get_query_results(self, body):
        page = int(body.get("NextToken", 0))
        rows = [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in self.pages[page]]
        result = {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": self.columns}}
        more = {"NextToken": str(page + 1)} if page + 1 < len(self.pages) else {}
        return json_answer({"ResultSet": result, **more})

    def stop_query_execution(self, _):
        return json_answer({})

    def list_named_queries(self, _):
        return json_answer({"NamedQueryIds": list(self.named)})

    def get_named_query(self, body):
        return json_answer({"NamedQuery": self.named[body["NamedQueryId"]]})

    def create_named_query(self, body):
        query_id = f"n-{len(self.named)}"
        self.named[query_id] = {**body, "NamedQueryId": query_id}
        return json_answer({"NamedQueryId": query_id})

    def update_named_query(self, body):
        self.named[body["NamedQueryId"]] |= body
        return json_answer({})


@pytest.fixture(scope="module")
def service():
    return Scripted()


@pytest.fixture(scope="module")
def cloud(service):
    with listening(service) as url, pytest.MonkeyPatch.context() as patch:
        for name, value in aws_environment(url).items():
            patch.setenv(name, value)
        cloud = Cloud(AwsSettings(max_attempts=1, kms_key="alias/lake"))
        cloud.client("athena")
        yield cloud


@pytest.fixture
def scripted(service):
    """The service, with nothing said to it yet."""
    service.reset()
    return service


@pytest.fixture
def athena(cloud, scripted):
    return Athena(cloud, SETTINGS)


def columns(**types):
    return [{"Name": name, "Type": kind} for name, kind in types.items()]


def test_values_have_athenas_types_and_null_is_not_an_empty_text(athena, scripted):
    scripted.columns = columns(
        t="varchar",
        i="integer",
        b="bigint",
        d="double",
        o="boolean",
        day="date",
        at="timestamp",
        m="decimal",
        a="array",
    )
    head = [column["Name"] for column in scripted.columns]
    first = ["", "-7", "9007199254740993", "0.25", "true", "2026-03-01", "2026-03-01 04:05:06.007", "1.50", "[a, b]"]
    second = [None, None, None, "NaN", "false", None, None, "12.25", None]
    scripted.pages = [[head, first], [second]]

    got = athena.query("SELECT 1")

    assert got.schema.types == [
        *(pa.string(), pa.int32(), pa.int64(), pa.float64(), pa.bool_(), pa.date32()),
        *(pa.timestamp("us"), pa.decimal128(38, 2), pa.string()),
    ]
    one, other = got.to_pylist()
    assert (one["t"], one["b"], str(one["at"]), str(one["m"])) == (
        "",
        9007199254740993,
        "2026-03-01 04:05:06.007000",
        "1.50",
    )
    assert (other["t"], other["i"], other["o"]) == (None, None, False)
    assert other["d"] != other["d"]


def test_a_result_without_rows_keeps_its_columns(athena, scripted):
    scripted.columns, scripted.pages = columns(n="bigint"), [[["n"]]]

    assert athena.query("SELECT 1").schema == pa.schema([("n", pa.int64())])


def test_show_has_no_row_of_names(athena, scripted):
    scripted.statement_type, scripted.columns = "UTILITY", columns(tab_name="string")
    scripted.pages = [[["assessments"], ["rejects"]]]

    assert athena.query("SHOW TABLES").to_pylist() == [{"tab_name": "assessments"}, {"tab_name": "rejects"}]


def test_columns_of_one_name_both_arrive(athena, scripted):
    scripted.columns, scripted.pages = columns(n="bigint") * 2, [[["n", "n"], ["1", "2"]]]

    assert [column.to_pylist() for column in athena.query("SELECT 1").columns] == [[1], [2]]


def test_a_value_of_another_type_is_refused_unquoted(athena, scripted):
    scripted.columns, scripted.pages = columns(n="bigint"), [[["n"], [POST]]]

    with pytest.raises(AnswerError, match="a value of column n is no bigint") as caught:
        athena.query("SELECT 1")
    assert POST not in repr(caught.value.__context__ or "") + str(caught.value)


def test_the_query_runs_in_the_workgroup_and_database_of_the_settings(cloud, scripted):
    scripted.columns = columns(n="bigint")
    settings = SETTINGS.model_copy(update={"query_output": "s3://out/queries/"})

    Athena(cloud, settings).query("SELECT 1")

    asked = scripted.asked[0][1]
    assert (asked["WorkGroup"], asked["QueryExecutionContext"]) == ("team", {"Database": "lake"})
    assert asked["ResultConfiguration"] == {
        "OutputLocation": "s3://out/queries/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": "alias/lake"},
    }


def test_a_query_is_waited_for(athena, scripted):
    scripted.columns = columns(n="bigint")
    scripted.states = [{"State": "QUEUED"}, {"State": "RUNNING"}, {"State": "SUCCEEDED"}]

    athena.query("SELECT 1")

    assert scripted.counts["GetQueryExecution"] == 3


def test_waiting_is_bounded_and_the_query_stopped(athena, scripted):
    scripted.states = [{"State": "RUNNING"}]

    with pytest.raises(PermanentServiceError, match=r"stopped after 0\.01 minutes.*catalog\.query_timeout_minutes"):
        athena.query("SELECT 1")
    assert scripted.counts["StopQueryExecution"] == 1


@pytest.mark.parametrize(
    "reason",
    [
        "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved or requester is not authorized",
        "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.lake.nope' does not exist",
        "SYNTAX_ERROR: line 1:8: mismatched",
    ],
)
def test_a_mistake_in_the_sql_is_explained_in_athenas_words(athena, scripted, reason):
    scripted.states = [{"State": "FAILED", "StateChangeReason": reason}]

    with pytest.raises(UsageError) as caught:
        athena.query("SELECT nope FROM nope")
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "reason",
    [
        f"INVALID_CAST_ARGUMENT: Cannot cast '{POST}' to INT",
        f"GENERIC_INTERNAL_ERROR: {POST}",
        f"{POST} cannot be read",
        f"INVALID_FUNCTION_ARGUMENT: COLUMN_NOT_FOUND: {POST}",
    ],
)
def test_a_failure_on_a_row_does_not_quote_the_row(athena, scripted, reason, caplog):
    about = {"ErrorCategory": 2, "ErrorMessage": reason}
    scripted.states = [{"State": "FAILED", "StateChangeReason": reason, "AthenaError": about}]

    with (
        caplog.at_level("DEBUG", logger="adverse_events"),
        pytest.raises(UsageError, match=r"query q-1.*TRY_CAST") as e,
    ):
        athena.query("SELECT CAST(text AS INTEGER) FROM assessments")

    assert "sertraline" not in str(e.value) + repr(e.value.__cause__) + caplog.text


def test_a_failure_inside_athena_is_worth_another_try(athena, scripted):
    about = {"ErrorCategory": 1, "ErrorType": 401, "Retryable": True, "ErrorMessage": POST}
    scripted.states = [{"State": "FAILED", "StateChangeReason": POST, "AthenaError": about}]

    with pytest.raises(TransientServiceError, match="error type 401") as caught:
        athena.query("SELECT 1")
    assert POST not in str(caught.value)


def test_a_cancelled_query_says_so(athena, scripted):
    scripted.states = [{"State": "CANCELLED"}]

    with pytest.raises(PermanentServiceError, match="was cancelled"):
        athena.query("SELECT 1")


def test_sql_that_athena_cannot_read_is_explained(athena, scripted):
    scripted.refusal = "line 1:1: mismatched input 'SELEC'. Expecting: ..."

    with pytest.raises(UsageError, match="mismatched input 'SELEC'"):
        athena.query("SELECT SELEC")


def test_a_workgroup_without_a_place_for_results_names_the_setting(athena, scripted):
    scripted.refusal = "No output location provided."

    with pytest.raises(UsageError, match=r"No output location.*set catalog\.query_output"):
        athena.query("SELECT 1")


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE assessments",
        "INSERT INTO rejects SELECT 1",
        "UNLOAD (SELECT * FROM assessments) TO 's3://elsewhere/'",
        "CREATE TABLE t AS SELECT 1",
        "MSCK REPAIR TABLE assessments",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT 1; DROP TABLE assessments",
        "-- SELECT\nDROP VIEW v",
        "/* SELECT */ ALTER TABLE t",
        "selected",
        "",
        ";",
        "-- nothing",
    ],
)
def test_anything_but_one_statement_that_reads_is_refused_unasked(athena, scripted, sql):
    with pytest.raises(UsageError, match="only one SELECT"):
        athena.query(sql)
    assert scripted.asked == []


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        " \n-- why\nSELECT ';' AS a, \"b;c\" FROM t -- end; here\n;",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "(SELECT 1) UNION (SELECT 2)",
        "SHOW TABLES",
        "DESCRIBE assessments",
        "/* a */ SELECT 'it''s; fine'",
    ],
)
def test_statements_that_read_are_run_as_they_are(athena, scripted, sql):
    scripted.columns = columns(n="bigint")

    athena.query(sql)

    assert scripted.asked[0][1]["QueryString"] == sql


def test_saved_queries_are_created_once_and_changed_ones_updated(cloud, scripted):
    theirs = {"Name": "reject_reasons", "Database": "another", "QueryString": "SELECT 2", "NamedQueryId": "theirs"}
    scripted.named["theirs"] = dict(theirs)

    assert catalog_queries.save(cloud, SETTINGS) == len(saved_queries())
    assert catalog_queries.save(cloud, SETTINGS) == 0
    changed = next(query for key, query in scripted.named.items() if key != "theirs")
    changed["QueryString"] = "SELECT 'an older one'"
    assert catalog_queries.save(cloud, SETTINGS) == 1

    assert scripted.named["theirs"] == theirs
    kept = {q["Name"]: q["QueryString"] for q in scripted.named.values() if q["Database"] == "lake"}
    assert kept == {query.name: query.sql for query in saved_queries()}
