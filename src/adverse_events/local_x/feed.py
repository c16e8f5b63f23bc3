"""People posting, at a rate: generated posts, dated as they go out."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import count
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from adverse_events.sample.clock import iso_milliseconds, snowflake
from adverse_events.sample.wire import page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.local_x.state import State
    from adverse_events.sample.post import GeneratedPost

_TICK_S = 0.01
_LOW_BITS = 1 << 22


class Feed:
    """Publishes posts on a server's stream in the background; a context manager.

    What is posted, and in which order, depends on `posts` and the seed alone; when, on the server's clock: it must run.

    Args:
        state: Of the server.
        posts: What is posted; their own times and ids are replaced.
        per_second: How many.
        edited: The share (0-1) of posts whose author changes them half a second later.
        late: The share (0-1) that reaches the stream only after `late_by_s`.
        late_by_s: Seconds.
        seed: Of the dice.
    """

    def __init__(
        self,
        state: State,
        posts: Iterable[GeneratedPost],
        *,
        per_second: float,
        edited: float = 0.0,
        late: float = 0.0,
        late_by_s: float = 0.0,
        seed: int = 0,
    ) -> None:
        """Prepare; nothing is posted yet."""
        self._state, self._posts, self._per_second = state, iter(posts), per_second
        self._edited, self._late, self._late_by_s = edited, late, late_by_s
        self._dice = random.Random(seed)  # noqa: S311 - dice, not a secret
        self._numbers = count()
        self._pending: list[tuple[float, str, bool]] = []
        self._stop = Event()
        self._thread = Thread(target=self._run, name="feed", daemon=True)
        self.published: list[str] = []
        """Ids of the posts that went out, those that were edited later included."""
        self.replaced: set[str] = set()
        """Ids of the posts that were edited."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def join(self) -> None:
        """Wait until every post is out."""
        self._thread.join()

    def _run(self) -> None:
        started, n_out, is_over = monotonic(), 0, False
        while not self._stop.is_set() and not (is_over and not self._pending):
            now = monotonic()
            due = int((now - started) * self._per_second) - n_out
            for _ in range(0 if is_over else due):
                post = next(self._posts, None)
                if post is None:
                    is_over = True
                    break
                self._post(post, now)
                n_out += 1
            self._settle(now)
            self._stop.wait(_TICK_S)

    def _post(self, post: GeneratedPost, now: float) -> None:
        tweet_id = self._take(post)
        if self._dice.random() < self._late:
            self._pending.append((now + self._late_by_s, tweet_id, False))
            return
        self._publish(tweet_id)
        if self._dice.random() < self._edited:
            self._pending.append((now + 0.5, tweet_id, True))

    def _take(self, post: GeneratedPost) -> str:
        """Let the server hold `post` as written now, and return its id."""
        sent = page([post])
        tweet: dict[str, Any] = sent["data"][0]
        # Milliseconds are what X's times have.
        now = self._state.clock.now()
        now -= timedelta(microseconds=now.microsecond % 1000)
        new_id = str(snowflake(now, next(self._numbers) % _LOW_BITS))
        dated = {"id": new_id, "created_at": iso_milliseconds(now), "edit_history_tweet_ids": [new_id]}
        self._state.add({**tweet, **dated}, sent["includes"])
        return new_id

    def _settle(self, now: float) -> None:
        due = [each for each in self._pending if each[0] <= now]
        self._pending = [each for each in self._pending if each[0] > now]
        for _, tweet_id, is_edit in due:
            self._edit(tweet_id) if is_edit else self._publish(tweet_id)

    def _edit(self, tweet_id: str) -> None:
        held = self._state.post(int(tweet_id))
        if held is None:
            return
        now = self._state.clock.now()
        now -= timedelta(microseconds=now.microsecond % 1000)
        new_id = str(snowflake(now, next(self._numbers) % _LOW_BITS))
        tweet = held.load()["data"]
        text = tweet.get("note_tweet", tweet)["text"]
        self._state.edit(tweet_id, new_id, f"{text} (edited)", iso_milliseconds(now))
        self.replaced.add(tweet_id)
        self._publish(new_id)

    def _publish(self, tweet_id: str) -> None:
        self._state.stream.publish([int(tweet_id)], self._state.clock.seconds())
        self.published.append(tweet_id)
