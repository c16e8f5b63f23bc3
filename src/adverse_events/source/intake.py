"""Rows of a source as they come: masked, given their window, and set aside to be sorted."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import pyarrow as pa

from adverse_events.privacy import mask_text, stored_author, stored_id
from adverse_events.source.protocol import Reject, Tweet
from adverse_events.source.sorting import ExternalSort
from adverse_events.staging import REJECTED, TWEETS, StagedWriter
from adverse_events.tables import TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from adverse_events.privacy import IdentityKey, PrivacySettings
    from adverse_events.source.protocol import LeftOut, SourceChunk

MS_PER_MINUTE = 60_000

TWEET_ORDER = ("created_at", "tweet_id", "payload_sha256", "origin", "row_number")
REJECT_ORDER = ("created_at", "tweet_id", "payload_sha256", "reason", "origin", "row_number")
"""Time puts a window's rows together; origin and row_number, which depend on the source, only part equal inputs."""

_Dated = TypeVar("_Dated", Tweet, Reject)


class Intake:
    """Takes a source's chunks and keeps the count; a context manager.

    Attributes:
        tweets: The posts inside the range, columns of `staging.TWEETS` with times in milliseconds.
        rejects: The dated rejects inside the range, columns of `staging.REJECTED`, likewise.
        undated: Staged file of the rejects without a time, in the order they were read.
        n_tweets: Posts by window start, milliseconds since 1970.
        rejected: Rejects by window start and reason.
        n_undated: Rejects without a time.
        rows_read: All inputs.
        rows_out_of_range: Inputs whose time is outside the range.
        origins: Files read, in order.
        left_out: What the source did not read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        channel: str,
        window_minutes: int,
        bounds: tuple[int, int] | None,
        privacy: PrivacySettings,
        key: IdentityKey,
    ) -> None:
        """Open the files.

        Args:
            folder: Where they go.
            channel: Value of column `source`.
            window_minutes: Length of a window; divides a day.
            bounds: Half-open range of times taken, milliseconds since 1970; None takes all.
            privacy: Says what becomes of ids and authors.
            key: Key of the pseudonyms.
        """
        self.tweets = _sort(folder / "sort-tweets", TWEETS, TWEET_ORDER)
        self.rejects = _sort(folder / "sort-rejects", REJECTED, REJECT_ORDER)
        self.undated = folder / "undated.arrow"
        self.n_tweets: Counter[int] = Counter()
        self.rejected: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.n_undated = self.rows_read = self.rows_out_of_range = 0
        self.left_out: list[LeftOut] = []
        self._origins: dict[str, None] = {}
        self._channel, self._bounds, self._key = channel, bounds, key
        self._window_ms = window_minutes * MS_PER_MINUTE
        self._keeps_ids = privacy.mode == "case"
        self._undated_writer = StagedWriter(self.undated, REJECTED)

    @property
    def origins(self) -> tuple[str, ...]:
        """Files read, in order."""
        return tuple(self._origins)

    def add(self, chunk: SourceChunk) -> None:
        """Take one chunk."""
        self.rows_read += chunk.n_rows
        self._origins.update(dict.fromkeys(chunk.origins))
        self.left_out.extend(chunk.left_out)
        self._add_tweets(chunk.tweets)
        self._add_rejects([reject for reject in chunk.rejects if reject.created_at])
        undated = [self._reject_row(reject) for reject in chunk.rejects if not reject.created_at]
        self._undated_writer.write_rows(undated)
        self.n_undated += len(undated)

    def close(self) -> None:
        """Finish the file of undated rejects."""
        self._undated_writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add_tweets(self, tweets: Sequence[Tweet]) -> None:
        tweets, created, starts = self._inside(tweets)
        if not tweets:
            return
        columns: dict[str, Any] = {
            "tweet_id": [tweet.tweet_id if tweet.is_masked else self._id(tweet.tweet_id) for tweet in tweets],
            "text": [tweet.text if tweet.is_masked else mask_text(tweet.text) for tweet in tweets],
            "created_at": created,
            "lang": [tweet.lang for tweet in tweets],
            "source": [self._channel] * len(tweets),
            "author_pseudonym": [
                tweet.author_id if tweet.is_masked else self._author(tweet.author_id) for tweet in tweets
            ],
            "is_repost": [tweet.is_repost for tweet in tweets],
            "origin": [tweet.origin for tweet in tweets],
            "row_number": [tweet.row_number for tweet in tweets],
            "payload_sha256": [tweet.payload_sha256 for tweet in tweets],
            "window_start": starts,
        }
        self.tweets.add(pa.record_batch(columns, self.tweets.schema))
        self.n_tweets.update(_counts(starts))

    def _add_rejects(self, rejects: Sequence[Reject]) -> None:
        rejects, created, starts = self._inside(rejects)
        rows = [
            {**self._reject_row(reject), "created_at": moment, "window_start": start}
            for reject, moment, start in zip(rejects, created.tolist(), starts.tolist(), strict=True)
        ]
        if rows:
            self.rejects.add(pa.RecordBatch.from_pylist(rows, self.rejects.schema))
        for reject, start in zip(rejects, starts.tolist(), strict=True):
            self.rejected[start][reject.reason] += 1

    def _inside(self, rows: Sequence[_Dated]) -> tuple[Sequence[_Dated], NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows inside the range, their times and the starts of their windows, in milliseconds."""
        created = _milliseconds([row.created_at for row in rows])
        if self._bounds:
            is_inside = (created >= self._bounds[0]) & (created < self._bounds[1])
            if not is_inside.all():
                rows = [row for row, inside in zip(rows, is_inside.tolist(), strict=True) if inside]
                self.rows_out_of_range += len(created) - len(rows)
                created = created[is_inside]
        # Windows divide the day and 1970 began at midnight, so they start at whole multiples of their length.
        return rows, created, created - created % self._window_ms

    def _reject_row(self, reject: Reject) -> dict[str, object]:
        return {
            "reason": reject.reason,
            "detail": reject.detail,
            "source": self._channel,
            "origin": reject.origin,
            "row_number": reject.row_number,
            "payload_sha256": reject.payload_sha256,
            "tweet_id": reject.tweet_id if reject.is_masked or not reject.tweet_id else self._id(reject.tweet_id),
        }

    def _id(self, tweet_id: str) -> str:
        return stored_id(tweet_id, self._key, keeps_ids=self._keeps_ids)

    def _author(self, author_id: str | None) -> str | None:
        return stored_author(author_id, self._key, keeps_ids=self._keeps_ids)


def _sort(folder: Path, schema: pa.Schema, order: tuple[str, ...]) -> ExternalSort:
    folder.mkdir(parents=True, exist_ok=True)
    in_milliseconds = pa.schema([f.with_type(pa.int64()) if f.type == TIMESTAMP else f for f in schema])
    return ExternalSort(folder, in_milliseconds, order)


def _milliseconds(moments: Sequence[datetime | None]) -> NDArray[np.int64]:
    return np.asarray(pa.array(moments, TIMESTAMP).cast(pa.int64()), dtype=np.int64)


def _counts(starts: NDArray[np.int64]) -> dict[int, int]:
    values, counts = np.unique(starts, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))
