"""What one line of a stream delivers: posts and rejects, masked, or a notice from X."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from adverse_events.landing.protocol import LandedPost, LandedReject
from adverse_events.source.json_rows import parsed, posts_of
from adverse_events.source.posts import PostReader
from adverse_events.source.protocol import Reject, Tweet
from adverse_events.source.x.pages import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.landing.masking import Masker

ORIGIN = "stream"

LATEST = timedelta(days=1)
"""A post dated further ahead is wrong, whatever this machine's clock."""


@dataclass(frozen=True)
class Notice:
    """What X says of the connection itself, such as that it ends."""

    title: str


Delivery = LandedPost | LandedReject | Notice


class Deliveries:
    """Reads the lines of a stream as an archive of the same lines would be read.

    Args:
        masker: Takes out what may not be kept.
        max_characters: Longest text taken.
        retention_days: Days a post is kept; one that is older already is refused.
    """

    def __init__(self, masker: Masker, *, max_characters: int, retention_days: int) -> None:
        """Prepare."""
        self._masker, self._retention = masker, timedelta(days=retention_days)
        self._reader = PostReader(COLUMNS, ORIGIN, None, max_characters)

    def of_line(self, line: bytes, now: datetime | None = None) -> Iterator[Delivery]:
        """Yield what a line delivers; nothing for a heartbeat.

        Args:
            line: Without its end.
            now: The present moment, aware.
        """
        if not line.strip():
            return
        value = parsed(line)
        if isinstance(value, dict) and "errors" in value and "data" not in value:
            yield Notice(_title(value["errors"]))
            return
        yield from self.of_value(value, line, now)

    def of_value(
        self, value: Any, raw: bytes | None, now: datetime | None = None
    ) -> Iterator[LandedPost | LandedReject]:
        """Yield what is kept of the posts of a parsed line, or of a page of search results."""
        for row in posts_of(value, 1, raw):
            yield self.of_post(self._reader.read(row), now)

    def of_post(self, outcome: Tweet | Reject, now: datetime | None = None) -> LandedPost | LandedReject:
        """Return what is kept of a post or reject that any source has read."""
        now = now or datetime.now(UTC)
        if isinstance(outcome, Reject):
            return self._masker.reject(_within(outcome, now, self._retention), now)
        if problem := _misdated(outcome.created_at, now, self._retention):
            reject = Reject(*problem, ORIGIN, None, outcome.payload_sha256, outcome.tweet_id)
            return self._masker.reject(reject, now)
        return self._masker.post(outcome)


def _misdated(created_at: datetime, now: datetime, retention: timedelta) -> tuple[str, str] | None:
    if created_at > now + LATEST:
        return "dated_ahead", "the post is dated more than a day ahead; check this machine's clock"
    if created_at < now - retention:
        return (
            "older_than_retention",
            "the post is older than what the landing store keeps; read it from search instead",
        )
    return None


def _within(reject: Reject, now: datetime, retention: timedelta) -> Reject:
    """Return `reject` without a time that would file it under a window that is not written any more."""
    if reject.created_at is None or not _misdated(reject.created_at, now, retention):
        return reject
    return Reject(reject.reason, reject.detail, reject.origin, None, reject.payload_sha256, reject.tweet_id)


def _title(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) and errors else errors
    title = first.get("title") if isinstance(first, dict) else None
    return str(title)[:80] if title else "an error without a title"
