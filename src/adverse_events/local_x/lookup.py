"""Posts by their ids, a hundred at a time.

Source:
    "Post lookup", X API v2 documentation, read 2026-11.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adverse_events.local_x.asked import RefusedError, only
from adverse_events.local_x.fields import UnknownFieldError, Wanted
from adverse_events.local_x.problems import capped, invalid, missing, not_authorized

if TYPE_CHECKING:
    from starlette.requests import Request

    from adverse_events.local_x.state import State

MOST_IDS = 100
PARAMETERS = frozenset({"ids", "tweet.fields", "user.fields", "place.fields", "expansions"})

_ID = re.compile(r"[0-9]{1,19}")


def routes(state: State) -> list[Route]:
    """Return the route of the look-up."""

    def lookup(request: Request) -> Response:
        return _lookup(request, state)

    return [Route("/2/tweets", lookup, methods=["GET"], name="lookup")]


def _lookup(request: Request, state: State) -> Response:
    params = dict(request.query_params)
    try:
        only(params, PARAMETERS)
        ids = _ids(params.get("ids", ""))
        wanted = Wanted.of(params)
    except RefusedError as error:
        return invalid({error.parameter: error.value}, error.message)
    except UnknownFieldError as error:
        return invalid({error.parameter: error.value}, f"The `{error.parameter}` query parameter value is not known")
    if state.posts_left == 0:
        return capped()
    found, errors = [], []
    for tweet_id in ids:
        post = state.post(int(tweet_id))
        why = state.why_hidden(int(tweet_id))
        if post is None or why == "deleted":
            errors.append(missing(tweet_id))
        elif why == "protected":
            errors.append(not_authorized(tweet_id))
        else:
            found.append(post.load())
    state.take_posts(len(found))
    answer = wanted.answer(found, state)
    if errors:
        answer["errors"] = [*errors, *answer.get("errors", ())]
    return JSONResponse(answer)


def _ids(given: str) -> list[str]:
    ids = given.split(",") if given else []
    if not 1 <= len(ids) <= MOST_IDS:
        message = f"size must be between 1 and {MOST_IDS}; the `ids` query parameter holds {len(ids)}"
        raise RefusedError("ids", given, message)
    for each in ids:
        if not _ID.fullmatch(each):
            raise RefusedError("ids", each, f"The `ids` query parameter value [{each}] is not valid")
    return list(dict.fromkeys(ids))
