"""The listener in one process: from the stream to the lake, with the landing store in a file and in a table."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from adverse_events import assembly
from adverse_events.lake.query import LocalReader
from adverse_events.landing.dynamodb import DynamoDbLanding
from adverse_events.landing.dynamodb_items import table_definition
from adverse_events.local_x.listener import LocalX
from adverse_events.local_x.state import TOKEN
from adverse_events.settings import load_settings
from flows.row_path import write_landed
from tests.landing_stores import TABLE
from tests.moto_server import cloud_at, moto_server
from tests.stream_server import listen_options, publish, running_state, tweet
from tests.waits import wait_for

TEXTS = ("sertraline gave me a terrible headache", "no ibuprofen for me, my stomach aches", "sertraline day nine")


@pytest.fixture
def state():
    return running_state()


@pytest.fixture(params=["file", "table"])
def options(request, state, tmp_path, monkeypatch):
    """Settings of a listener to a server that runs."""
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", TOKEN)
    with LocalX(state=state) as server:
        options = {**listen_options(server.address, tmp_path), "source.path": "landing://"}
        if request.param == "file":
            yield options
            return
        monkeypatch.setattr(DynamoDbLanding, "lag_seconds", 0.2)
        with moto_server() as url:
            cloud = cloud_at(url, monkeypatch)
            cloud.client("dynamodb").create_table(**table_definition(TABLE))
            yield {**options, "landing.table": TABLE}


def listener_for(options):
    return assembly.listener_for(load_settings(options), list)


def earlier(minutes=2):
    """A moment whose window of a minute is over."""
    return datetime.now(UTC) - timedelta(minutes=minutes)


def test_posts_of_windows_that_are_over_reach_the_lake_and_late_ones_follow(state, options, tmp_path):
    settings = load_settings(options)
    moment = earlier()
    with listener_for(options) as listener:
        wait_for(lambda: state.stream.n_connected)
        publish(state, *(tweet(number, text, moment) for number, text in enumerate(TEXTS[:2])))
        write_landed(listener.next_due(), listener, settings)
        publish(state, tweet(5, TEXTS[2], moment))
        wait_for(lambda: listener.account["landed"] == 3)
        write_landed(listener.next_due(), listener, settings)
        wait_for(lambda: listener.account["assessed"] == 3)
    with LocalReader(tmp_path / "lake").connect() as lake:
        assert lake.sql("SELECT sum(rows_in), count(*) FROM receipts").fetchall() == [(3, 1)]
        assert lake.sql("SELECT count(*), count(DISTINCT tweet_id) FROM assessments").fetchall() == [(3, 3)]


def test_what_a_run_left_behind_the_next_one_writes(state, options, tmp_path):
    with listener_for(options) as listener:
        wait_for(lambda: state.stream.n_connected)
        publish(state, tweet(1, TEXTS[0], earlier()))
        wait_for(lambda: listener.account["landed"] == 1)
    wait_for(lambda: not state.stream.n_connected)
    publish(state, tweet(2, TEXTS[2], earlier()))  # while nobody listens
    settings = load_settings(options)
    with listener_for(options) as listener:
        wait_for(lambda: listener.account["landed"] == 1)
        while listener.account["windows_written"] < 1 or _rows_in(tmp_path) < 2:
            write_landed(listener.next_due(), listener, settings)
    assert _rows_in(tmp_path) == 2


def test_a_table_that_vanishes_mid_run_is_told_and_landing_goes_on_when_it_is_back(
    state, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", TOKEN)
    monkeypatch.setattr("adverse_events.listening.lander.FIRST_PAUSE_SECONDS", 0.05)
    with moto_server() as url, LocalX(state=state) as server:
        tables = cloud_at(url, monkeypatch).client("dynamodb")
        tables.create_table(**table_definition(TABLE))
        options = {**listen_options(server.address, tmp_path), "landing.table": TABLE}
        with listener_for(options) as listener:
            wait_for(lambda: state.stream.n_connected)
            tables.delete_table(TableName=TABLE)
            publish(state, tweet(1, TEXTS[0], earlier()))
            wait_for(lambda: listener.account["landing_failures"])
            tables.create_table(**table_definition(TABLE))
            wait_for(lambda: listener.account["landed"] == 1)
    assert "the landing table is not there" in caplog.text


def test_a_listener_that_is_stopped_lands_what_has_arrived(state, options):
    with listener_for(options) as listener:
        wait_for(lambda: state.stream.n_connected)
        publish(state, *(tweet(number, TEXTS[0], datetime.now(UTC)) for number in range(30)))
        wait_for(lambda: listener.account["lines"] == 30)
        threading.Timer(0.01, listener.stop).start()
        assert listener.next_due() == []
    assert listener.account["landed"] == listener.account["assessed"] == 30


def _rows_in(folder):
    if not (folder / "lake" / "receipts").exists():
        return 0
    with LocalReader(folder / "lake").connect() as lake:
        return lake.sql("SELECT coalesce(sum(rows_in), 0) FROM receipts").fetchall()[0][0]
