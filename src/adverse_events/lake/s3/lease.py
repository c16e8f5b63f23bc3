"""One writer at a time for a date of a lake on S3: a lease object that a living holder renews and a dead one loses.

S3 has no locks that die with their process. A writer creates ``_locks/<date>.json`` on condition that there is none,
renews it while it writes, and deletes it. One that was killed stops renewing; whoever waits takes over an object
whose age, by S3's own clock, is past its lifetime, on condition that it is still the same object. A holder that was
held up past its lifetime stops by itself, and would be refused: each of its puts names the version it replaces.
"""

from __future__ import annotations

import json
import os
import random
import socket
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING

from adverse_events.errors import ServiceError, TransientServiceError
from adverse_events.lake.s3.store import ChangedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.lake.s3.store import Found, S3Store

LOCKS = "_locks"
"""Folder of lease objects; engines skip names with a leading underscore."""

_CLOCK_GRAIN_S = 1.0
"""S3 tells times to the second."""

_RENEWALS = 4
"""Renewals in one lifetime: three may fail."""


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How long writers hold and wait.

    Attributes:
        lifetime_s: A lease that was not renewed for so long is taken over, seconds.
        patience_s: Longest wait for others, seconds; a few lifetimes at least.
        poll_s: Mean pause between two tries, seconds.
    """

    lifetime_s: float = 30.0
    patience_s: float = 300.0
    poll_s: float = 0.5


class Lease:
    """A right to write, while it lasts; get one with `leased`."""

    def __init__(self, store: S3Store, key: str, terms: LeaseTerms) -> None:
        """Prepare to hold `key`; nothing is asked yet."""
        self._store, self._key, self._terms = store, key, terms
        self._etag: str | None = None
        self._held_until = 0.0
        self._released = Event()
        self._holder = {
            "holder": uuid.uuid4().hex,
            "host": socket.gethostname(),
            "process": os.getpid(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._n_puts = 0

    def check(self) -> None:
        """Raise `TransientServiceError` unless the lease is certainly still held."""
        if time.monotonic() >= self._held_until:
            raise TransientServiceError(
                "s3",
                f"hold {self._store.url}/{self._key}",
                f"the lease was not renewed within {self._terms.lifetime_s:g} s, so another run may be writing; "
                "check the network and run again",
            )

    def acquire(self) -> None:
        """Wait for the lease.

        Raises:
            TransientServiceError: Others held it all the time.
            ServiceError: S3 refused.
        """
        deadline = time.monotonic() + self._terms.patience_s
        while not self._try(None):
            other = self._store.get(self._key)
            if other and other.age_s > self._terms.lifetime_s + _CLOCK_GRAIN_S and self._try(other.etag):
                return
            if time.monotonic() >= deadline:
                raise self._busy(other)
            time.sleep(random.uniform(0.5, 1.5) * self._terms.poll_s)  # noqa: S311 - spreads waiters, no secret

    def renew(self) -> None:
        """Renew until released or lost; runs beside the writing."""
        while not self._released.wait(self._terms.lifetime_s / _RENEWALS):
            # Any other failure may pass before the lifetime has; `check` watches that.
            with suppress(ServiceError):
                if not self._try(self._etag):
                    self._held_until = 0.0
                    return

    def stop(self) -> None:
        """Renew no more."""
        self._released.set()

    def release(self) -> None:
        """Give the lease back; one that cannot be given back ends by itself."""
        if self._etag:
            with suppress(ServiceError):
                self._store.delete(self._key, self._etag)

    def _try(self, replaces: str | None) -> bool:
        # Each renewal has other bytes: where an ETag is their hash, a takeover must not match one renewed meanwhile.
        self._n_puts += 1
        content = json.dumps({**self._holder, "n_puts": self._n_puts}).encode()
        asked_at = time.monotonic()
        try:
            self._etag = self._store.put(self._key, content, replaces=replaces)
        except ChangedError:
            return False
        self._held_until = asked_at + self._terms.lifetime_s
        return True

    def _busy(self, other: Found | None) -> ServiceError:
        who = "others in turn"
        if other:
            who = f"{other.data.decode(errors='replace')[:300]}, renewed {other.age_s:.0f} s ago"
        return TransientServiceError(
            "s3",
            f"hold {self._store.url}/{self._key}",
            f"held for {self._terms.patience_s:g} s by {who}; wait for that run, or if it is gone remove the lease: "
            f"aws s3 rm {self._store.url}/{self._key}",
        )


@contextmanager
def leased(store: S3Store, key: str, terms: LeaseTerms) -> Iterator[Lease]:
    """Hold the lease at `key` while the block runs, renewing it.

    Raises:
        TransientServiceError: Others held it all the time.
        ServiceError: S3 refused.
    """
    lease = Lease(store, key, terms)
    lease.acquire()
    renewing = Thread(target=lease.renew, name=f"renew {key}", daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        lease.stop()
        renewing.join(terms.lifetime_s)
        lease.release()
