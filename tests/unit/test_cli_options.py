"""How the command line reads times, ranges and settings."""

from datetime import UTC, datetime

import pytest

from ade.options import assigned, moment, span
from adverse_events.errors import UsageError


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-03-01", 0), ("2026-03-01T05:00Z", 5), ("2026-03-01T05:00:00+00:00", 5), ("2026-03-01T05:00+02:00", 3)],
)
def test_a_time_is_read_as_utc_and_a_bare_date_as_the_start_of_its_day(text, hour):
    assert moment(text, "--start") == datetime(2026, 3, 1, hour, tzinfo=UTC)


def test_a_time_of_day_without_a_zone_is_refused_with_the_way_to_write_it():
    with pytest.raises(UsageError, match="--start '2026-03-01T05:00' has no time zone; write 2026-03-01T05:00Z"):
        moment("2026-03-01T05:00", "--start")


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "", "1.3.2026", "2026-03-01T25:00Z"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(UsageError, match="is not a time; write 2026-03-01T00:00Z"):
        moment(text, "--end")


@pytest.mark.parametrize(
    ("start", "end", "complaint"),
    [
        ("2026-03-01", None, "--start needs --end too"),
        (None, "2026-03-01", "--end needs --start too"),
        ("2026-03-02", "2026-03-01", "--end 2026-03-01 is not after --start 2026-03-02"),
        ("2026-03-01", "2026-03-01", "is not after"),
    ],
)
def test_half_a_range_and_a_range_that_ends_before_it_starts_are_refused(start, end, complaint):
    with pytest.raises(UsageError, match=complaint):
        span(start, end)


def test_settings_are_read_by_name_and_the_last_one_wins():
    given = ["classifier.ade_threshold=0.7", "source.channel=a=b", "classifier.ade_threshold=0.8", "source.path=null"]
    assert assigned(given) == {"classifier.ade_threshold": "0.8", "source.channel": "a=b", "source.path": None}


@pytest.mark.parametrize("given", ["classifier.ade_threshold", "=0.7", "x=[1,"])
def test_a_setting_without_name_or_value_is_refused(given):
    with pytest.raises(UsageError, match="--set"):
        assigned([given])
