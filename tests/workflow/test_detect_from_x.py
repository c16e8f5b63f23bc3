"""Whole runs over posts that are searched for on X: the same lake as from files of the same posts."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from ade.__main__ import run
from adverse_events.assembly import live
from adverse_events.lake.receipt import settled
from adverse_events.local_x.clock import Clock
from adverse_events.local_x.listener import LocalX
from adverse_events.local_x.query import parse
from adverse_events.local_x.state import TOKEN, State
from adverse_events.sample.clock import iso_milliseconds, snowflake
from adverse_events.sample.generate import generate
from adverse_events.settings import load_settings
from adverse_events.source.x import client
from adverse_events.source.x.fields import POST
from flows.backfill import backfill_adverse_events
from flows.detect import detect_adverse_events
from tests.x_server import START

END = START + timedelta(days=7)
N_POSTS = 400


@pytest.fixture(scope="module")
def server():
    state = State(clock=Clock(END + timedelta(days=1)))
    with LocalX(generate(N_POSTS, 7), state=state) as running:
        yield running


@pytest.fixture(autouse=True)
def address(server, monkeypatch, tmp_path):
    server.state.faults.clear()
    monkeypatch.setenv("ADE_X__BASE_URL", server.address)
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", TOKEN)
    monkeypatch.setenv("ADE_X__STATE_FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("ADE_SEARCH__SECONDS_BETWEEN_REQUESTS", "0")
    monkeypatch.setenv("ADE_SEARCH__HOURS_PER_REQUEST", "168")
    monkeypatch.setenv("ADE_WINDOW_MINUTES", "360")


def data_of(lake):
    """Return the data files of a lake, byte for byte, and what its receipts say of them."""
    files = {path.relative_to(lake).as_posix(): path for path in lake.rglob("*.parquet")}
    return {
        key: settled(pq.read_table(path)) if key.startswith("receipts/") else path.read_bytes()
        for key, path in files.items()
    }


def archive_of(server, path):
    """Write what X would find, as somebody else would have fetched it: by the server's own reading of the queries."""
    found = {}
    for query in live.queries_for(load_settings({"source.path": "x://all"})):
        for post in server.state.matching(parse(query), START, END):
            tweet = post.load()["data"]
            found[post.tweet_id] = {name: value for name, value in tweet.items() if name in {"id", "text", *POST}}
    path.write_text("".join(f"{json.dumps({'data': [tweet]})}\n" for tweet in found.values()), encoding="utf-8")
    return len(found)


def detect(source, lake, **options):
    given = {"source": str(source), "lake": str(lake), "start": START, "end": END, "options": options}
    return detect_adverse_events.fn(**given)


