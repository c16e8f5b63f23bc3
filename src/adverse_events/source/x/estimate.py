"""What reading a range would come to, by X's own counts: posts, requests, price, time."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adverse_events.errors import AnswerError
from adverse_events.source.x.errors import SERVICE
from adverse_events.source.x.search_settings import POSTS_PER_PAGE
from adverse_events.source.x.spans import iso, spans_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adverse_events.source.x.client import XClient
    from adverse_events.source.x.search_settings import Product, SearchSettings
    from adverse_events.source.x.settings import XSettings
    from adverse_events.windows import Window

REQUESTS_PER_PERIOD = {"recent": 450, "all": 300}
"""Searches per 15 minutes and App. Source: "Rate limits", X API v2 documentation, read 2026-11."""

PERIOD_S = 900


@dataclass(frozen=True)
class Estimate:
    """What reading a range would come to.

    Attributes:
        n_queries: Queries that the drugs need.
        n_posts: Posts, at most: one that several queries find is counted by each.
        n_requests: Searches, at least one per query and span.
        n_count_requests: Requests this estimate took.
        price: US dollars for posts, and in case mode for the profiles of their authors, at most.
        price_of_counts: US dollars this estimate took.
        seconds: What X's rate limits make it last, at least.
        posts_per_day: Posts by day, UTC, days without any left out.
        max_posts_per_run: The cap on one run; None where there is none.
    """

    n_queries: int
    n_posts: int
    n_requests: int
    n_count_requests: int
    price: float
    price_of_counts: float
    seconds: float
    posts_per_day: dict[str, int]
    max_posts_per_run: int | None

    @property
    def n_runs(self) -> int:
        """Runs it takes under the cap."""
        return max(1, -(-self.n_posts // self.max_posts_per_run)) if self.max_posts_per_run else 1

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as plain JSON values."""
        return {**asdict(self), "n_runs": self.n_runs}


def estimate(
    client: XClient,
    settings: XSettings,
    search: SearchSettings,
    *,
    product: Product,
    queries: Sequence[str],
    windows: Sequence[Window],
    reads_profiles: bool,
) -> Estimate:
    """Ask X how many posts there are, reading none.

    Args:
        client: Asks X.
        settings: Prices and caps.
        search: How the range is cut.
        product: Recent search or the full archive.
        queries: What would be asked for.
        windows: The range, in time order.
        reads_profiles: Authors would be read, too.

    Raises:
        ServiceError: As `XClient.get`.
    """
    spans = list(spans_of(windows, search.hours_per_request))
    starts = [span.start for span in spans]
    n_count_requests = n_requests = 0
    per_day: Counter[str] = Counter()
    for query in queries:
        per_span = [0] * len(spans)
        for page in _count_pages(client, product, query, windows):
            n_count_requests += 1
            for start, n_posts in _counts(page):
                per_span[max(0, bisect_right(starts, start) - 1)] += n_posts
                per_day[f"{start:%Y-%m-%d}"] += n_posts
        n_requests += sum(max(1, -(-n_posts // POSTS_PER_PAGE[product])) for n_posts in per_span)
    n_posts = per_day.total()
    return Estimate(
        n_queries=len(queries),
        n_posts=n_posts,
        n_requests=n_requests,
        n_count_requests=n_count_requests,
        price=n_posts * (settings.price_per_post + (settings.price_per_user if reads_profiles else 0)),
        price_of_counts=n_count_requests * settings.price_per_count,
        seconds=_seconds(n_requests, product, search),
        posts_per_day={day: n for day, n in sorted(per_day.items()) if n},
        max_posts_per_run=settings.max_posts_per_run or None,
    )


def _count_pages(client: XClient, product: Product, query: str, windows: Sequence[Window]) -> Iterator[dict[str, Any]]:
    path, token = f"/2/tweets/counts/{product}", None
    while True:
        page = client.get(
            path,
            {
                "query": query,
                "start_time": iso(windows[0].start),
                "end_time": iso(windows[-1].end),
                "granularity": "hour",
                "next_token": token,
            },
            check=_check_counts,
        )
        yield page
        following = page["meta"].get("next_token")
        if not following:
            return
        if following == token:
            msg = f"{SERVICE} GET {path}"
            raise AnswerError(msg, "the answer names its own page as the next one")
        token = str(following)


def _check_counts(page: dict[str, Any]) -> None:
    try:
        list(_counts(page))
        page["meta"].get("next_token")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"{SERVICE} counts"
        raise AnswerError(msg, "the answer is no page of counts") from error


def _counts(page: dict[str, Any]) -> Iterator[tuple[datetime, int]]:
    for each in page.get("data") or ():
        yield datetime.fromisoformat(each["start"]).astimezone(UTC), int(each["tweet_count"])


def _seconds(n_requests: int, product: Product, search: SearchSettings) -> float:
    by_period = (-(-n_requests // REQUESTS_PER_PERIOD[product]) - 1) * PERIOD_S
    by_pace = n_requests * search.seconds_between_requests if product == "all" else 0
    return float(max(by_period, by_pace, 0))
