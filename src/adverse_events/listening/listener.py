"""The listener: reader, lander and assessor side by side, and the windows that are due for whoever writes them.

    stream ──reader──▶ waiting ──lander──▶ landing store ──▶ window due ──▶ the stations of detect ──▶ lake
               ▲                     └──▶ assessor ──▶ serious events
    search ──recovery

Each runs in a thread of its own and may be killed at any moment: whatever the store has acknowledged is found there.
"""

from __future__ import annotations

import logging
from contextvars import copy_context
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Self

from adverse_events.errors import AdverseEventsError
from adverse_events.landing.protocol import milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from adverse_events.landing.protocol import LandedPost, LandedReject, LandingStore
    from adverse_events.listening.account import Account
    from adverse_events.listening.assessor import Assessor
    from adverse_events.listening.closing import Closing, Due
    from adverse_events.listening.lander import Lander
    from adverse_events.listening.reader import Reader
    from adverse_events.listening.recovery import Recovery
    from adverse_events.listening.waiting import Waiting
    from adverse_events.source.x.client import XClient

logger = logging.getLogger("adverse_events.listen")

TICK_SECONDS = 0.5
DRAIN_SECONDS = 60.0
"""Longest wait, once stopped, for what has arrived to land and be assessed."""

EXPIRE_EVERY_SECONDS = 3600.0


class Parts(NamedTuple):
    """What a listener is made of, each already knowing the others."""

    client: XClient
    store: LandingStore
    waiting: Waiting[LandedPost | LandedReject]
    reader: Reader
    recovery: Recovery | None
    lander: Lander
    assessor: Assessor
    closing: Closing


class Listener:
    """Runs its parts; a context manager, at whose end everything that has arrived is landed.

    Args:
        parts: What does the work.
        account: What it comes to.
        stop: Set by anybody, to end.
        expire: Deletes what is older than the retention.
    """

    def __init__(self, parts: Parts, account: Account, stop: Event, expire: Callable[[], int]) -> None:
        """Prepare; nothing is read yet."""
        self._parts, self.account, self._stop, self._expire = parts, account, stop, expire
        self._error: BaseException | None = None
        self._threads = {
            name: Thread(target=copy_context().run, args=(self._guarded, work), name=f"listen {name}", daemon=True)
            for name, work in self._works().items()
        }
        self._checkpoint: tuple[datetime, int] | None = None
        self._expired_at = monotonic() - EXPIRE_EVERY_SECONDS

    def __enter__(self) -> Self:
        for thread in self._threads.values():
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        parts = self._parts
        parts.client.hang_up()
        parts.waiting.close()
        self._join("lander")
        parts.assessor.close()
        self._join("assessor")
        self._join("reader")
        self._join("recovery")
        if self._error is None and not self._threads["lander"].is_alive():
            self._remember()
        parts.store.close()
        parts.client.close()
        if parts.recovery:
            parts.recovery.close()
        if kind is None:
            self._check()

    def stop(self) -> None:
        """End as soon as what has arrived is landed and assessed; may be called from a signal handler."""
        self._stop.set()

    def next_due(self) -> list[Due]:
        """Wait until windows are due to be written and return them; empty once the listener is to stop.

        Raises:
            AdverseEventsError: A part of the listener cannot go on.
        """
        while not self._stop.wait(TICK_SECONDS):
            self._check()
            self._remember()
            if monotonic() - self._expired_at >= EXPIRE_EVERY_SECONDS:
                self._expired_at = monotonic()
                self.account.add("expired", self._expire())
            if due := self._parts.closing.due(self._parts.assessor.assessed):
                return due
        self._check()
        return []

    def wrote(self, due: Due) -> None:
        """Say that windows are in the lake."""
        self.account.add("windows_written", len(due.windows))
        self._parts.closing.wrote(due, self._parts.assessor.assessed)

    def failed(self, due: Due) -> None:
        """Say that windows could not be written this time."""
        self.account.add("windows_failed", len(due.windows))
        self._parts.closing.failed(due)

    def _works(self) -> dict[str, Callable[[], None]]:
        parts = self._parts
        works: dict[str, Callable[[], None]] = {
            "reader": parts.reader.run,
            "lander": parts.lander.run,
            "assessor": parts.assessor.run,
        }
        return {**works, "recovery": parts.recovery.run} if parts.recovery else works

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - kept, and raised in the thread that waits
            if self._error is None:
                self._error = error
            self._stop.set()

    def _check(self) -> None:
        if self._error is not None:
            if isinstance(self._error, AdverseEventsError):
                raise self._error
            msg = "a part of the listener failed; what has landed is safe, start it again"
            raise RuntimeError(msg) from self._error

    def _remember(self) -> None:
        """Move the mark of what was heard, once everything that had been read by then has landed."""
        parts = self._parts
        if self._checkpoint and parts.lander.n_done >= self._checkpoint[1]:
            parts.store.set_mark("heard", milliseconds(self._checkpoint[0]))
            self._checkpoint = None
        is_whole = parts.reader.is_connected and not (parts.recovery and parts.recovery.is_open)
        if self._checkpoint is None and is_whole and parts.reader.last_heard:
            # In this order: what is read in between only makes the wait longer.
            heard = parts.reader.last_heard
            self._checkpoint = heard, parts.waiting.n_in

    def _join(self, name: str) -> None:
        if name in self._threads:
            self._threads[name].join(DRAIN_SECONDS)
            if self._threads[name].is_alive():
                logger.warning("the listener's %s is still at work after %.0f s and is left", name, DRAIN_SECONDS)


def last_heard(store: LandingStore) -> datetime | None:
    """Return through when everything published has landed; None for a store no listener has used."""
    ms = store.mark("heard")
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None
