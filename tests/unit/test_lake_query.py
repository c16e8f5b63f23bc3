"""SQL over a lake: the promised tables and views, and no way out of the folder."""

import json
import shutil
import time

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adverse_events.dictionary import athena_type
from adverse_events.errors import ContractError, UsageError
from adverse_events.lake import LocalLake, files
from adverse_events.lake.query import LocalReader, connect, query
from adverse_events.lake.views import DETECTED_EVENTS, LAMBDA_PREDICTIONS, VIEWS
from adverse_events.reporting.facts import gather
from adverse_events.tables import EVENT, PARTITION_COLUMNS, TABLES
from tests.staged_batches import LAKE, PROVENANCE, coded_row, hours, reject_row, stage, stage_rejects

ALL = [(table.name, (*table.columns, *PARTITION_COLUMNS)) for table in TABLES] + [(v.name, v.columns) for v in VIEWS]


def fill(folder, staged):
    lake = LocalLake.open(folder, **LAKE)
    first, second = hours(2)
    rows = {first: [coded_row(first, n, is_ade=n % 2 == 0) for n in range(4)], second: [coded_row(second, 9)]}
    rows[second][0]["events"].append({**rows[second][0]["events"][0], "is_event": False, "role": "INDICATION"})
    lake.write(stage(staged, rows, [reject_row(first, 7)]), PROVENANCE)
    lake.write_undated(stage_rejects(staged / "undated.arrow", [reject_row(None, 1)]), PROVENANCE)
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("query")
    return fill(folder / "lake", folder / "staged")


@pytest.fixture
def empty_lake(tmp_path):
    LocalLake.open(tmp_path / "lake", **LAKE)
    return tmp_path / "lake"


@pytest.mark.parametrize(("name", "columns"), ALL, ids=[name for name, _ in ALL])
def test_columns_and_types_are_the_declared_ones_in_a_full_and_in_an_empty_lake(lake, empty_lake, name, columns):
    declared = [(column.name, athena_type(column.type)) for column in columns]

    for folder in (lake, empty_lake):
        schema = query(folder, f"SELECT * FROM {name}").schema  # noqa: S608 - our own names
        assert [(field.name, athena_type(field.type)) for field in schema] == declared


def test_partition_values_come_from_the_path_as_date_and_text(lake):
    got = query(lake, "SELECT DISTINCT event_date, event_time FROM assessments ORDER BY ALL").to_pylist()

    assert [(str(row["event_date"]), row["event_time"]) for row in got] == [
        ("2026-03-01", "0000"),
        ("2026-03-01", "0100"),
    ]


def test_undated_rejects_and_their_receipt_are_seen(lake):
    sql = "SELECT (SELECT count(*) FROM rejects), (SELECT sum(rows_in) FROM receipts WHERE event_date = '1970-01-01')"

    assert [int(value) for value in query(lake, sql).to_pylist()[0].values()] == [2, 1]


def test_detected_events_has_one_row_per_event_that_counts(lake):
    got = query(lake, "SELECT * FROM detected_events ORDER BY created_at").to_pylist()

    assert len(got) == 3
    assert got[0]["drug_ingredients"] == ["semaglutide"]
    assert (got[0]["event_text"], got[0]["icd10cm_code"], got[0]["event_role"]) == ("nausea", "R11.0", "ADE")
    assert {row["event_role"] for row in got} == {"ADE"}


def test_lambda_predictions_are_the_older_samples_twelve_columns_as_text(lake):
    got = query(lake, "SELECT * FROM lambda_predictions ORDER BY timestamp")

    assert got.column_names == [
        *("id", "text", "pred_label", "pred_prob", "user_id", "timestamp"),
        *("user_city", "user_state", "user_location", "drug_mentions", "ae_type", "icd_codes"),
    ]
    positive, negative = got.to_pylist()[:2]
    assert (positive["pred_label"], positive["pred_prob"], positive["icd_codes"]) == ("Adverse_Event", "0.97", "R11.0")
    assert (positive["drug_mentions"], positive["ae_type"]) == ("ozempic", "nausea")
    assert positive["timestamp"] == "2026-03-01T00:00:00.000Z"
    assert (negative["pred_label"], negative["ae_type"], negative["icd_codes"]) == ("Not_AE", "", "")
    assert negative["user_id"] is None


