"""What a stream publishes, and what goes wrong on the way; who sends it is in `stream`.

Source:
    "Handling disconnections" and "Consuming streaming data", X API v2 documentation, read 2026-11.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class StreamFault(StrEnum):
    """What can go wrong at one published post, the first time it is sent."""

    TWICE = "twice"
    """It is sent twice."""
    LATER = "later"
    """It is sent after the next one."""
    HALF_LINE = "half_line"
    """Before it, half of it is sent as if it were a whole line."""
    CUT = "cut"
    """The connection breaks in the middle of its line."""
    DISCONNECT = "disconnect"
    """X says that it disconnects, and does."""
    SILENCE = "silence"
    """Nothing is sent any more, heartbeats included, until the client goes."""


@dataclass
class Stream:
    """What was published, and who is listening; safe to change while requests are under way.

    Attributes:
        heartbeat_s: Seconds of quiet after which a heartbeat is sent; 20 at X.
        most_connections: Further ones get 429.
        rates: The share (0-1) of published posts at which each fault happens.
        seed: Of the dice.
        published: Ids in the order of publication.
        sent: Ids of whole lines, by connection, in the order sent.
        done: Faults shown, by position in `published`.
    """

    heartbeat_s: float = 20.0
    most_connections: int = 1
    rates: Mapping[StreamFault, float] = field(default_factory=dict)
    seed: int = 0
    published: list[int] = field(default_factory=list)
    sent: list[list[int]] = field(default_factory=list)
    done: dict[int, StreamFault] = field(default_factory=dict)
    n_connected: int = 0
    _times: list[float] = field(default_factory=list)
    _drawn_through: int = 0
    _cut_at: int = 0
    _lock: Lock = field(default_factory=Lock)

    def publish(self, tweet_ids: Iterable[int], now: float) -> None:
        """Let posts go out at `now`, seconds since 1970 by the server's clock."""
        with self._lock:
            for tweet_id in tweet_ids:
                self.published.append(tweet_id)
                self._times.append(now)

    def since(self, seconds: float) -> int:
        """Return the position of the first post published at `seconds` or later."""
        with self._lock:
            return bisect_left(self._times, seconds)

    def disconnect(self) -> None:
        """Break every connection now."""
        self._cut_at += 1

    @property
    def n_cut(self) -> int:
        """How often every connection was broken."""
        return self._cut_at

    def fault_at(self, position: int) -> StreamFault | None:
        """Return the fault of a published post, once: a post that is sent again is sent well."""
        with self._lock:
            if position < self._drawn_through:
                return None
            self._drawn_through = position + 1
            drawn = random.Random(f"{self.seed} {position}").random()  # noqa: S311 - dice, not a secret
            for fault, rate in self.rates.items():
                if drawn < rate:
                    self.done[position] = fault
                    return fault
                drawn -= rate
            return None
