"""Hours that are asked for at once: neighbouring windows joined."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from adverse_events.windows import Window


@dataclass(frozen=True)
class Span:
    """A half-open range of whole windows."""

    start: datetime
    end: datetime


def spans_of(windows: Iterable[Window], hours: int | None = None) -> Iterator[Span]:
    """Join windows that follow one another, to at most so many `hours`; one window is never cut.

    Args:
        windows: In time order.
        hours: Longest span; None joins all neighbours.
    """
    span: Span | None = None
    for window in windows:
        is_neighbour = span is not None and span.end == window.start
        if span and is_neighbour and (hours is None or window.end - span.start <= timedelta(hours=hours)):
            span = Span(span.start, window.end)
            continue
        if span:
            yield span
        span = Span(window.start, window.end)
    if span:
        yield span


def iso(moment: datetime) -> str:
    """Return `moment` as the API takes it, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
