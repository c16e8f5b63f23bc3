"""Source: posts that X finds for the drug lexicon, window by window of a range.

A range is cut into spans of hours, oldest first. Of each span every query is read to its last page before its posts are
handed over, so that a window is read whole or not at all. What stops the reading, a cap or the account, stops it
between two pages; the state file remembers where.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any

from adverse_events import progress
from adverse_events.errors import AnswerError, TransientServiceError
from adverse_events.source.chunks import chunked
from adverse_events.source.protocol import LeftOut, SourceChunk
from adverse_events.source.x.allowance import Allowance
from adverse_events.source.x.errors import SERVICE, AllowanceError, ExpiredPageError
from adverse_events.source.x.fields import fields_for
from adverse_events.source.x.pages import PageReader, check_page
from adverse_events.source.x.search_settings import POSTS_PER_PAGE, SMALLEST_PAGE
from adverse_events.source.x.spans import iso, spans_of
from adverse_events.source.x.state import Spent, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from adverse_events.privacy import IdentityKey, PrivacySettings
    from adverse_events.source.x.client import XClient
    from adverse_events.source.x.search_settings import Product, SearchSettings
    from adverse_events.source.x.settings import XSettings
    from adverse_events.source.x.spans import Span
    from adverse_events.source.x.state import XState
    from adverse_events.windows import Window

logger = logging.getLogger("adverse_events.x")

BACKFILL = "a backfill of the range asks the lake first, and reads only what is missing"

MOST_RESTARTS = 3
"""Times a query is begun again at the same post before it is given up."""


class XSearch:
    """Posts found by search.

    Args:
        client: Asks X.
        state: Remembers pages between runs.
        settings: The caps.
        search: How the range is cut.
        product: Recent search or the full archive.
        queries: What is asked for; a post that several find comes once.
        windows: The range, in time order.
        due: Those of the windows to read; all when None.
        privacy: Says what becomes of ids and authors.
        key: Key of the pseudonyms.
        name: Channel written to column `source`.
        sleep: How to wait.
    """

    def __init__(
        self,
        client: XClient,
        state: XState,
        settings: XSettings,
        search: SearchSettings,
        *,
        product: Product,
        queries: Sequence[str],
        windows: Sequence[Window],
        due: Iterable[Window] | None = None,
        privacy: PrivacySettings,
        key: IdentityKey,
        name: str = "x",
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Prepare; nothing is asked yet."""
        self.name = name
        self._client, self._state, self._search = client, state, search
        self._product, self._queries, self._windows = product, queries, windows
        self._due = set(windows if due is None else due)
        self._privacy, self._key, self._sleep = privacy, key, sleep
        self._path = f"/2/tweets/search/{product}"
        self._allowance = Allowance(settings, state)
        self._last_asked = 0.0

    def read(self) -> Iterator[SourceChunk]:
        """Yield the posts of the range, span by span, oldest span first; what was left out comes as such. Once only.

        Raises:
            TransientServiceError: X does not answer; what was read is kept for the next run.
            PermanentServiceError: X refuses, or the state file cannot be written.
        """
        progress.advance(0)  # whoever watches sees that something is under way: the first span may take a while
        with self._client, self._state:
            yield from self._read()

    def _read(self) -> Iterator[SourceChunk]:
        search = self._search
        self._state.forget_old(done_hours=search.reuse_hours, begun_hours=search.resume_hours)
        if idle := list(spans_of([window for window in self._windows if window not in self._due])):
            yield _left_out([LeftOut(span.start, span.end, None) for span in idle])
        spans = list(spans_of([window for window in self._windows if window in self._due], search.hours_per_request))
        for number, span in enumerate(spans):
            origin = f"x://{self._product}/{span.start:%Y-%m-%dT%H:%MZ}"
            try:
                self._fetch(span, origin)
            except AllowanceError as error:
                logger.warning("%s; %d of %d spans read", error.detail, number, len(spans))
                why = f"{error.detail} ({BACKFILL})"
                yield _left_out([LeftOut(rest.start, rest.end, why) for rest in spans[number:]])
                return
            n_read = self._state.spent_in_run().posts
            logger.info("%s: %d queries read, %d posts paid for so far", origin, len(self._queries), n_read)
            yield from chunked([(origin, self._state.rows(self._key_of(span)))])
            if not self._state.is_done(self._key_of(span), self._queries):
                detail = "another run has removed posts while this one read them; run again"
                raise TransientServiceError("state file", origin, detail)

    def _fetch(self, span: Span, origin: str) -> None:
        reader = PageReader(origin, self._privacy, self._key, (span.start, span.end))
        key = self._key_of(span)
        for query in self._queries:
            standing = self._state.standing(key, query)
            n_restarts, oldest = 0, standing.oldest
            while not standing.is_done:
                try:
                    standing = self._next_page(span, key, query, standing, reader)
                except ExpiredPageError as error:
                    n_restarts, oldest = (n_restarts + 1 if standing.oldest == oldest else 1), standing.oldest
                    if n_restarts > MOST_RESTARTS:
                        raise TransientServiceError(SERVICE, error.operation, "page tokens expire at once") from error
                    standing = _begun_again(standing)
                    self._state.save(key, query, standing)
                    logger.info("a page token has expired; the query goes on from its oldest post")

    def _next_page(self, span: Span, key: str, query: str, standing: Standing, reader: PageReader) -> Standing:
        """Fetch one page, keep it, and return where the query stands."""
        size = self._allowance.page_size(POSTS_PER_PAGE[self._product], SMALLEST_PAGE, f"GET {self._path}")
        self._keep_pace()
        page = self._client.get(
            self._path,
            {
                "query": query,
                "start_time": iso(span.start),
                "end_time": standing.end_time or iso(span.end),
                "max_results": size,
                "sort_order": "recency",
                "next_token": standing.next_token,
                **fields_for(self._privacy),
            },
            check=check_page,
        )
        token = _next_token(page)
        if token and token == standing.next_token:
            msg = f"{SERVICE} GET {self._path}"
            raise AnswerError(msg, "the answer names its own page as the next one")
        rows = list(reader.read(page))
        moments = [row.outcome.created_at.timestamp() for row in rows if row.outcome.created_at]
        oldest = min([*moments, *([standing.oldest] if standing.oldest else [])], default=None)
        after = replace(standing, next_token=token, oldest=oldest, is_done=token is None)
        n_posts, n_users = len(page.get("data") or ()), len((page.get("includes") or {}).get("users") or ())
        self._state.save(key, query, after, rows, Spent(n_posts, n_users, 1))
        return after

    def _keep_pace(self) -> None:
        if self._product == "all":
            wait = self._last_asked + self._search.seconds_between_requests - time.monotonic()
            if wait > 0:
                self._sleep(wait)
            self._last_asked = time.monotonic()

    def _key_of(self, span: Span) -> str:
        """Return what the state file knows a span by: everything that decides which posts are in it, and their form."""
        parts = (self._product, iso(span.start), iso(span.end), self._queries, self._privacy.mode)
        return hashlib.sha256(json.dumps([*parts, self._key.fingerprint]).encode()).hexdigest()


def _begun_again(standing: Standing) -> Standing:
    """Return where to go on from when a page token has expired: X lists newest first, so just above the oldest post.

    The posts of that second come twice, and are kept once.
    """
    if standing.oldest is None:
        return replace(standing, next_token=None)
    end = datetime.fromtimestamp(ceil(standing.oldest) + 1, UTC)
    earlier = min(iso(end), standing.end_time or iso(end))
    return replace(standing, next_token=None, end_time=earlier)


def _next_token(page: dict[str, Any]) -> str | None:
    meta = page.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return str(token) if token else None


def _left_out(parts: Sequence[LeftOut]) -> SourceChunk:
    return SourceChunk((), (), (), tuple(parts))
