"""Athena's SQL, types and values, and the filters and batches of transform jobs, without a server."""

import json
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest
import sqlglot

from adverse_events.dictionary import athena_type
from adverse_events.local_aws.athena_engine import in_duckdb
from adverse_events.local_aws.athena_tables import arrow_type
from adverse_events.local_aws.athena_values import athena_type_name, csv_of, hive_type_name, written
from adverse_events.local_aws.crawler import partition_of
from adverse_events.local_aws.transform import JobError, filtered, requests_of
from adverse_events.tables import PARTITION_COLUMNS, TABLES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_type_of_a_lake_is_read_back_from_its_athena_type(table):
    for column in (*table.columns, *PARTITION_COLUMNS):
        assert athena_type(arrow_type(athena_type(column.type))) == athena_type(column.type)


def test_unnest_of_rows_yields_their_members_as_columns():
    rows = pa.table({"id": [1, 2], "events": [[{"name": "a", "n": 1}, {"name": "b", "n": 2}], []]})
    query = "SELECT id, e.label, e.n FROM rows CROSS JOIN UNNEST(events) AS e (label, n) ORDER BY e.n"
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        assert connection.sql(in_duckdb(sqlglot.parse_one(query, read="athena"))).fetchall() == [
            (1, "a", 1),
            (1, "b", 2),
        ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (True, "true"),
        (0.5, "0.5"),
        (datetime(2026, 3, 1, 9, 5, 7, 120_000, UTC), "2026-03-01 09:05:07.120"),
        (datetime(2026, 3, 1, tzinfo=UTC).date(), "2026-03-01"),
        (["a", None], "[a, null]"),
        ([{"name": "NEGATION", "score": 0.5}], "[{name=NEGATION, score=0.5}]"),
    ],
)
def test_values_are_written_as_athena_writes_them(value, text):
    assert written(value) == text


def test_the_csv_tells_a_null_from_an_empty_text():
    assert csv_of(["a", "b"], [["", None], ['he said "hi"', "2"]]) == b'"a","b"\n"",\n"he said ""hi""","2"\n'


def test_types_have_athenas_names():
    kinds = (
        pa.list_(pa.string()),
        pa.struct([("a", pa.int32())]),
        pa.timestamp("us"),
        pa.decimal128(38, 0),
        pa.int64(),
    )
    assert [athena_type_name(kind) for kind in kinds] == ["array", "row", "timestamp", "bigint", "bigint"]
    assert hive_type_name(pa.null()) == "string"
    assert hive_type_name(pa.decimal128(7, 6)) == "decimal(7,6)"


def test_a_partition_is_read_from_the_folders_alone():
    assert partition_of("event_date=2026-03-01/event_time=0900/a=b.parquet") == (
        ("event_date", "2026-03-01"),
        ("event_time", "0900"),
    )
    assert partition_of("readme.txt") == ()


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("$", {"id": "1", "inputs": "x", "SageMakerOutput": [0]}),
        ("$['id','SageMakerOutput']", {"id": "1", "SageMakerOutput": [0]}),
        ("$.SageMakerOutput", [0]),
    ],
)
def test_an_output_filter_leaves_what_it_names(path, left):
    assert filtered({"id": "1", "inputs": "x", "SageMakerOutput": [0]}, path) == left


def test_another_output_filter_fails_the_job():
    with pytest.raises(JobError, match="not served"):
        filtered({}, "$..id")


def job(**members):
    return {"TransformInput": {"SplitType": "Line"}, **members}


def test_lines_travel_one_by_one_or_as_many_as_fit():
    lines = [json.dumps({"inputs": "x" * 400_000}).encode() + b"\n"] * 5
    assert [len(request) for request in requests_of([*lines, b"\n"], job(BatchStrategy="SingleRecord"))] == [1] * 5
    assert [len(request) for request in requests_of(lines, job(MaxPayloadInMB=1))] == [2, 2, 1]
    assert list(requests_of([], job())) == []


def test_a_file_that_is_not_split_by_line_fails_the_job():
    with pytest.raises(JobError, match="SplitType"):
        next(requests_of([b"x"], {"TransformInput": {}}))
