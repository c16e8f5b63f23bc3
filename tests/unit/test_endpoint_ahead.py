"""Several requests at one time: order, limits, failures."""

import time
from threading import Event

import pytest

from adverse_events.classification.endpoint.ahead import AHEAD, Stopped, in_order


def test_answers_come_in_the_order_of_the_requests():
    def ask(number, _stop):
        time.sleep(0.002 * (number % 3))
        return number * 10

    assert list(in_order(ask, range(30), at_once=4)) == [number * 10 for number in range(30)]


def test_requests_are_taken_only_a_few_ahead_of_the_reader():
    taken = []

    def requests():
        for number in range(1000):
            taken.append(number)
            yield number

    answers = in_order(lambda number, _stop: number, requests(), at_once=3)
    for read in range(1, 5):
        next(answers)
        assert len(taken) == AHEAD * 3 + read - 1
    answers.close()


def test_the_first_failure_ends_it_and_calls_off_the_others():
    """Request 0 waits for ever; request 1 fails; what comes out is 1's own error."""
    called_off = Event()

    def ask(number, stop):
        if number == 0:
            assert stop.wait(10)
            called_off.set()
            raise Stopped
        if number == 1:
            raise KeyError("one")
        return number

    with pytest.raises(KeyError, match="one"):
        list(in_order(ask, range(10), at_once=2))
    assert called_off.is_set()


def test_closing_calls_off_what_waits():
    called_off = Event()

    def ask(number, stop):
        if number == 1:
            stop.wait(10)
            called_off.set()
        return number

    answers = in_order(ask, range(10), at_once=2)
    assert next(answers) == 0
    answers.close()
    assert called_off.wait(5)


def test_no_requests_give_no_answers():
    assert list(in_order(lambda number, _stop: number, [], at_once=2)) == []
