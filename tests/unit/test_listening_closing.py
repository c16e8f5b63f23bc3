"""Windows: due when they are over, again when posts come late, and settled only when nothing is left to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adverse_events.landing.sqlite import SqliteLanding
from adverse_events.listening.closing import Closing
from tests.landing_stores import FACTS, post

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path):
    store = SqliteLanding.open(tmp_path / "landing.sqlite", FACTS)
    yield store
    store.close()


def closing_of(store, **changes):
    settings = {"window_minutes": 60, "retention_days": 30, "settle_seconds": 120, "rewrite_seconds": 0, **changes}
    return Closing(store, **settings)


def land(store, number, moment):
    return store.put([replace(post(number), created_at=moment)]).stamp


def starts(due):
    return [[window.start for window in part.windows] for part in due]


def test_a_window_is_due_once_it_is_over_and_has_settled(store):
    land(store, 1, NOON)
    closing = closing_of(store)
    assert starts(closing.due(0, NOON + HOUR + timedelta(seconds=119))) == []
    assert starts(closing.due(0, NOON + HOUR + timedelta(seconds=120))) == [[NOON]]


def test_windows_that_follow_one_another_are_written_together(store):
    for number, hours in enumerate((0, 1, 3)):
        land(store, number, NOON + hours * HOUR)
    assert starts(closing_of(store).due(0, NOON + 9 * HOUR)) == [[NOON, NOON + HOUR], [NOON + 3 * HOUR]]


def test_a_window_is_settled_when_it_is_both_written_and_assessed(store):
    stamp = land(store, 1, NOON)
    closing = closing_of(store)
    (due,) = closing.due(0, NOON + 9 * HOUR)
    closing.wrote(due, assessed=stamp - 1)
    assert store.touched() == {NOON: stamp}
    assert closing.due(stamp, NOON + 9 * HOUR) == []
    assert store.touched() == {}


def test_a_post_that_comes_late_makes_its_window_due_again(store):
    closing = closing_of(store)
    stamp = land(store, 1, NOON)
    (due,) = closing.due(stamp, NOON + 9 * HOUR)
    late = land(store, 2, NOON)
    closing.wrote(due, assessed=late)
    assert store.touched() == {NOON: late}
    assert starts(closing.due(late, NOON + 9 * HOUR)) == [[NOON]]


def test_late_posts_do_not_have_a_window_written_all_the_time(store):
    closing = closing_of(store, rewrite_seconds=3600)
    (due,) = closing.due(0, NOON + 9 * HOUR) if land(store, 1, NOON) else ()
    closing.wrote(due, assessed=0)
    land(store, 2, NOON)
    assert closing.due(0, NOON + 9 * HOUR) == []
    assert set(store.touched()) == {NOON}


def test_a_window_that_could_not_be_written_is_due_again(store):
    land(store, 1, NOON)
    closing = closing_of(store)
    (due,) = closing.due(0, NOON + 9 * HOUR)
    closing.failed(due)
    assert closing.due(0, NOON + 9 * HOUR) == [due]


def test_what_an_earlier_run_left_is_due_at_once(store):
    land(store, 1, NOON)
    assert starts(closing_of(store).due(0)) == [[NOON]]


def test_a_window_whose_posts_begin_to_expire_is_never_written_again(store):
    land(store, 1, NOON)
    assert closing_of(store, retention_days=1).due(0, NOON + timedelta(days=1, hours=2)) == []
    assert store.touched() == {}


def test_a_store_that_lags_behind_is_read_when_it_has_caught_up(store, monkeypatch):
    monkeypatch.setattr(SqliteLanding, "lag_seconds", 30.0)
    stamp = land(store, 1, NOON)
    landed_at = datetime.fromtimestamp(stamp / 1000, UTC)
    closing = closing_of(store)
    assert closing.due(0, landed_at + timedelta(seconds=29)) == []
    assert starts(closing.due(0, landed_at + timedelta(seconds=30))) == [[NOON]]
