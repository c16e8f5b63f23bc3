"""The clock of the server: it stands still, is moved by hand, or runs along."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Time as the server tells it.

    Args:
        now: Time at the start, aware.
        runs: Go on from there by itself; else only `advance` moves it.
    """

    def __init__(self, now: datetime, *, runs: bool = False) -> None:
        """Start at `now`."""
        self._base, self._runs, self._started = now.timestamp(), runs, time.monotonic()

    def seconds(self) -> float:
        """Return the time, seconds since 1970."""
        return self._base + (time.monotonic() - self._started if self._runs else 0.0)

    def now(self) -> datetime:
        """Return the time, UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def advance(self, seconds: float) -> None:
        """Move forward; fits where a client wants a way to wait."""
        self._base += seconds
