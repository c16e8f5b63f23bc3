"""Fetches what was posted while nobody listened, by recent search with the stream's own rules."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from adverse_events.errors import ServiceError
from adverse_events.source.x.allowance import Allowance
from adverse_events.source.x.errors import AllowanceError
from adverse_events.source.x.fields import fields_for
from adverse_events.source.x.pages import check_page
from adverse_events.source.x.search_settings import POSTS_PER_PAGE, SMALLEST_PAGE
from adverse_events.source.x.state import Spent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from adverse_events.landing.protocol import LandedPost, LandedReject
    from adverse_events.listening.account import Account
    from adverse_events.listening.deliveries import Deliveries
    from adverse_events.listening.waiting import Waiting
    from adverse_events.privacy import PrivacySettings
    from adverse_events.source.x.client import XClient
    from adverse_events.source.x.settings import XSettings
    from adverse_events.source.x.state import XState

logger = logging.getLogger("adverse_events.listen")

PATH = "/2/tweets/search/recent"
OPERATION = f"GET {PATH}"

REACH = timedelta(days=7) - timedelta(minutes=5)
"""How far back recent search goes, with room for a slow request."""

FRESH = timedelta(seconds=15)
"""X lets a search end no later than ten seconds ago; what is younger reaches the stream, which is open by then."""

PAUSE_SECONDS = 5.0


class Recovery:
    """Gaps that are still to be fetched, oldest first.

    A gap is kept until it was fetched whole: until then the listener does not say that it has heard everything, so the
    next run begins where the first open gap does.

    Args:
        client: Asks X.
        queries: What the stream asks for, in search's words.
        deliveries: Reads the posts.
        waiting: Where they go.
        account: Counts.
        settings: The spend caps.
        state: Counts what was paid for.
        privacy: Says which fields are asked for.
        stop: Set to end.
    """

    def __init__(
        self,
        client: XClient,
        queries: Sequence[str],
        deliveries: Deliveries,
        waiting: Waiting[LandedPost | LandedReject],
        account: Account,
        *,
        settings: XSettings,
        state: XState,
        privacy: PrivacySettings,
        stop: Event,
    ) -> None:
        """Start without a gap."""
        self._client, self._queries, self._deliveries = client, queries, deliveries
        self._waiting, self._account, self._stop = waiting, account, stop
        self._fields, self._state = fields_for(privacy), state
        self._allowance = Allowance(settings, state)
        self._gaps: list[tuple[datetime, datetime]] = []
        self._lock = Lock()

    @property
    def is_open(self) -> bool:
        """Whether a gap is still to be fetched."""
        with self._lock:
            return bool(self._gaps)

    def add(self, start: datetime, end: datetime) -> None:
        """Have a gap fetched; returns at once."""
        with self._lock:
            self._gaps.append((start, end + timedelta(seconds=1)))  # searched to the second, rounded down

    def close(self) -> None:
        """Close the state file."""
        self._state.close()

    def run(self) -> None:
        """Fetch gaps until told to stop."""
        while not self._stop.wait(0.2):
            with self._lock:
                gap = self._gaps[0] if self._gaps else None
            # The end of a gap can be searched some seconds after it only.
            if gap is None or datetime.now(UTC) < gap[1] + FRESH:
                continue
            try:
                n_posts = self._fetch(*gap)
            except AllowanceError as error:
                logger.error("%s; posts from %s to %s are not fetched", error.detail, *map(_iso, gap))  # noqa: TRY400 - no traceback: the message says what to do
                self._account.add("gaps_left")
            except ServiceError as error:
                logger.warning("%s; the gap from %s is fetched later", error, _iso(gap[0]))
                self._stop.wait(PAUSE_SECONDS)
                continue
            else:
                logger.info("%d posts from %s to %s fetched by search", n_posts, *map(_iso, gap))
                self._account.add("gaps_closed")
            with self._lock:
                self._gaps.pop(0)

    def _fetch(self, start: datetime, end: datetime) -> int:
        """Read a gap with every query; returns the posts read, those that are there already included."""
        earliest = datetime.now(UTC) - REACH
        if start < earliest:
            logger.error("posts from %s to %s are out of search's reach and lost", _iso(start), _iso(earliest))
            self._account.add("gaps_left")
            start = earliest
        n_posts = 0
        for query in self._queries:
            token: str | None = None
            while not self._stop.is_set():
                size = self._allowance.page_size(POSTS_PER_PAGE["recent"], SMALLEST_PAGE, OPERATION)
                page = self._client.get(
                    PATH,
                    {
                        "query": query,
                        "start_time": _iso(start),
                        "end_time": _iso(end),
                        "max_results": size,
                        "next_token": token,
                        **self._fields,
                    },
                    check=check_page,
                )
                n_read = len(page.get("data") or ())
                self._state.spend(Spent(n_read, len((page.get("includes") or {}).get("users") or ()), 1))
                n_posts += self._deliver(page)
                token = (page.get("meta") or {}).get("next_token")
                if not token:
                    break
        self._account.add("recovered", n_posts)
        return n_posts

    def _deliver(self, page: dict[str, object]) -> int:
        n_posts = 0
        if page.get("data"):
            for post in self._deliveries.of_value({"data": page["data"]}, None):
                self._waiting.put(post)
                n_posts += 1
        return n_posts


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