@pytest.mark.parametrize(
    "name",
    ["plain", "sp ace", "q'uote", 'dq"uote', "ünï", "br[a]cket", "st*r", "qu?st", "env=prod", "comma,semi;", "{b}"],
)
def test_any_folder_name_works(tmp_path, name):
    folder = fill(tmp_path / name / "lake", tmp_path / "staged")

    assert query(folder, "SELECT count(*) AS n FROM detected_events").to_pylist() == [{"n": 3}]


def test_a_neighbour_whose_name_the_lakes_name_would_match_as_a_pattern_is_not_read(tmp_path):
    fill(tmp_path / "lake1", tmp_path / "staged")
    LocalLake.open(tmp_path / "lake[1]", **LAKE).write(stage(tmp_path / "s", {hours(1)[0]: []}), PROVENANCE)

    assert query(tmp_path / "lake[1]", "SELECT count(*) AS n FROM receipts").to_pylist() == [{"n": 1}]


def test_times_are_utc_whatever_the_machine_thinks(lake):
    got = query(lake, "SELECT CAST(min(created_at) AS VARCHAR) AS first FROM assessments").to_pylist()

    assert got == [{"first": "2026-03-01 00:00:00+00"}]


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{out}'",
        "COPY assessments TO '{inside}'",
        "ATTACH '{out}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE TABLE t AS SELECT 1",
        "DROP VIEW assessments",
        "SET enable_external_access = true",
        "EXPORT DATABASE '{out}'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{inside}'",
        "SELECT 1; SELECT 2",
        "",
        "-- nothing",
    ],
)
def test_anything_but_one_select_is_refused_and_writes_nothing(lake, tmp_path, sql):
    inside = lake / "inside.csv"

    with pytest.raises(UsageError, match="only one SELECT"):
        query(lake, sql.format(out=tmp_path / "out", inside=inside))

    assert not inside.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{out}')",
        "SELECT * FROM glob('{out}*')",
        "SELECT * FROM '{out}'",
        "SELECT * FROM read_parquet('https://example.org/x.parquet')",
    ],
)
def test_nothing_outside_the_lake_can_be_read(lake, tmp_path, sql):
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")

    with pytest.raises(UsageError, match="disabled by configuration"):
        query(lake, sql.format(out=secret))


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{out}'",
        "ATTACH '{out}'",
        "EXPORT DATABASE '{out}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "RESET lock_configuration",
    ],
)
def test_an_open_connection_cannot_reach_out_or_be_widened(lake, tmp_path, sql):
    with connect(lake) as connection, pytest.raises(duckdb.Error):
        connection.execute(sql.format(out=tmp_path / "out"))

    assert not (tmp_path / "out").exists()


def test_names_of_python_variables_are_not_tables(lake):
    smuggled = pa.table({"a": [1]})

    with pytest.raises(UsageError, match="smuggled does not exist"):
        query(lake, "SELECT * FROM smuggled")

    assert smuggled.num_rows == 1


@pytest.mark.parametrize(
    ("sql", "message"),
    [("SELEC 1", "syntax error"), ("SELECT nope FROM assessments", "nope"), ("SELECT * FROM nope", "nope")],
)
def test_a_mistake_in_the_sql_is_explained_in_duckdbs_words(lake, sql, message):
    with pytest.raises(UsageError, match=message):
        query(lake, sql)


def test_a_failure_on_a_row_does_not_quote_the_row(lake):
    with pytest.raises(UsageError, match="TRY_CAST") as caught:
        query(lake, "SELECT CAST(text AS INTEGER) FROM assessments")

    assert "ozempic" not in str(caught.value)


def test_a_folder_without_a_lake_and_a_lake_of_a_newer_schema_are_refused(tmp_path, empty_lake):
    with pytest.raises(UsageError, match="there is no lake in"):
        query(tmp_path / "nowhere", "SELECT 1")

    (empty_lake / "_lake.json").write_text('{"schema_version": 99}')
    with pytest.raises(ContractError, match="upgrade adverse_events"):
        query(empty_lake, "SELECT 1")


def test_a_writer_waits_for_a_reader_but_not_for_ever(tmp_path, monkeypatch):
    """A notebook left open overnight may not stop the schedule."""
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 0.3)
    folder = fill(tmp_path / "lake", tmp_path / "staged")
    (window,) = hours(1)
    batch = stage(tmp_path / "s", {window: [coded_row(window, 50)]})

    with connect(folder) as connection:
        connection.sql("SELECT count(*) FROM assessments").fetchall()
        started = time.monotonic()
        LocalLake.open(folder, **LAKE).write(batch, PROVENANCE)
        waited = time.monotonic() - started

    assert 0.3 <= waited < 5
    assert query(folder, "SELECT count(*) AS n FROM assessments").to_pylist() == [{"n": 2}]


