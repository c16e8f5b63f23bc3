"""Stretches of time in SQL over a lake."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def within(column: str) -> str:
    """Return the condition that `column` lies in a range, see `between`: by the partition first, which skips files."""
    return f"event_date BETWEEN ? AND ? AND epoch_ms({column}) >= ? AND epoch_ms({column}) < ?"


def between(lowest: int, highest: int) -> list[date | int]:
    """Return the parameters of `within` for ``[lowest, highest)``, milliseconds since 1970."""
    return [moment(lowest).date(), moment(highest).date(), lowest, highest]


def ms(at: datetime) -> int:
    """Return milliseconds since 1970."""
    return round(at.timestamp() * 1000)


def moment(milliseconds: int) -> datetime:
    """Return the instant, UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
