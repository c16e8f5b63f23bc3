"""What goes into the landing store's file, within one transaction."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from adverse_events.landing.protocol import Landed, milliseconds

if TYPE_CHECKING:
    import sqlite3

    from adverse_events.landing.protocol import LandedPost, LandedReject, StoreFacts

LANDED, REPLACED, FORGOTTEN = 0, 1, 2
"""States of a post. Of a replaced or forgotten one only its id is left, so that it cannot come back."""


class Putting:
    """One transaction's posts going in.

    Attributes:
        touched: Starts of the windows that changed.
    """

    def __init__(self, connection: sqlite3.Connection, stamp: int, facts: StoreFacts) -> None:
        """Use a connection within its transaction."""
        self._connection, self._stamp, self._facts = connection, stamp, facts
        self._new: list[int] = []
        self._n_duplicates = self._n_replaced = self._n_forgotten = 0
        self.touched: set[int] = set()

    def post(self, position: int, post: LandedPost) -> None:
        """Put a post; `position` is its place among those that were given."""
        created_ms = milliseconds(post.created_at)
        if self._is_forgotten((post.tweet_id, *post.earlier_ids)):
            self._n_forgotten += 1
            return
        values = (post.text, post.lang, post.author_pseudonym, post.is_repost, post.payload_sha256)
        done = self._connection.execute(
            "INSERT INTO posts VALUES (?, ?, ?, ?, NULL, ?, ?, ?, ?, ?) ON CONFLICT (tweet_id) DO NOTHING",
            (post.tweet_id, created_ms, self._stamp, LANDED, *values),
        )
        if not done.rowcount:
            self._n_duplicates += 1
            return
        self._new.append(position)
        self.touched.add(self._facts.window_of(created_ms))
        for earlier in post.earlier_ids:
            self._replace(earlier, post.tweet_id, created_ms)

    def reject(self, reject: LandedReject) -> None:
        """Put a reject."""
        dated_ms = milliseconds(reject.dated)
        created_ms = None if reject.created_at is None else milliseconds(reject.created_at)
        values = (milliseconds(reject.received_at), created_ms, reject.tweet_id, reject.reason, reject.detail)
        done = self._connection.execute(
            "INSERT INTO rejects VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (payload_sha256) DO NOTHING",
            (reject.payload_sha256, dated_ms, *values),
        )
        if done.rowcount:
            self.touched.add(self._facts.window_of(dated_ms))

    def finish(self) -> Landed:
        """Mark the windows that changed and return what this came to."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO touched VALUES (?, ?)", [(window, self._stamp) for window in self.touched]
        )
        return Landed(self._stamp, tuple(self._new), self._n_duplicates, self._n_replaced, self._n_forgotten)

    def _is_forgotten(self, tweet_ids: tuple[str, ...]) -> bool:
        found = (
            self._connection.execute(
                "SELECT 1 FROM posts WHERE tweet_id = ? AND state = ?", (tweet_id, FORGOTTEN)
            ).fetchone()
            for tweet_id in tweet_ids
        )
        return any(found)

    def _replace(self, earlier: str, by: str, by_created_ms: int) -> None:
        row = self._connection.execute("SELECT created_ms, state FROM posts WHERE tweet_id = ?", (earlier,)).fetchone()
        created_ms, state = row or (by_created_ms, None)
        self._connection.execute(
            "INSERT OR REPLACE INTO posts (tweet_id, created_ms, stamp, state, replaced_by) VALUES (?, ?, ?, ?, ?)",
            (earlier, created_ms, self._stamp, REPLACED, by),
        )
        if state == LANDED:
            self._n_replaced += 1
            self.touched.add(self._facts.window_of(created_ms))


def forget(connection: sqlite3.Connection, tweet_id: str, stamp: int, facts: StoreFacts) -> int:
    """Forget a post and the versions that took its place; returns how many of them were being kept."""
    n_forgotten, following = 0, tweet_id
    while row := connection.execute(
        "SELECT created_ms, state, replaced_by FROM posts WHERE tweet_id = ? AND state <> ?", (following, FORGOTTEN)
    ).fetchone():
        created_ms, state, replaced_by = row
        connection.execute(
            "UPDATE posts SET state = ?, stamp = ?, replaced_by = NULL, text = NULL, lang = NULL, "
            "author_pseudonym = NULL, is_repost = NULL, payload_sha256 = NULL WHERE tweet_id = ?",
            (FORGOTTEN, stamp, following),
        )
        if state == LANDED:
            n_forgotten += 1
            connection.execute("INSERT OR REPLACE INTO touched VALUES (?, ?)", (facts.window_of(created_ms), stamp))
        following = replaced_by or ""
    return n_forgotten


def next_stamp(connection: sqlite3.Connection) -> int:
    """Return a stamp above every earlier one of this file, whatever became of the clock."""
    row = connection.execute("SELECT value FROM facts WHERE name = 'stamp'").fetchone()
    stamp = max(int(row[0]) + 1 if row else 0, time.time_ns() // 1_000_000)
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('stamp', ?)", (str(stamp),))
    return stamp
