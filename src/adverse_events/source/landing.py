"""Source: the landing store, whose posts are masked already."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from adverse_events.errors import UsageError
from adverse_events.source.protocol import Reject, SourceChunk, Tweet
from adverse_events.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.landing.protocol import LandedPost, LandedReject, LandingStore

ORIGIN = "landing"
"""Column `origin` of what came through the landing store; undated rejects add the window they came in."""


class LandingSource:
    """What landed in a range.

    Args:
        store: The landing store.
        channel: Value of column `source`.
        window_minutes: Length of a window.
        retention_days: Days a post is kept.
        start: First instant read, aware; None reads from the oldest window that is whole.
        end: First instant after, aware; None reads through the newest post.
        now: The present moment, aware.
    """

    def __init__(
        self,
        store: LandingStore,
        *,
        channel: str,
        window_minutes: int,
        retention_days: int,
        start: datetime | None = None,
        end: datetime | None = None,
        now: datetime | None = None,
    ) -> None:
        """Choose the range; nothing is read yet.

        Raises:
            UsageError: The range begins before the retention: posts of its first windows are gone, and writing those
                windows would take them out of the lake.
        """
        now = now or datetime.now(UTC)
        oldest = Window.containing(now - timedelta(days=retention_days), window_minutes).end
        if start is not None and start < oldest:
            msg = (
                f"the landing store keeps posts for {retention_days} days, so windows before {oldest:%Y-%m-%dT%H:%MZ} "
                "may be incomplete; start there or later, or raise landing.retention_days before it is needed"
            )
            raise UsageError(msg)
        self._store, self._channel, self._window_minutes = store, channel, window_minutes
        self._start, self._end = start or oldest, end or now + timedelta(days=1)

    @property
    def name(self) -> str:
        """Channel written to column `source`."""
        return self._channel

    def read(self) -> Iterator[SourceChunk]:
        """Yield what landed in the range, in the order it was posted, and close the store. Once only."""
        with closing(self._store) as store:
            for page in store.read(self._start, self._end):
                rejects = tuple(self._reject(reject) for reject in page.rejects)
                origins = dict.fromkeys((ORIGIN, *(reject.origin for reject in rejects)))
                yield SourceChunk(tuple(origins), tuple(map(_tweet, page.posts)), rejects)

    def _reject(self, reject: LandedReject) -> Reject:
        # The lake replaces the undated rejects of an origin together; whole windows are read, so these are whole too.
        window = Window.containing(reject.received_at, self._window_minutes)
        origin = ORIGIN if reject.created_at else f"{ORIGIN}/{window.start:%Y-%m-%dT%H%MZ}"
        return Reject(
            reject.reason,
            reject.detail,
            origin,
            None,
            reject.payload_sha256,
            reject.tweet_id,
            reject.created_at,
            is_masked=True,
        )


def _tweet(post: LandedPost) -> Tweet:
    return Tweet(
        tweet_id=post.tweet_id,
        text=post.text,
        created_at=post.created_at,
        lang=post.lang,
        author_id=post.author_pseudonym,
        is_repost=post.is_repost,
        origin=ORIGIN,
        row_number=None,
        payload_sha256=post.payload_sha256,
        is_masked=True,
    )
