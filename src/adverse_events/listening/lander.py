"""Lands what has arrived, in groups: one commit for all that came meanwhile."""

from __future__ import annotations

import logging
import time
from time import monotonic
from typing import TYPE_CHECKING

from adverse_events.errors import ServiceError
from adverse_events.landing.protocol import LandedPost, LandedReject, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from adverse_events.landing.protocol import Landed, LandingStore
    from adverse_events.listening.account import Account
    from adverse_events.listening.waiting import Waiting

logger = logging.getLogger("adverse_events.listen")

GROUP_POSTS = 500
GROUP_SECONDS = 0.1
"""Longest a post waits for others: short beside the disk's or the table's answer, long enough to gather at any rate."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 15.0
AFTER_STOP_SECONDS = 20.0
"""How long a store that does not answer is asked again once the listener is to stop."""


class Lander:
    """Takes what waits and puts it into the store, until the line is closed and empty.

    Args:
        store: Where to.
        waiting: Where from.
        landed: Told of each group that is safe: its posts that are new, and its stamp.
        account: Counts.
        patience_seconds: How long a store that fails is asked again.
        stop: Set once the listener is to stop.

    Attributes:
        n_done: Deliveries that are safe in the store, of all that came in.
    """

    def __init__(
        self,
        store: LandingStore,
        waiting: Waiting[LandedPost | LandedReject],
        landed: Callable[[tuple[LandedPost, ...], int], None],
        account: Account,
        *,
        patience_seconds: float,
        stop: Event,
    ) -> None:
        """Prepare."""
        self._store, self._waiting, self._landed, self._account = store, waiting, landed, account
        self._patience, self._stop = patience_seconds, stop
        self.n_done = 0

    def run(self) -> None:
        """Land until nothing can come any more.

        Raises:
            ServiceError: The store did not answer for longer than allowed. What was not landed was not acknowledged
                either: the next run fetches it as it does any gap.
        """
        while not self._waiting.is_over:
            group = self._waiting.take(GROUP_POSTS, GROUP_SECONDS)
            if not group:
                continue
            posts = tuple(each for each in group if isinstance(each, LandedPost))
            rejects = tuple(each for each in group if isinstance(each, LandedReject))
            landed = self._put(posts, rejects)
            now_ms = time.time_ns() // 1_000_000
            self.n_done += len(group)
            self._count(landed, len(rejects))
            new = tuple(posts[at] for at in landed.new)
            for post in new:
                self._account.delayed("landed", now_ms - milliseconds(post.created_at))
            self._landed(new, landed.stamp)

    def _put(self, posts: tuple[LandedPost, ...], rejects: tuple[LandedReject, ...]) -> Landed:
        first_failure: float | None = None
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                landed = self._store.put(posts, rejects)
            except ServiceError as error:
                now = monotonic()
                if first_failure is None:
                    first_failure = now
                    logger.error("%s; %d posts are held and asked again", error, len(posts) + len(self._waiting))  # noqa: TRY400 - no traceback: it is expected to pass
                patience = min(self._patience, AFTER_STOP_SECONDS) if self._stop.is_set() else self._patience
                if now - first_failure + pause > patience:
                    raise
                self._account.add("landing_failures")
                self._stop.wait(pause) if not self._stop.is_set() else time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                continue
            if first_failure is not None:
                logger.info("%s takes posts again after %.0f s", self._store.name, monotonic() - first_failure)
            return landed

    def _count(self, landed: Landed, n_rejects: int) -> None:
        self._account.add("landed", len(landed.new))
        self._account.add("duplicates", landed.n_duplicates)
        self._account.add("replaced", landed.n_replaced)
        self._account.add("forgotten", landed.n_forgotten)
        self._account.add("rejects", n_rejects)
