"""Which windows are due to be written from the landing store, and when one is settled."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from adverse_events.landing.protocol import milliseconds
from adverse_events.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adverse_events.landing.protocol import LandingStore


class Due(NamedTuple):
    """Consecutive windows to be written now.

    Attributes:
        windows: In time order.
        stamps: The last change of each, as seen before anything is read.
    """

    windows: tuple[Window, ...]
    stamps: tuple[int, ...]


class Closing:
    """Keeps track of the windows that have changed since they were written.

    A window is due once it is over and has settled; and again when posts come late, but not too often. It is settled in
    the store only when everything that changed it is both in the lake and assessed: until then a killed listener's
    successor finds it.

    Args:
        store: Knows which windows have changed.
        window_minutes: Length of a window.
        retention_days: Windows older than that are left alone: their posts begin to expire.
        settle_seconds: Wait after a window's end.
        rewrite_seconds: Least time between two writings of a window.
    """

    def __init__(
        self,
        store: LandingStore,
        *,
        window_minutes: int,
        retention_days: int,
        settle_seconds: float,
        rewrite_seconds: float,
    ) -> None:
        """Start knowing of no writing."""
        self._store, self._minutes, self._retention = store, window_minutes, timedelta(days=retention_days)
        self._settle, self._rewrite = timedelta(seconds=settle_seconds), rewrite_seconds
        self._written: dict[datetime, tuple[int, float]] = {}

    def due(self, assessed: int, now: datetime | None = None) -> list[Due]:
        """Return the windows to write now, in runs of consecutive ones.

        Args:
            assessed: Stamp through which posts have been assessed.
            now: The present moment, aware.
        """
        now = now or datetime.now(UTC)
        touched = self._store.touched()
        self._settle_done(touched, assessed)
        chosen = [
            (Window(start, self._minutes), stamp)
            for start, stamp in sorted(touched.items())
            if self._is_due(start, stamp, now)
        ]
        return list(_runs(chosen))

    def wrote(self, due: Due, assessed: int) -> None:
        """Note that windows are in the lake as they were when they were found due."""
        for window, stamp in zip(due.windows, due.stamps, strict=True):
            self._written[window.start] = (stamp, time.monotonic())
        self._settle_done(dict(zip((window.start for window in due.windows), due.stamps, strict=True)), assessed)

    def failed(self, due: Due) -> None:
        """Note that windows could not be written; they are due again after a while."""
        for window in due.windows:
            self._written[window.start] = (0, time.monotonic())

    def _is_due(self, start: datetime, stamp: int, now: datetime) -> bool:
        window = Window(start, self._minutes)
        if start < Window.containing(now - self._retention, self._minutes).end:
            self._store.settle(start, stamp)  # some of its posts may have expired: it is never written again
            return False
        # A store whose reads lag behind is read only once they have caught up with its last change.
        lag_ms = self._store.lag_seconds * 1000
        is_quiet = not lag_ms or milliseconds(now) - stamp >= lag_ms
        if not is_quiet or now < window.end + self._settle:
            return False
        stamp_written, at = self._written.get(start, (0, None))
        return at is None or (stamp_written != stamp and time.monotonic() - at >= self._rewrite)

    def _settle_done(self, touched: dict[datetime, int], assessed: int) -> None:
        for start, stamp in touched.items():
            if self._written.get(start, (0, 0))[0] == stamp and assessed >= stamp:
                self._store.settle(start, stamp)


def _runs(windows: Sequence[tuple[Window, int]]) -> Iterator[Due]:
    run: list[tuple[Window, int]] = []
    for window, stamp in windows:
        if run and run[-1][0].end != window.start:
            yield _due(run)
            run = []
        run.append((window, stamp))
    if run:
        yield _due(run)


def _due(run: Sequence[tuple[Window, int]]) -> Due:
    return Due(tuple(window for window, _ in run), tuple(stamp for _, stamp in run))
