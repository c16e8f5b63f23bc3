"""The views in Athena's SQL: the same columns and rows as the views in DuckDB's.

Athena itself is out of reach here. Its SQL is read by sqlglot in Athena's dialect and run by DuckDB over the same lake.
"""

from datetime import UTC, datetime, timedelta

import pytest
import sqlglot
from sqlglot import exp

from adverse_events.dictionary import athena_type
from adverse_events.lake.catalog.queries import saved_queries
from adverse_events.lake.query import LocalReader
from adverse_events.lake.views import DETECTED_EVENTS, LAMBDA_PREDICTIONS, VIEWS, view_sql
from adverse_events.local_aws.athena_engine import in_duckdb
from adverse_events.tables import ASSESSMENTS, EVENT, PARTITION_COLUMNS, RECEIPTS, REJECTS
from adverse_events.windows import Window
from tests.report_lake import WEEK, assessment, write_sample_week, write_window

HOUR = Window(WEEK + timedelta(hours=100))


def event(**changes):
    given = dict.fromkeys(EVENT.names) | {"is_event": True, "role": "ADE", "traits": []}
    return given | changes


ODD_ROWS = [
    # Several drugs out of order and twice; two events that count, one that does not, one without a code.
    assessment(
        "[=Zoloft|sertraline] [=aspirin|aspirin] [=sertraline|sertraline] "
        "[!sick|R11.0] [?sad|F32.9] [!fog|] [!dizzy|R42]",
        at=HOUR.start + timedelta(milliseconds=7),
        tweet_id="a",
        probability=0.623456,
    ),
    # As under keep_text=none: no surface forms, only what they stand for.
    assessment(
        "",
        at=HOUR.start + timedelta(minutes=1, milliseconds=999),
        tweet_id="b",
        text=None,
        drug_mentions=[{"mention": None, "begin": None, "end": None, "ingredient": "naproxen"}],
        events=[
            event(icd10cm_code="R11.0", icd10cm_description="Nausea"),
            event(),
            event(is_event=False, text="x"),
        ],
    ),
    # A drug whose ingredient is not known, beside one whose is.
    assessment(
        "[!sick|R11.0]",
        at=HOUR.start + timedelta(minutes=2),
        tweet_id="c",
        drug_mentions=[
            {"mention": "it", "begin": 0, "end": 2, "ingredient": None},
            {"mention": "Advil", "begin": 3, "end": 8, "ingredient": "ibuprofen"},
        ],
        author_pseudonym="p1",
    ),
    assessment("quote ' \" , comma", at=HOUR.start, tweet_id="d", probability=0.0),
    assessment("certain", at=HOUR.start, tweet_id="e", probability=1.0, events=[]),
    assessment("hardly", at=HOUR.start, tweet_id="f", probability=0.000012),
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("views") / "lake"
    write_sample_week(folder, n_posts=120)
    write_window(folder, HOUR, ODD_ROWS)
    with LocalReader(folder).connect() as connection:
        yield connection


def in_athena(lake, sql):
    return lake.sql(in_duckdb(sqlglot.parse_one(sql, read="athena"))).to_arrow_table()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_the_same_rows_in_athena_as_in_duckdb(lake, view):
    ours = lake.sql(f"FROM {view.name}").to_arrow_table().to_pylist()
    theirs = in_athena(lake, view_sql(view, "athena")).to_pylist()

    assert len(ours) > 100
    assert sorted(map(str, theirs)) == sorted(map(str, ours))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_in_athena_has_the_declared_columns(lake, view):
    got = in_athena(lake, view_sql(view, "athena")).schema

    assert [(f.name, athena_type(f.type)) for f in got] == [(c.name, athena_type(c.type)) for c in view.columns]


def test_the_members_of_an_event_are_named_in_the_order_of_the_table():
    """Athena's UNNEST of rows makes columns by position."""
    query = sqlglot.parse_one(view_sql(DETECTED_EVENTS, "athena"), read="athena")

    assert [column.name for column in query.find(exp.Unnest).args["alias"].columns] == EVENT.names


def test_odd_values_read_the_same_to_a_dashboard(lake):
    sql = f"SELECT * FROM ({view_sql(LAMBDA_PREDICTIONS, 'athena')}) AS v WHERE id IN ('a', 'b', 'e', 'f') ORDER BY id"  # noqa: S608 - our own view
    a, b, e, f = in_athena(lake, sql).to_pylist()

    assert (a["pred_prob"], e["pred_prob"], f["pred_prob"]) == ("0.623456", "1.0", "0.000012")
    assert a["timestamp"] == f"{datetime(2026, 3, 6, 4, tzinfo=UTC):%Y-%m-%dT%H:%M:%S}.007Z"
    assert (a["drug_mentions"], a["ae_type"], a["icd_codes"]) == (
        "Zoloft, aspirin, sertraline",
        "sick, fog, dizzy",
        "R11.0, R42",
    )
    assert (b["text"], b["drug_mentions"], b["ae_type"], b["icd_codes"]) == (None, "naproxen", "Nausea", "R11.0")


@pytest.mark.parametrize("query", saved_queries(), ids=lambda query: query.name)
def test_a_saved_query_runs_and_says_what_it_tells(lake, query):
    result = in_athena(lake, query.sql)

    assert result.num_columns > 1
    assert query.description.endswith(".")


def test_saved_queries_count_what_is_there(lake):
    sql = {query.name: query.sql for query in saved_queries()}
    by_reason = in_athena(lake, sql["reject_reasons"]).to_pylist()

    assert by_reason[0] | {"first_date": None} == {
        "reason": "malformed_json",
        "origin": "week.jsonl",
        "n_rows": 3,
        "first_row": None,
        "first_date": None,
    }
    assert in_athena(lake, sql["receipts_that_do_not_balance"]).num_rows == 0


@pytest.mark.parametrize("query", saved_queries(), ids=lambda query: query.name)
def test_a_saved_query_names_columns_that_are_declared(query):
    tables = {t.name: {c.name for c in (*t.columns, *PARTITION_COLUMNS)} for t in (ASSESSMENTS, REJECTS, RECEIPTS)}
    tables |= {view.name: {column.name for column in view.columns} for view in VIEWS}
    parsed = sqlglot.parse_one(query.sql, read="athena")
    known = set.union(*(tables[table.name] for table in parsed.find_all(exp.Table)))
    made = {alias.alias for alias in parsed.find_all(exp.Alias)}
    unnested = {c.name for a in parsed.find_all(exp.TableAlias) for c in a.columns}

    assert {column.name for column in parsed.find_all(exp.Column)} <= known | made | unnested
