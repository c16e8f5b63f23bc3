"""Windows: half-open spans of UTC time on a fixed grid, one lake partition each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTES_PER_DAY = 24 * 60
DEFAULT_WINDOW_MINUTES = 60


def check_window_minutes(minutes: int) -> int:
    """Return `minutes` when windows of that length tile a day, else raise `UsageError`."""
    if minutes < 1 or MINUTES_PER_DAY % minutes:
        msg = f"a window of {minutes} minutes does not divide a day; choose 5, 15, 30, 60, 360, 1440 or another divisor"
        raise UsageError(msg)
    return minutes


def as_utc(moment: datetime, name: str) -> datetime:
    """Return `moment` in UTC, as a plain datetime.

    Args:
        moment: Any aware datetime.
        name: What the caller calls it, for the message.

    Raises:
        UsageError: `moment` has no time zone; a guess would shift a whole day of posts.
    """
    if moment.tzinfo is None:
        msg = f"{name} {moment.isoformat()} has no time zone; write it as {moment.isoformat()}Z for UTC"
        raise UsageError(msg)
    moment = moment.astimezone(UTC)
    # Prefect hands over pendulum times, whose arithmetic is their own; a plain datetime is the same everywhere.
    return datetime.combine(moment.date(), moment.time(), UTC)


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """One half-open span ``[start, end)`` of the grid.

    Attributes:
        start: First instant inside, UTC, a whole multiple of `minutes` after midnight.
        minutes: Length; divides a day.
    """

    start: datetime
    minutes: int = DEFAULT_WINDOW_MINUTES

    def __post_init__(self) -> None:
        """Refuse a window off the grid."""
        check_window_minutes(self.minutes)
        start = as_utc(self.start, "window start")
        object.__setattr__(self, "start", start)
        if start != _floor(start, self.minutes):
            below = _floor(start, self.minutes)
            above = below + timedelta(minutes=self.minutes)
            msg = (
                f"{_iso(start)} is off the grid of {self.minutes}-minute windows; "
                f"the nearest starts are {_iso(below)} and {_iso(above)}"
            )
            raise UsageError(msg)

    @classmethod
    def containing(cls, moment: datetime, minutes: int = DEFAULT_WINDOW_MINUTES) -> Window:
        """Return the window that holds `moment` (aware)."""
        check_window_minutes(minutes)
        return cls(_floor(as_utc(moment, "moment"), minutes), minutes)

    @classmethod
    def before(cls, moment: datetime, minutes: int = DEFAULT_WINDOW_MINUTES) -> Window:
        """Return the last window that is over at `moment`: what a schedule should process."""
        return cls.containing(moment - timedelta(minutes=minutes), minutes)

    @property
    def end(self) -> datetime:
        """First instant after the window, UTC."""
        return self.start + timedelta(minutes=self.minutes)

    @property
    def event_date(self) -> str:
        """Partition value ``YYYY-MM-DD``."""
        return f"{self.start:%Y-%m-%d}"

    @property
    def event_time(self) -> str:
        """Partition value ``HHMM``."""
        return f"{self.start:%H%M}"

    @property
    def partition(self) -> str:
        """Hive partition path, without slashes at the ends."""
        return f"event_date={self.event_date}/event_time={self.event_time}"

    def __str__(self) -> str:
        return f"{_iso(self.start)}/{_iso(self.end)}"


def windows_between(start: datetime, end: datetime, minutes: int = DEFAULT_WINDOW_MINUTES) -> Iterator[Window]:
    """Yield the windows that tile ``[start, end)``, in time order.

    Raises:
        UsageError: An end that is naive, off the grid, or not after `start`.
    """
    first, last = Window(start, minutes), Window(end, minutes)
    if last.start <= first.start:
        msg = f"end {_iso(last.start)} is not after start {_iso(first.start)}"
        raise UsageError(msg)
    return _tiles(first, last.start)


def closed_range(moment: datetime, n_windows: int, minutes: int) -> tuple[datetime, datetime]:
    """Return the start and end of the last `n_windows` windows that are over at `moment`."""
    last = Window.before(moment, minutes)
    return last.end - timedelta(minutes=n_windows * minutes), last.end


def _tiles(window: Window, end: datetime) -> Iterator[Window]:
    while window.start < end:
        yield window
        window = Window(window.end, window.minutes)


def _floor(moment: datetime, minutes: int) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // timedelta(minutes=minutes) * timedelta(minutes=minutes)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ")
