"""Counts of posts, recent and of the full archive.

Source:
    "Post counts", X API v2 documentation, read 2026-11.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adverse_events.local_x.asked import RefusedError, only, page_token, position_of, range_of
from adverse_events.local_x.problems import invalid, no_access
from adverse_events.sample.clock import snowflake

if TYPE_CHECKING:
    from starlette.requests import Request

    from adverse_events.local_x.asked import Range
    from adverse_events.local_x.state import State

PARAMETERS = frozenset({"query", "start_time", "end_time", "granularity", "next_token", "pagination_token"})
STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
PAGE = timedelta(days=31)


def routes(state: State) -> list[Route]:
    """Return the routes of both counts."""

    def recent(request: Request) -> Response:
        return _counts(request, "recent", state)

    def everything(request: Request) -> Response:
        return _counts(request, "all", state)

    return [
        Route("/2/tweets/counts/recent", recent, methods=["GET"], name="counts/recent"),
        Route("/2/tweets/counts/all", everything, methods=["GET"], name="counts/all"),
    ]


def _counts(request: Request, product: str, state: State) -> Response:
    if product not in state.products:
        return no_access()
    params = dict(request.query_params)
    try:
        only(params, PARAMETERS)
        step = _step(params.get("granularity", "hour"))
        asked = range_of(params, product, state)
        position = position_of(params, asked, state)
    except RefusedError as error:
        return invalid({error.parameter: error.value}, error.message)
    # Newest page first, as X sends them; inside a page, time goes forward.
    end = datetime.fromtimestamp(position, UTC) if position else asked.end
    begin = max(asked.start, end - PAGE)
    data = _steps(asked, begin, end, step, state)
    answer: dict[str, Any] = {"data": data, "meta": {"total_tweet_count": sum(each["tweet_count"] for each in data)}}
    if begin > asked.start:
        answer["meta"]["next_token"] = page_token(asked, begin.timestamp(), state)
    return JSONResponse(answer)


def _step(granularity: str) -> timedelta:
    if granularity not in STEPS:
        raise RefusedError("granularity", granularity, "'granularity' must be minute, hour or day")
    return STEPS[granularity]


def _steps(asked: Range, begin: datetime, end: datetime, step: timedelta, state: State) -> list[dict[str, Any]]:
    ids = [post.tweet_id for post in state.matching(asked.query, begin, end)]
    data = []
    moment = begin
    while moment < end:
        after = min(end, _floor(moment, step) + step)
        first, last = snowflake(moment, 0), snowflake(after, 0)
        data.append(
            {"start": _iso(moment), "end": _iso(after), "tweet_count": sum(first <= each < last for each in ids)}
        )
        moment = after
    return data


def _floor(moment: datetime, step: timedelta) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // step * step


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
