"""The landing store as a source: the lake is the one an archive of the same posts would give."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adverse_events import assembly
from adverse_events.errors import UsageError
from adverse_events.lake.query import LocalReader
from adverse_events.landing.dynamodb_items import table_definition
from adverse_events.landing.masking import Masker
from adverse_events.listening.deliveries import Deliveries
from adverse_events.local_aws.comparison import compare
from adverse_events.sample import wire
from adverse_events.sample.generate import generate
from adverse_events.settings import load_settings
from adverse_events.source.landing import LandingSource
from flows.detect import detect_adverse_events
from tests.landing_stores import NINE, TABLE, post, reject, sqlite_store
from tests.moto_server import cloud_at, moto_server

DAY = NINE.replace(hour=0)
END = DAY + timedelta(hours=4)


@pytest.fixture(scope="module")
def lines():
    return [
        json.dumps({"data": wire.tweet(each), "matching_rules": [{"id": "1"}]})
        for each in generate(500, 5, start=DAY, days=1)
        if each.created_at < END
    ]


@pytest.fixture(params=["file", "table"])
def landing(request, tmp_path, monkeypatch):
    """The settings of a landing store."""
    if request.param == "file":
        yield {"landing.path": str(tmp_path / "landing.sqlite")}
        return
    with moto_server() as url:
        cloud = cloud_at(url, monkeypatch)
        cloud.client("dynamodb").create_table(**table_definition(TABLE))
        yield {"landing.table": TABLE}


def land(lines, options):
    settings = load_settings(options)
    masker = Masker(assembly.identity_key_for(settings), keeps_ids=settings.privacy.mode == "case")
    deliveries = Deliveries(masker, max_characters=25_000, retention_days=30)
    with closing(assembly.landing_store_for(settings)) as store:
        return store.put([post for line in lines for post in deliveries.of_line(line.encode())])


@pytest.mark.parametrize("mode", ["signal", "case"])
def test_detect_over_the_landing_store_gives_the_lake_of_an_archive(lines, landing, tmp_path, mode):
    options = {**landing, "privacy.mode": mode}
    land(lines[::-1], options)
    archive = tmp_path / "posts.jsonl"
    archive.write_text("\n".join(lines), encoding="utf-8")
    one = detect_adverse_events.fn(DAY, END, "landing://", str(tmp_path / "one"), options=options)
    other = detect_adverse_events.fn(DAY, END, str(archive), str(tmp_path / "other"), options=options)
    assert one.rows_read == other.rows_read == len(lines)
    found = compare(LocalReader(tmp_path / "one"), LocalReader(tmp_path / "other"))
    assert found.is_equal
    assert found.n_rows > 50


def source(store, **changes):
    settings = {"channel": "x", "window_minutes": 60, "retention_days": 30, **changes}
    return LandingSource(store, **settings)


def test_a_window_that_may_have_lost_posts_is_refused_before_it_is_overwritten(tmp_path):
    with sqlite_store(tmp_path) as store, pytest.raises(UsageError, match="keeps posts for 1 days"):
        source(store, retention_days=1, start=DAY)


def test_without_a_range_only_windows_that_are_whole_are_read(tmp_path):
    now = NINE + timedelta(days=1, minutes=30)
    with sqlite_store(tmp_path) as store:
        store.put([post(n) for n in (29, 45, 60)])
        (chunk,) = source(store, retention_days=1, now=now).read()
    assert [int(each.tweet_id, 16) for each in chunk.tweets] == [60]


def test_undated_rejects_are_kept_by_the_window_they_came_in(tmp_path):
    dated = replace(reject(5), created_at=NINE + timedelta(hours=1))
    with sqlite_store(tmp_path) as store:
        store.put([], [reject(1), dated])
        (chunk,) = source(store).read()
    assert [each.origin for each in chunk.rejects] == [f"landing/{NINE:%Y-%m-%d}T0900Z", "landing"]
    assert all(each.is_masked for each in chunk.rejects)


def test_the_source_asks_for_a_store_that_is_there(tmp_path):
    options = {"source.path": "landing://", "landing.path": str(tmp_path / "none.sqlite")}
    with pytest.raises(UsageError, match="there is no landing store"):
        assembly.check_source(load_settings(options))


@pytest.mark.parametrize("path", ["landing:", "landing://ae_tweets", "LANDING://"])
def test_a_misspelt_landing_source_is_refused(path):
    with pytest.raises(UsageError, match="no landing store; write landing://"):
        load_settings({"source.path": path})


def test_an_hour_is_read_whatever_the_machine_thinks_of_zones(tmp_path):
    with sqlite_store(tmp_path) as store:
        store.put([post(0)])
        (chunk,) = source(store, start=NINE, end=NINE + timedelta(hours=1)).read()
    assert chunk.tweets[0].created_at == NINE.astimezone(UTC)
    assert datetime.now(UTC) - chunk.tweets[0].created_at < timedelta(days=3)
