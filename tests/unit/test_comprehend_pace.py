"""Keeping under quotas, with a clock of the test's own."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from adverse_events.coding.comprehend.pace import Pace


class Clock:
    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def sent(pace, clock, sizes):
    times = []
    for size in sizes:
        pace.wait(size)
        times.append(clock() - 100)
    return times


def test_requests_are_spread_over_the_second():
    clock = Clock()
    assert sent(Pace(4, 1000, clock=clock, sleep=clock.sleep), clock, [1] * 5) == [0, 0.25, 0.5, 0.75, 1.0]


def test_a_long_request_is_followed_by_the_pause_its_characters_cost():
    clock = Clock()
    assert sent(Pace(4, 1000, clock=clock, sleep=clock.sleep), clock, [500, 1, 2000, 1]) == [0, 0.5, 0.75, 2.75]


def test_an_idle_time_is_not_saved_up():
    clock = Clock()
    pace = Pace(4, 1000, clock=clock, sleep=clock.sleep)
    pace.wait(1)
    clock.now += 60
    assert sent(pace, clock, [1] * 3) == [60, 60.25, 60.5]


def test_nobody_waits_without_need():
    clock = Clock()
    pace = Pace(4, 1000, clock=clock, sleep=clock.sleep)
    for _ in range(5):
        pace.wait(1)
        clock.now += 0.3
    assert clock.slept == []


@pytest.mark.parametrize("n_threads", [1, 8])
def test_threads_together_keep_to_the_quota(n_threads):
    """Every turn is handed out once, whoever asks: with a clock that stands still the pauses add up exactly."""
    pauses = []
    pace = Pace(10, 1_000_000, clock=lambda: 0.0, sleep=pauses.append)
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(pace.wait, [1] * 100))
    assert sorted(pauses) == pytest.approx([turn / 10 for turn in range(1, 100)])
