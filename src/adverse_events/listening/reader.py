"""Reads the stream: connects, watches the heartbeat, comes back as X prescribes, and has what was missed fetched."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from adverse_events.errors import RequestRefusedError, TransientServiceError
from adverse_events.listening.backoff import Backoff, Trouble
from adverse_events.listening.deliveries import Notice
from adverse_events.source.x.errors import RateLimitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from adverse_events.landing.protocol import LandedPost, LandedReject
    from adverse_events.listening.account import Account
    from adverse_events.listening.deliveries import Deliveries
    from adverse_events.listening.settings import ListenSettings
    from adverse_events.listening.waiting import Waiting
    from adverse_events.source.x.client import XClient

logger = logging.getLogger("adverse_events.listen")

PATH = "/2/tweets/search/stream"
STREAM_MINUTES = 5
"""Minutes of missed posts that a stream can be asked for."""

OVERLAP = timedelta(minutes=2)
"""Read again before a gap: X publishes a post seconds after its time, and clocks differ. Duplicates are dropped."""


class Reader:
    """One stream, read until it is told to stop.

    Args:
        client: Asks X.
        settings: How to listen.
        deliveries: Reads the lines.
        waiting: Where posts go.
        account: Counts.
        synchronise: Brings the rules into step.
        recover: Fetches what was posted in a range, or None where the stream itself is asked.
        stop: Set to end.
        last_heard: When posts were last landed by an earlier run; None for a first one.
        fields: Parameters that say which fields are wanted.

    Attributes:
        last_heard: When the last line was read, heartbeats included; at first as given.
        is_connected: A connection is open, and any gap before it is being fetched.
    """

    def __init__(
        self,
        client: XClient,
        settings: ListenSettings,
        deliveries: Deliveries,
        waiting: Waiting[LandedPost | LandedReject],
        account: Account,
        *,
        synchronise: Callable[[], None],
        recover: Callable[[datetime, datetime], None] | None,
        stop: Event,
        last_heard: datetime | None,
        fields: Mapping[str, str],
    ) -> None:
        """Prepare; nothing is asked yet."""
        self._client, self._settings, self._deliveries, self._waiting = client, settings, deliveries, waiting
        self._account, self._synchronise, self._recover, self._stop = account, synchronise, recover, stop
        self.last_heard, self._fields = last_heard, fields
        self.is_connected = False
        self._backoff = Backoff(settings.pause_scale)

    def run(self) -> None:
        """Read until told to stop.

        Raises:
            PermanentServiceError: X refuses this App; nothing but a person can help.
            UsageError: X refuses a rule.
        """
        while not self._stop.is_set():
            trouble = self._listen()
            if self._stop.is_set():
                return
            pause = self._backoff.pause(trouble)
            self._account.add(f"pauses_{trouble}")
            logger.info("connecting again in %.1f s", pause)
            self._stop.wait(pause)

    def _listen(self) -> Trouble:
        """Connect and read until the connection ends; returns what ended it."""
        is_open = False
        try:
            self._synchronise()
            with self._client.stream_lines(PATH, self._params(), silence_s=self._settings.silence_seconds) as lines:
                is_open = True
                self._account.add("connections")
                self._close_gap()
                self.is_connected = True
                for line in lines:
                    if self._stop.is_set():
                        break
                    self._backoff.succeeded()
                    now = datetime.now(UTC)
                    self._take(line)
                    self.last_heard = now
        except RateLimitError as error:
            logger.warning("%s", error)
            return Trouble.RATE_LIMIT
        except TransientServiceError as error:
            if not self._stop.is_set():
                logger.warning("%s", error)
            return Trouble.NETWORK if is_open or "no whole answer" in error.detail else Trouble.HTTP
        except RequestRefusedError as error:
            # 409: somebody deleted the last rule between our look and now. Rules are looked at before each try.
            if "HTTP 409" not in error.detail:
                raise
            logger.warning("%s", error)
            return Trouble.HTTP
        finally:
            self.is_connected = False
        return Trouble.NETWORK

    def _params(self) -> dict[str, object]:
        minutes = None
        if self._settings.recovery == "stream" and self.last_heard is not None:
            # No more than was missed: every post comes again, read and told apart for nothing.
            missed = datetime.now(UTC) - self.last_heard + timedelta(minutes=1)
            minutes = min(STREAM_MINUTES, max(1, ceil(missed / timedelta(minutes=1))))
        return {**self._fields, "backfill_minutes": minutes}

    def _close_gap(self) -> None:
        """Have what was missed since the last line fetched."""
        if self.last_heard is None:
            return
        start, end = self.last_heard - OVERLAP, datetime.now(UTC)
        if self._recover:
            self._recover(start, end)
        elif end - self.last_heard > timedelta(minutes=STREAM_MINUTES) or self._settings.recovery == "none":
            logger.warning(
                "posts from %s to %s were not heard and are not fetched (listen.recovery=%s); fetch them with "
                "`ade backfill --source x://recent` into a lake of its own, or set listen.recovery=search",
                f"{start:%Y-%m-%dT%H:%M:%SZ}",
                f"{end:%Y-%m-%dT%H:%M:%SZ}",
                self._settings.recovery,
            )

    def _take(self, line: bytes) -> None:
        if not line:
            self._account.add("heartbeats")
            return
        self._account.add("lines")
        for delivery in self._deliveries.of_line(line):
            if isinstance(delivery, Notice):
                self._account.add("notices")
                logger.warning("X says: %s", delivery.title)
            else:
                self._waiting.put(delivery)
