"""Recent and full-archive search.

Source:
    "Search Posts", X API v2 documentation, read 2026-11.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adverse_events.local_x.asked import RefusedError, only, page_size, page_token, position_of, range_of
from adverse_events.local_x.fields import UnknownFieldError, Wanted
from adverse_events.local_x.problems import capped, invalid, no_access

if TYPE_CHECKING:
    from starlette.requests import Request

    from adverse_events.local_x.state import State

PARAMETERS = frozenset(
    {
        "query",
        "start_time",
        "end_time",
        "max_results",
        "next_token",
        "pagination_token",
        "sort_order",
        "tweet.fields",
        "user.fields",
        "place.fields",
        "expansions",
    }
)


def routes(state: State) -> list[Route]:
    """Return the routes of both searches."""

    def recent(request: Request) -> Response:
        return _search(request, "recent", state)

    def everything(request: Request) -> Response:
        return _search(request, "all", state)

    return [
        Route("/2/tweets/search/recent", recent, methods=["GET"], name="search/recent"),
        Route("/2/tweets/search/all", everything, methods=["GET"], name="search/all"),
    ]


def _search(request: Request, product: str, state: State) -> Response:
    if product not in state.products:
        return no_access()
    params = dict(request.query_params)
    try:
        only(params, PARAMETERS)
        asked = range_of(params, product, state)
        size = page_size(params, product)
        wanted = Wanted.of(params)
        before = position_of(params, asked, state)
    except RefusedError as error:
        return invalid({error.parameter: error.value}, error.message)
    except UnknownFieldError as error:
        return invalid({error.parameter: error.value}, f"The `{error.parameter}` query parameter value is not known")
    if state.posts_left == 0:
        return capped()
    found = list(islice(state.matching(asked.query, asked.start, asked.end, before), size + 1))
    page, is_last = found[:size], len(found) <= size
    state.take_posts(len(page))
    answer = wanted.answer([post.load() for post in page], state)
    answer["meta"] = {"result_count": len(page)}
    if page:
        answer["meta"] |= {"newest_id": str(page[0].tweet_id), "oldest_id": str(page[-1].tweet_id)}
    if not is_last:
        answer["meta"]["next_token"] = page_token(asked, page[-1].tweet_id, state)
    return JSONResponse(answer)