def test_a_week_from_x_is_byte_for_byte_the_week_from_files(server, tmp_path, monkeypatch):
    """With one request in twelve failing, too: a fault leaves no trace."""
    monkeypatch.setattr(client, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(client, "MARGIN_S", 0)
    n_found = archive_of(server, tmp_path / "posts.jsonl")
    server.state.faults.everywhere(0.08, ("search/all",))
    from_x = detect("x://all", tmp_path / "x", **{"x.max_attempts": 12})
    server.state.faults.clear()
    from_files = detect(tmp_path / "posts.jsonl", tmp_path / "files")
    assert from_x.rows_read == from_files.rows_read == n_found > N_POSTS / 2
    assert from_x.rows_assessed == from_files.rows_assessed > 0
    assert from_x.rows_positive > 0
    ours, theirs = data_of(tmp_path / "x"), data_of(tmp_path / "files")
    assert ours.keys() == theirs.keys()
    tables = [key for key in ours if key.startswith("assessments/")]
    assert len(tables) == 28
    assert all(ours[key] == theirs[key] for key in tables)


SOME = {"search.drugs": "ibuprofen,sertraline,semaglutide,melatonin,gabapentin", "search.hours_per_request": 24}


def test_a_capped_backfill_writes_whole_windows_and_goes_on_where_it_stopped(server, tmp_path):
    backfill = backfill_adverse_events.fn
    given = {"source": "x://all", "lake": str(tmp_path / "lake"), "start": START, "end": END}
    served = server.state.served
    first = backfill(**given, options={**SOME, "x.max_posts_per_run": 30})
    assert 0 < first.n_windows < 28
    assert first.n_windows + first.n_windows_not_read == 28
    assert "x.max_posts_per_run (30) is reached" in first.why_not_read
    second = backfill(**given, options={**SOME, "x.max_posts_per_run": 0})
    assert second.n_windows == first.n_windows_not_read
    assert second.n_windows_not_read == 0
    n_paid = server.state.served - served
    again = backfill(**given, options=SOME)
    assert (again.n_windows, again.rows_read, server.state.served - served) == (0, 0, n_paid)
    whole = detect("x://all", tmp_path / "whole", **SOME, **{"x.state_folder": str(tmp_path / "other")})
    assert whole.rows_read == first.rows_read + second.rows_read
    assert n_paid <= whole.rows_read + 2
    assert data_of(tmp_path / "lake").keys() == data_of(tmp_path / "whole").keys()
    changed = backfill(**given, options={**SOME, "search.drugs": "ibuprofen,sertraline"})
    assert changed.n_windows == 28


def test_the_command_says_what_was_not_read_and_has_a_code_of_its_own(server, tmp_path, capsys):
    arguments = [
        "--source",
        "x://all",
        "--start",
        "2026-03-02",
        "--end",
        "2026-03-04",
        "--lake",
        str(tmp_path / "lake"),
    ]
    sets = ["--set", "search.drugs=ibuprofen", "--set", "x.max_posts_per_run=5", "--json"]
    assert run(["detect", *arguments, *sets]) == 4
    printed = json.loads(capsys.readouterr().out)
    assert (printed["n_windows"], printed["n_windows_not_read"]) == (0, 8)
    assert "x.max_posts_per_run (5)" in printed["why_not_read"]
    assert not list((tmp_path / "lake").rglob("receipt.parquet"))


@pytest.mark.parametrize(
    ("arguments", "variables", "told"),
    [
        (["--source", "x://all"], {}, "give --start and --end"),
        (["--source", "x://some", "--start", "2026-03-02", "--end", "2026-03-03"], {}, "x://recent or x://all"),
        (
            ["--source", "x://all", "--start", "2026-03-02", "--end", "2026-03-03"],
            {"ADE_X__BEARER_TOKEN": None},
            "no bearer token for X; set ADE_X__BEARER_TOKEN",
        ),
        (
            ["--source", "x://all", "--start", "2026-03-02", "--end", "2026-03-03", "--set", "search.drugs=qwertyuiop"],
            {},
            "the drug lexicon does not hold 'qwertyuiop'",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_read(
    server, monkeypatch, capsys, arguments, variables, told
):
    n_asked = server.state.asked.total()
    for name, value in variables.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    code = run(["detect", *arguments])
    assert code == 2
    assert told in capsys.readouterr().err
    assert server.state.asked.total() == n_asked


def test_the_hourly_deployment_reads_the_windows_that_were_over_last(monkeypatch, tmp_path):
    """As prefect.yaml says it, with the source changed: no other parameter is needed."""
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    monkeypatch.setenv("ADE_WINDOW_MINUTES", "60")
    monkeypatch.setenv("ADE_SEARCH__DRUGS", "sertraline")
    with LocalX(state=State(clock=Clock(now))) as running:
        monkeypatch.setenv("ADE_X__BASE_URL", running.address)
        for hours in range(5):
            moment = hour - timedelta(hours=hours) + timedelta(minutes=1)
            tweet_id = str(snowflake(moment, 0))
            text = f"hour {hours} of sertraline and no sleep"
            running.state.add(
                {"id": tweet_id, "edit_history_tweet_ids": [tweet_id], "text": text, "lang": "en"}
                | {"created_at": iso_milliseconds(moment)}
            )
        account = detect_adverse_events.fn(source="x://recent", lake=str(tmp_path / "lake"), last_windows=3)
    assert (account.n_windows, account.rows_read, account.n_windows_not_read) == (3, 3, 0)
    assert account.start == hour - timedelta(hours=3)
