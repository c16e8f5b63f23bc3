"""Assesses what has landed within seconds, for what cannot wait until its window is over."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from adverse_events.errors import ServiceError
from adverse_events.landing.protocol import milliseconds
from adverse_events.listening.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

    from adverse_events.landing.protocol import LandedPost, LandingStore
    from adverse_events.listening.account import Account
    from adverse_events.listening.serious import SeriousEvent
    from adverse_events.listening.settings import ListenSettings
    from adverse_events.listening.stations import Stations

logger = logging.getLogger("adverse_events.listen")

PAUSE_SECONDS = 5.0
"""Between two tries to ask a remote part that fails; what lands meanwhile waits."""


class _LeftError(Exception):
    """Posts cannot be assessed before the end; the next run finds them."""


class _Group(NamedTuple):
    posts: tuple[LandedPost, ...]
    stamp: int


class Assessor:
    """Takes landed posts in the order of their stamps, and remembers in the store how far it has got.

    Where more land than it can take, or where an earlier run was killed, it reads what it missed from the windows that
    are not settled. So every landed post is assessed at least once; twice where its run was killed at that very moment.

    Args:
        store: Where posts landed.
        stations: Assess them.
        settings: How many at a time.
        window_minutes: Length of a window.
        account: Counts.
        on_serious: Told of each serious event.
        stop: Set once the listener is to stop.
    """

    def __init__(
        self,
        store: LandingStore,
        stations: Stations,
        settings: ListenSettings,
        window_minutes: int,
        account: Account,
        *,
        on_serious: Callable[[SeriousEvent], None],
        stop: Event,
    ) -> None:
        """Find out how far earlier runs got."""
        self._store, self._stations, self._settings, self._account = store, stations, settings, account
        self._window = timedelta(minutes=window_minutes)
        self._on_serious, self._stop = on_serious, stop
        self._waiting: Waiting[_Group] = Waiting(settings.waiting_posts)
        self.assessed = self._kept = store.mark("assessed")
        self._missed_through = max(store.touched().values(), default=0)
        self._is_dropping, self._n_waiting, self._lock = False, 0, Lock()

    def landed(self, posts: tuple[LandedPost, ...], stamp: int) -> None:
        """Take posts that have just landed, all of one stamp; returns at once."""
        with self._lock:
            if self._is_dropping or self._n_waiting + len(posts) > self._settings.waiting_posts:
                self._is_dropping, self._missed_through = True, stamp
            elif self._waiting.put_now(_Group(posts, stamp)):
                self._n_waiting += len(posts)

    def close(self) -> None:
        """Take no more."""
        self._waiting.close()

    def run(self) -> None:
        """Assess until closed and done; what is left then is for the next run.

        Raises:
            AdverseEventsError: Posts cannot be assessed at all; a part that only fails for now is asked again.
        """
        with suppress(_LeftError):
            self._run()
        self._keep()

    def _run(self) -> None:
        while not self._waiting.is_over:
            if self._missed_through > self.assessed and not self._is_dropping and not self._stop.is_set():
                self._catch_up()
            groups = self._gathered()
            posts = [post for group in groups for post in group.posts]
            for at in range(0, len(posts), self._settings.assess_posts):
                self._assess(posts[at : at + self._settings.assess_posts])
            with self._lock:
                self._n_waiting -= len(posts)
                # What lands from now on waits again, behind what is read from the store first.
                self._is_dropping = self._is_dropping and bool(groups)
            if groups:
                self._done_through(groups[-1].stamp)

    def _gathered(self) -> list[_Group]:
        deadline = monotonic() + self._settings.assess_seconds
        groups: list[_Group] = []
        n_posts = 0
        while n_posts < self._settings.assess_posts and (left := deadline - monotonic()) > 0:
            some = self._waiting.take(1, left)
            groups += some
            n_posts += sum(len(group.posts) for group in some)
            if self._waiting.is_over:
                break
        return groups

    def _catch_up(self) -> None:
        """Read what was missed from the windows that are not settled."""
        through = self._missed_through
        n_posts = 0
        for posts in self._missed(through):
            self._assess(posts)
            n_posts += len(posts)
            if self._stop.is_set():
                return
        self._account.add("caught_up", n_posts)
        self._done_through(through)

    def _missed(self, through: int) -> Iterator[list[LandedPost]]:
        for start in self._store.touched():
            for page in self._store.read(start, start + self._window):
                posts = [post for post in page.posts if self.assessed < post.stamp <= through]
                for at in range(0, len(posts), self._settings.assess_posts):
                    yield posts[at : at + self._settings.assess_posts]

    def _assess(self, posts: list[LandedPost]) -> None:
        while True:
            try:
                assessed = self._stations.assess(posts)
            except ServiceError as error:
                # Nothing is lost: the posts have landed, and their windows are written from there.
                logger.warning("%s; %d posts wait to be assessed", error, len(posts))
                self._account.add("assess_failures")
                if self._stop.wait(PAUSE_SECONDS):
                    raise _LeftError from error
                continue
            break
        now_ms = time.time_ns() // 1_000_000
        self._account.add("assessed", len(posts))
        self._account.add("positive", assessed.n_positive)
        for post in posts:
            self._account.delayed("assessed", now_ms - milliseconds(post.created_at))
        self._tell(assessed.serious)

    def _tell(self, events: Iterable[SeriousEvent]) -> None:
        for event in events:
            self._account.add("serious_events")
            self._on_serious(event)

    def _done_through(self, stamp: int) -> None:
        self.assessed = stamp
        self._keep()

    def _keep(self) -> None:
        if self.assessed > self._kept:
            self._store.set_mark("assessed", self.assessed)
            self._kept = self.assessed
