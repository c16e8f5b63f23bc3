"""What a listener counts, and the line its deliveries wait in."""

import threading

import pytest

from adverse_events.listening.account import Account
from adverse_events.listening.waiting import Waiting


def test_delays_are_told_to_two_digits():
    account = Account()
    for milliseconds in range(1, 1001):
        account.delayed("landed", milliseconds)
    assert [account.quantile("landed", share) for share in (0.5, 0.95, 0.99, 1.0)] == [500, 950, 990, 1000]
    assert account.to_json()["landed_ms"] == {"p50": 500, "p95": 950, "p99": 990}


def test_nothing_delayed_has_no_delay():
    assert Account().quantile("landed", 0.5) is None
    assert Account().to_json() == {}


def test_a_clock_that_is_behind_makes_no_negative_delay():
    account = Account()
    account.delayed("landed", -5000)
    assert account.quantile("landed", 1.0) == 0


def test_things_come_out_in_order_and_at_most_so_many_at_once():
    waiting = Waiting(10)
    for number in range(5):
        assert waiting.put(number)
    assert waiting.take(3, 0) == [0, 1, 2]
    assert waiting.take(3, 0) == [3, 4]
    assert (len(waiting), waiting.n_in) == (0, 5)


def test_a_full_line_makes_whoever_adds_wait():
    waiting = Waiting(1)
    waiting.put("first")
    assert not waiting.put_now("no room")
    adding = threading.Thread(target=waiting.put, args=("second",))
    adding.start()
    assert waiting.take(1, 1) == ["first"]
    adding.join()
    assert waiting.take(1, 1) == ["second"]


@pytest.mark.parametrize("is_full", [True, False])
def test_a_closed_line_takes_no_more_and_gives_what_it_has(is_full):
    waiting = Waiting(1)
    if is_full:
        waiting.put("left")
    closing = threading.Timer(0.01, waiting.close)
    closing.start()
    closing.join()
    assert not waiting.put("late")
    assert waiting.is_over is not is_full
    assert waiting.take(5, 1) == (["left"] if is_full else [])
    assert waiting.is_over
