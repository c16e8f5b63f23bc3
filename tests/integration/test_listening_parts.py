"""Reader, lander and assessor: what arrives lands, whatever the stream and the store do meanwhile."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from adverse_events.errors import PermanentServiceError, TransientServiceError
from adverse_events.landing.masking import Masker
from adverse_events.landing.sqlite import SqliteLanding
from adverse_events.listening.account import Account
from adverse_events.listening.assessor import Assessor
from adverse_events.listening.deliveries import Deliveries
from adverse_events.listening.lander import Lander
from adverse_events.listening.reader import Reader
from adverse_events.listening.recovery import Recovery
from adverse_events.listening.settings import ListenSettings
from adverse_events.listening.stations import Assessed
from adverse_events.listening.waiting import Waiting
from adverse_events.local_x.faults import Fault
from adverse_events.local_x.publication import StreamFault
from adverse_events.privacy import IdentityKey, PrivacySettings
from adverse_events.source.x.errors import UNAUTHORIZED
from adverse_events.source.x.settings import XSettings
from adverse_events.source.x.state import XState
from tests.landing_stores import FACTS, post
from tests.stream_server import publish, running_state, tweet, x_client
from tests.waits import PATIENCE_S, wait_for

KEY = IdentityKey(b"k" * 32)


@pytest.fixture
def state():
    state = running_state()
    state.rules.add("(sertraline)", "ade:1")
    return state


@contextmanager
def reading(state, waiting, *, last_heard=None, recover=None, **settings):
    """A reader in a thread of its own; at the end it has stopped."""
    stop, account = threading.Event(), Account()
    deliveries = Deliveries(Masker(KEY, keeps_ids=True), max_characters=25_000, retention_days=30)
    listen = ListenSettings(**{"pause_scale": 0.01, "recovery": "stream", **settings})
    with x_client(state) as client:
        reader = Reader(
            client,
            listen,
            deliveries,
            waiting,
            account,
            synchronise=lambda: None,
            recover=recover,
            stop=stop,
            last_heard=last_heard,
            fields={"tweet.fields": "created_at,lang"},
        )
        reader.failure = None

        def run():
            try:
                reader.run()
            except PermanentServiceError as error:
                reader.failure = error

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield reader, account
        finally:
            stop.set()
            client.hang_up()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def ids(waiting):
    return [each.tweet_id for each in waiting.take(1000, 0.01)]


def tweets(n_posts, moment=None, first=0):
    moment = moment or datetime.now(UTC)
    return [tweet(first + number, f"day {number} on sertraline", moment) for number in range(n_posts)]


def test_posts_arrive_in_order_and_only_those_a_rule_asks_for(state):
    waiting = Waiting(1000)
    with reading(state, waiting) as (_, account):
        wait_for(lambda: state.stream.n_connected)
        sent = publish(state, *tweets(5))
        publish(state, tweet(9, "a cup of tea", datetime.now(UTC)))
        wait_for(lambda: len(waiting) == 5)
    assert ids(waiting) == sent
    assert account["connections"] == 1


def test_a_stream_that_falls_silent_is_left_and_what_was_missed_is_asked_for(state):
    state.stream.rates = {StreamFault.SILENCE: 1.0}
    waiting = Waiting(1000)
    with reading(state, waiting, silence_seconds=0.5) as (reader, account):
        wait_for(lambda: reader.last_heard)
        sent = publish(state, *tweets(1))
        wait_for(lambda: len(waiting) == 1)
        wait_for(lambda: account["connections"] == 2)
    assert ids(waiting) == sent


@pytest.mark.parametrize("fault", [StreamFault.CUT, StreamFault.DISCONNECT])
def test_after_a_connection_that_ends_nothing_is_missing(state, fault):
    state.stream.rates = {fault: 0.2}
    waiting = Waiting(1000)
    with reading(state, waiting) as (reader, account):
        wait_for(lambda: reader.last_heard)
        sent = []
        for number in range(20):
            sent += publish(state, *tweets(1, first=number))
            time.sleep(0.01)
        wait_for(lambda: set(sent) <= {each.tweet_id for each in waiting._items})
        assert account["connections"] > 1


def test_half_a_line_is_rejected_and_the_stream_is_read_on(state):
    state.stream.rates = {StreamFault.HALF_LINE: 1.0}
    waiting = Waiting(1000)
    with reading(state, waiting) as (_, account):
        wait_for(lambda: state.stream.n_connected)
        publish(state, *tweets(1))
        wait_for(lambda: len(waiting) == 2)
    reject, landed = waiting.take(10, 0.01)
    assert (reject.reason, landed.text) == ("malformed_json", "day 0 on sertraline")
    assert account["connections"] == 1


def test_refused_connections_are_tried_again_with_the_pause_of_their_kind(state):
    state.faults.set("stream", {Fault.SERVER_ERROR: 1.0}, lasting=2)
    waiting = Waiting(1000)
    with reading(state, waiting, pause_scale=0.001) as (_, account):
        wait_for(lambda: state.stream.n_connected)
        assert account["pauses_http"] == 2


def test_a_second_connection_waits_until_the_first_is_gone(state):
    state.stream.n_connected = 1
    with reading(state, Waiting(10), pause_scale=0.001) as (_, account):
        wait_for(lambda: account["pauses_rate_limit"] >= 2)
        state.stream.n_connected = 0
        wait_for(lambda: account["connections"])


def test_a_stream_without_rules_is_asked_again(state):
    state.rules.delete([rule.rule_id for rule in state.rules.listed()], is_trial=False)
    with reading(state, Waiting(10), pause_scale=0.001) as (_, account):
        wait_for(lambda: account["pauses_http"])
        state.rules.add("(sertraline)")
        wait_for(lambda: account["connections"])


def test_a_token_x_refuses_ends_the_reading_with_the_remedy(state):
    state.token = state.token[::-1]
    with reading(state, Waiting(10)) as (reader, _):
        wait_for(lambda: reader.failure)
    assert UNAUTHORIZED in str(reader.failure)


def test_a_gap_is_read_by_search_and_kept_until_it_was(state, tmp_path, monkeypatch):
    monkeypatch.setattr("adverse_events.listening.recovery.PAUSE_SECONDS", 0.05)
    now = datetime.now(UTC)
    missed = tweets(3, now - timedelta(minutes=5))
    for each in [*missed, *tweets(2, now - timedelta(hours=5), first=10)]:
        state.add(each)
    state.faults.set("search/recent", {Fault.SERVER_ERROR: 1.0}, lasting=2)
    waiting, account, stop = Waiting(1000), Account(), threading.Event()
    with x_client(state, max_attempts=1) as client, XState(tmp_path) as spent:
        deliveries = Deliveries(Masker(KEY, keeps_ids=True), max_characters=25_000, retention_days=30)
        recovery = Recovery(
            client,
            ["(sertraline)"],
            deliveries,
            waiting,
            account,
            settings=XSettings(),
            state=spent,
            privacy=PrivacySettings(),
            stop=stop,
        )
        recovery.add(now - timedelta(minutes=10), now - timedelta(minutes=1))
        thread = threading.Thread(target=recovery.run)
        thread.start()
        assert recovery.is_open
        wait_for(lambda: not recovery.is_open)
        stop.set()
        thread.join()
        assert spent.spent_in_month().posts == 3
    assert sorted(ids(waiting)) == sorted(each["id"] for each in missed)


class Failing:
    """A store that fails so often, then does what it should."""

    name, lag_seconds = "a store", 0.0

    def __init__(self, store, n_failures, error):
        self.store, self.left, self.error = store, n_failures, error

    def put(self, posts, rejects=()):
        if self.left:
            self.left -= 1
            raise self.error
        return self.store.put(posts, rejects)


@pytest.fixture
def store(tmp_path):
    store = SqliteLanding.open(tmp_path / "landing.sqlite", FACTS)
    yield store
    store.close()


def land(store, posts, *, patience_seconds=60.0, stop=None):
    waiting, account, told = Waiting(1000), Account(), []
    for each in posts:
        waiting.put(each)
    waiting.close()
    lander = Lander(
        store,
        waiting,
        lambda new, stamp: told.append((new, stamp)),
        account,
        patience_seconds=patience_seconds,
        stop=stop or threading.Event(),
    )
    lander.run()
    assert lander.n_done == len(posts)
    return account, told


def test_only_what_is_new_goes_on(store):
    store.put([post(1)])
    account, ((new, _),) = land(store, [post(1), post(2)])
    assert [each.tweet_id for each in new] == [post(2).tweet_id]
    assert (account["landed"], account["duplicates"]) == (1, 1)


def test_a_store_that_fails_for_a_while_loses_nothing(store, monkeypatch, caplog):
    monkeypatch.setattr("adverse_events.listening.lander.FIRST_PAUSE_SECONDS", 0.01)
    gone = PermanentServiceError("landing store", "x.sqlite", "the file is gone; put it back")
    account, _ = land(Failing(store, 3, gone), [post(1), post(2)])
    assert (account["landed"], account["landing_failures"]) == (2, 3)
    assert "the file is gone; put it back; 2 posts are held" in caplog.text


def test_a_store_that_stays_away_ends_the_listener(store, monkeypatch):
    monkeypatch.setattr("adverse_events.listening.lander.FIRST_PAUSE_SECONDS", 0.01)
    away = TransientServiceError("dynamodb", "PutItem", "no answer")
    with pytest.raises(TransientServiceError):
        land(Failing(store, 10_000, away), [post(1)], patience_seconds=0.05)


class Counting:
    """Stations that only note what they are given."""

    def __init__(self, n_failures=0):
        self.seen, self.left = [], n_failures

    def assess(self, posts):
        if self.left:
            self.left -= 1
            raise TransientServiceError("sagemaker-runtime", "InvokeEndpoint", "throttled")
        self.seen += [each.tweet_id for each in posts]
        return Assessed(0, ())


@contextmanager
def assessing(store, stations, **settings):
    listen = ListenSettings(**{"assess_seconds": 0.05, **settings})
    assessor = Assessor(store, stations, listen, 60, Account(), on_serious=list, stop=threading.Event())
    thread = threading.Thread(target=assessor.run)
    thread.start()
    try:
        yield assessor
    finally:
        assessor.close()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def put(store, assessor, *numbers):
    posts = tuple(post(number) for number in numbers)
    landed = store.put(posts)
    assessor.landed(posts, landed.stamp)
    return landed.stamp


def test_what_has_landed_is_assessed_and_remembered(store):
    stations = Counting()
    with assessing(store, stations) as assessor:
        put(store, assessor, 1, 2)
        stamp = put(store, assessor, 3)
        wait_for(lambda: store.mark("assessed") == stamp)
    assert stations.seen == [post(n).tweet_id for n in (1, 2, 3)]


def test_what_a_killed_run_left_is_assessed_first(store):
    store.set_mark("assessed", store.put([post(1)]).stamp)
    left = store.put([post(2), post(90)]).stamp
    stations = Counting()
    with assessing(store, stations) as assessor:
        wait_for(lambda: store.mark("assessed") == left)
        put(store, assessor, 3)
    assert stations.seen == [post(n).tweet_id for n in (2, 90, 3)]


def test_more_than_may_wait_is_caught_up_from_the_store(store, monkeypatch):
    monkeypatch.setattr("adverse_events.listening.assessor.PAUSE_SECONDS", 0.2)
    stations = Counting(n_failures=1)
    with assessing(store, stations, waiting_posts=100) as assessor:
        stamps = [put(store, assessor, *range(at, at + 60)) for at in range(0, 600, 60)]
        wait_for(lambda: store.mark("assessed") >= stamps[-1])
    assert sorted(stations.seen) == sorted(post(n).tweet_id for n in range(600))


def test_stations_that_fail_for_now_are_asked_again(store, monkeypatch):
    monkeypatch.setattr("adverse_events.listening.assessor.PAUSE_SECONDS", 0.01)
    stations = Counting(n_failures=2)
    with assessing(store, stations) as assessor:
        stamp = put(store, assessor, 1)
        wait_for(lambda: store.mark("assessed") == stamp)
    assert stations.seen == [post(1).tweet_id]
