"""Keeping under the account's quotas: so many requests and so many characters a second."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """Two token buckets that each request takes from before it is sent; safe to share between threads.

    A bucket holds one request's tokens and no more: the quotas count each single second, so what an idle second left
    over cannot be spent in the next. No second therefore sees more than `requests_per_second` requests begin, nor more
    than `characters_per_second` characters beyond the one request it began with.

    Ours because one request takes from two buckets at once and by its size, and because retries must wait as well:
    the limiters on offer (aiolimiter, pyrate-limiter) do one of these each.

    Args:
        requests_per_second: Quota of requests.
        characters_per_second: Quota of characters.
        clock: Seconds that only grow.
        sleep: How to wait.
    """

    def __init__(
        self,
        requests_per_second: float,
        characters_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start with full buckets."""
        self._seconds_per_request = 1 / requests_per_second
        self._seconds_per_character = 1 / characters_per_second
        self._clock, self._sleep = clock, sleep
        self._free_at = clock()
        self._lock = Lock()

    def wait(self, n_characters: int) -> None:
        """Return when a request of `n_characters` may be sent; those who wait are let go in the order they came."""
        cost = max(self._seconds_per_request, n_characters * self._seconds_per_character)
        with self._lock:
            turn = max(self._clock(), self._free_at)
            self._free_at = turn + cost
        pause = turn - self._clock()
        if pause > 0:
            self._sleep(pause)