def test_a_lake_without_its_lock_files_can_be_read(tmp_path):
    """A copy on a read-only disk has none, and no writer either."""
    folder = fill(tmp_path / "lake", tmp_path / "staged")
    shutil.rmtree(folder / ".locks")

    assert query(folder, "SELECT count(*) AS n FROM assessments").to_pylist() == [{"n": 5}]


def test_a_damaged_part_is_named(tmp_path):
    folder = fill(tmp_path / "lake", tmp_path / "staged")
    next(folder.glob("assessments/*/*/*.parquet")).write_bytes(b"not parquet at all")

    with pytest.raises(ContractError, match=r"part-0000\.parquet.*remove that file and run its window again"):
        query(folder, "SELECT count(*) FROM assessments")


def test_staging_of_a_writer_at_work_is_not_read(lake):
    staging = lake / ".staging-abc"
    staging.mkdir()
    (staging / "0-assessments-0000.parquet").write_bytes(b"PAR1 half")

    assert query(lake, "SELECT count(*) AS n FROM assessments").to_pylist() == [{"n": 5}]


def test_views_are_declared_under_the_names_they_are_queried_by():
    assert (DETECTED_EVENTS.name, LAMBDA_PREDICTIONS.name) == ("detected_events", "lambda_predictions")


def test_a_lake_of_an_older_version_is_read_with_nulls_for_the_newer_columns(empty_lake, tmp_path):
    """Version 1 had no is_truncated; new windows of the same lake have it."""
    lake = fill(empty_lake, tmp_path / "staged")
    marker = json.loads((lake / "_lake.json").read_text())
    (lake / "_lake.json").write_text(json.dumps(marker | {"schema_version": 1}))
    first, *others = sorted(lake.glob("assessments/*/*/*.parquet"))
    n_first = pq.read_metadata(first).num_rows
    pq.write_table(pq.ParquetFile(first).read().drop_columns("is_truncated"), first)
    for receipt in lake.glob("receipts/*/*/*.parquet"):
        pq.write_table(pq.ParquetFile(receipt).read().drop_columns(["uncoded", "rows_uncoded", "served_by"]), receipt)
    counted = query(lake, "SELECT count(*) AS n, count(is_truncated) AS n_said FROM assessments").to_pylist()
    n_rows = sum(pq.read_metadata(path).num_rows for path in (first, *others))
    assert counted == [{"n": n_rows, "n_said": n_rows - n_first}]
    assert query(lake, "SELECT DISTINCT uncoded FROM receipts").to_pylist() == [{"uncoded": None}]
    assert gather(LocalReader(lake)).account.uncoded == {}


@pytest.mark.parametrize("version", [1, 2])
def test_a_lake_without_seriousness_is_read_and_says_that_nobody_looked(empty_lake, tmp_path, version):
    """Before version 3, posts told no seriousness, and events no body system."""
    lake = fill(empty_lake, tmp_path / "staged")
    marker = json.loads((lake / "_lake.json").read_text())
    (lake / "_lake.json").write_text(json.dumps(marker | {"schema_version": version}))
    for path in lake.glob("assessments/*/*/*.parquet"):
        rows = pq.ParquetFile(path).read()
        events = [
            [
                {name: value for name, value in event.items() if name not in ("body_system", "is_serious")}
                for event in told
            ]
            for told in rows.column("events").to_pylist()
        ]
        older = pa.list_(pa.struct([field for field in EVENT if field.name not in ("body_system", "is_serious")]))
        rows = rows.drop_columns(["seriousness", "special_situations", "events"])
        pq.write_table(rows.append_column("events", pa.array(events, older)), path)

    found = query(lake, "SELECT event_text, body_system, is_serious, priority FROM detected_events").to_pylist()
    assert found
    assert {(row["event_text"], row["body_system"], row["is_serious"], row["priority"]) for row in found} == {
        ("nausea", None, None, None)
    }
    facts = gather(LocalReader(lake))
    assert {positive.priority for positive in facts.positives} == {"not_read"}
    assert facts.posts_by_priority() == {"not_read": len(facts.positives)}
