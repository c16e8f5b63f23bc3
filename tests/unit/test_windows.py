"""The grid of windows: it tiles time, names each tile once, and refuses what is off it."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adverse_events.errors import UsageError
from adverse_events.windows import MINUTES_PER_DAY, Window, as_utc, check_window_minutes, closed_range, windows_between

patient = settings(deadline=None)
"""A slow machine is no failure."""

DIVISORS = [minutes for minutes in range(1, MINUTES_PER_DAY + 1) if MINUTES_PER_DAY % minutes == 0]
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2006, 1, 1), datetime(2100, 1, 1), timezones=offsets)  # noqa: DTZ001 - hypothesis wants naive bounds
lengths = st.sampled_from(DIVISORS)


@patient
@given(moment=moments, minutes=lengths)
def test_the_containing_window_holds_its_moment(moment, minutes):
    window = Window.containing(moment, minutes)

    assert window.start <= moment < window.end
    assert window.end - window.start == timedelta(minutes=minutes)
    assert Window(window.start, minutes) == window


@patient
@given(moment=moments, minutes=lengths)
def test_an_instant_belongs_to_one_window_in_whatever_zone_it_is_written(moment, minutes):
    assert Window.containing(moment, minutes) == Window.containing(moment.astimezone(UTC), minutes)


@patient
@given(moment=moments, minutes=lengths)
def test_the_window_before_a_moment_is_over_and_the_next_one_is_not(moment, minutes):
    window = Window.before(moment, minutes)

    assert window.end <= moment < window.end + timedelta(minutes=minutes)


@patient
@given(moment=moments, minutes=lengths, n=st.integers(1, 50))
def test_windows_between_tile_the_range_without_gap_or_overlap(moment, minutes, n):
    first = Window.containing(moment, minutes)
    end = first.start + timedelta(minutes=n * minutes)

    windows = list(windows_between(first.start, end, minutes))

    assert len(windows) == n
    assert windows[0].start == first.start
    assert windows[-1].end == end
    assert all(a.end == b.start for a, b in pairwise(windows))
    assert windows == sorted(windows)


@patient
@given(one=moments, other=moments, minutes=lengths)
def test_partitions_are_as_distinct_as_windows_and_sort_in_time_order(one, other, minutes):
    first, second = Window.containing(one, minutes), Window.containing(other, minutes)

    assert (first == second) == (first.partition == second.partition)
    assert (first < second) == (first.partition < second.partition)


@patient
@given(moment=moments, minutes=lengths.filter(lambda minutes: minutes > 1))
def test_a_start_off_the_grid_is_refused_with_its_neighbours(moment, minutes):
    on_grid = Window.containing(moment, minutes).start

    with pytest.raises(UsageError, match="off the grid"):
        Window(on_grid + timedelta(minutes=1), minutes)


@pytest.mark.parametrize("minutes", [0, -60, 7, 1441, 2880])
def test_a_length_that_does_not_divide_a_day_is_refused(minutes):
    with pytest.raises(UsageError, match=f"{minutes} minutes does not divide a day"):
        check_window_minutes(minutes)


def test_every_divisor_of_a_day_tiles_it():
    midnight = datetime(2026, 3, 1, tzinfo=UTC)

    for minutes in DIVISORS:
        tiles = windows_between(midnight, midnight + timedelta(days=1), minutes)
        assert sum(1 for _ in tiles) == MINUTES_PER_DAY // minutes


def test_an_off_grid_message_names_the_nearest_starts():
    with pytest.raises(UsageError, match="nearest starts are 2026-03-01T10:00Z and 2026-03-01T11:00Z"):
        Window(datetime(2026, 3, 1, 10, 20, tzinfo=UTC))


@pytest.mark.parametrize("make", [Window, Window.containing, Window.before, lambda moment: as_utc(moment, "start")])
def test_a_naive_moment_is_refused_rather_than_guessed(make):
    with pytest.raises(UsageError, match="no time zone"):
        make(datetime(2026, 3, 1))  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize("hours", [0, -1])
def test_an_end_that_is_not_after_the_start_is_refused_at_once(hours):
    start = datetime(2026, 3, 1, tzinfo=UTC)

    with pytest.raises(UsageError, match="is not after start"):
        windows_between(start, start + timedelta(hours=hours))


def test_an_end_off_the_grid_is_refused_at_once():
    start = datetime(2026, 3, 1, tzinfo=UTC)

    with pytest.raises(UsageError, match="off the grid"):
        windows_between(start, start + timedelta(minutes=90))


def test_names_of_a_window():
    window = Window(datetime(2026, 3, 1, 22, 30, tzinfo=UTC), 30)

    assert window.partition == "event_date=2026-03-01/event_time=2230"
    assert str(window) == "2026-03-01T22:30Z/2026-03-01T23:00Z"


def test_a_clock_change_elsewhere_does_not_bend_the_grid():
    """29 March 2026 has 23 hours in Berlin and 24 here."""
    before, after = timezone(timedelta(hours=1)), timezone(timedelta(hours=2))
    start = datetime(2026, 3, 29, tzinfo=before)
    end = datetime(2026, 3, 30, tzinfo=after)

    assert len(list(windows_between(start, end))) == 23


def test_a_time_of_another_class_finds_the_same_window():
    """Prefect's scheduled times are pendulum's, whose timedeltas cannot be divided."""
    pendulum = pytest.importorskip("pendulum")
    moment = pendulum.datetime(2026, 3, 1, 10, 37, tz="Europe/Paris")
    assert Window.containing(moment) == Window(datetime(2026, 3, 1, 9, tzinfo=UTC))
    assert type(closed_range(moment, 3, 60)[0]) is datetime


def test_the_last_closed_windows_end_where_the_open_one_starts():
    start, end = closed_range(datetime(2026, 3, 1, 10, 37, tzinfo=UTC), 3, 60)
    assert (start, end) == (datetime(2026, 3, 1, 7, tzinfo=UTC), datetime(2026, 3, 1, 10, tzinfo=UTC))
