"""When people post, and the ids that follow from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.sample.dice import Dice

HOURLY_WEIGHTS = (9, 9, 9, 8, 7, 5, 4, 3, 2, 2, 2, 3, 5, 6, 7, 7, 8, 8, 8, 8, 8, 8, 9, 9)
"""Posts per UTC hour, relative: a mostly American crowd, asleep from 06:00 to 11:00 UTC."""

WEEKEND_WEIGHT = 0.85
MILLISECONDS_PER_HOUR = 3_600_000
FIRST_WEEKEND_DAY = 5

SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
"""Milliseconds after 1970 that X's ids count from.

Source:
    https://docs.x.com/resources/fundamentals/x-ids, and twitter/snowflake's IdWorker, read 2026-11.
"""
SNOWFLAKE_LOW_BITS = 22


def posting_hours(n_posts: int, start: datetime, days: int) -> Iterator[tuple[datetime, int]]:
    """Yield each hour of `days` from `start` with its number of posts; the numbers add up to `n_posts`."""
    hours = [start + timedelta(hours=hour) for hour in range(24 * days)]
    weights = [HOURLY_WEIGHTS[h.hour] * (WEEKEND_WEIGHT if h.weekday() >= FIRST_WEEKEND_DAY else 1) for h in hours]
    total, so_far, dealt = sum(weights), 0.0, 0
    for hour, weight in zip(hours, weights, strict=True):
        so_far += weight
        upto = round(n_posts * so_far / total)
        yield hour, upto - dealt
        dealt = upto


def posting_times(dice: Dice, hour: datetime, n_posts: int) -> list[datetime]:
    """Return `n_posts` moments of the hour, in order, whole milliseconds."""
    offsets = sorted(dice.below(MILLISECONDS_PER_HOUR) for _ in range(n_posts))
    return [hour + timedelta(milliseconds=offset) for offset in offsets]


def snowflake(moment: datetime, low_bits: int) -> int:
    """Return the id of a post written at `moment`; `low_bits` tells apart those of one millisecond."""
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return ((milliseconds - SNOWFLAKE_EPOCH_MS) << SNOWFLAKE_LOW_BITS) + low_bits


def iso_milliseconds(moment: datetime) -> str:
    """Return `moment` as the API writes it, ``2026-03-02T07:04:01.120Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
