"""What a request for a range of posts asks for, checked as X checks it; shared by search and counts."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from adverse_events.local_x.query import QueryError, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adverse_events.local_x.query import Query
    from adverse_events.local_x.state import State

RECENT_DAYS = 7
LONGEST_QUERY = {"recent": 512, "all": 1024}
LONGEST_PAGE = {"recent": 100, "all": 500}
SHORTEST_PAGE = 10
TOO_FRESH = timedelta(seconds=10)
FIRST_POST = datetime(2006, 3, 21, tzinfo=UTC)

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class RefusedError(ValueError):
    """X would refuse a parameter."""

    def __init__(self, parameter: str, value: str, message: str) -> None:
        """Name the `parameter`, its `value` and what X says."""
        super().__init__(parameter, value, message)
        self.parameter, self.value, self.message = parameter, value, message


@dataclass(frozen=True)
class Range:
    """A query over a half-open range of time."""

    text: str
    query: Query
    start: datetime
    end: datetime


def range_of(params: Mapping[str, str], product: str, state: State) -> Range:
    """Read ``query``, ``start_time`` and ``end_time``.

    Args:
        params: Of the query string.
        product: recent or all.
        state: Knows the time.

    Raises:
        RefusedError: One of them cannot be.
    """
    text = params.get("query", "")
    if not text:
        raise RefusedError("query", "", "The `query` query parameter can not be empty")
    if len(text) > LONGEST_QUERY[product]:
        message = f"Rule length exceeds the max allowed length: {LONGEST_QUERY[product]}"
        raise RefusedError("query", text, message)
    try:
        query = parse(text)
    except QueryError as error:
        raise RefusedError("query", text, f"There were errors processing your request: {error}") from error
    now = state.clock.now()
    earliest = now - timedelta(days=RECENT_DAYS) if product == "recent" else FIRST_POST
    start = _moment(params, "start_time") or max(earliest, now - timedelta(days=30))
    end = _moment(params, "end_time") or now - timedelta(seconds=30)
    if start < earliest:
        message = f"'start_time' must be on or after {earliest:%Y-%m-%dT%H:%MZ}"
        raise RefusedError("start_time", params.get("start_time", ""), message)
    if end > now - TOO_FRESH:
        message = "'end_time' must be a minimum of 10 seconds prior to the request time"
        raise RefusedError("end_time", params.get("end_time", ""), message)
    if end <= start:
        raise RefusedError("end_time", params.get("end_time", ""), "'end_time' must be after 'start_time'")
    return Range(text, query, start, end)


def page_size(params: Mapping[str, str], product: str) -> int:
    """Read ``max_results``.

    Raises:
        RefusedError: Not between 10 and what the product allows.
    """
    given = params.get("max_results", str(SHORTEST_PAGE))
    if not given.isdecimal() or not SHORTEST_PAGE <= int(given) <= LONGEST_PAGE[product]:
        message = f"The `max_results` query parameter value [{given}] is not between 10 and {LONGEST_PAGE[product]}"
        raise RefusedError("max_results", given, message)
    return int(given)


def only(params: Mapping[str, str], known: frozenset[str]) -> None:
    """Refuse a parameter that the endpoint does not have.

    Raises:
        RefusedError: There is one.
    """
    for name, value in params.items():
        if name not in known:
            raise RefusedError(name, value, f"The query parameter [{name}] is not one of [{','.join(sorted(known))}]")


def page_token(asked: Range, position: Any, state: State) -> str:
    """Return a token for the page at `position` of the same request."""
    content = json.dumps([_digest(asked), position, state.clock.seconds()]).encode()
    return base64.b32encode(content).decode().rstrip("=").lower()


def position_of(params: Mapping[str, str], asked: Range, state: State) -> Any:
    """Return the position that ``next_token`` stands for; None for the first page.

    Raises:
        RefusedError: The token is none, is of another request, or has expired.
    """
    token = params.get("next_token") or params.get("pagination_token")
    if not token:
        return None
    refused = RefusedError("next_token", token, f"Invalid 'next_token':'{token}'. 'next_token' not valid")
    try:
        digest, position, issued = json.loads(base64.b32decode(token.upper() + "=" * (-len(token) % 8)))
    except (ValueError, binascii.Error) as error:
        raise refused from error
    age = state.clock.seconds() - issued
    if digest != _digest(asked) or (state.token_lifetime_s is not None and age > state.token_lifetime_s):
        raise refused
    return position


def _digest(asked: Range) -> str:
    return hashlib.sha256(f"{asked.text} {asked.start} {asked.end}".encode()).hexdigest()[:12]


def _moment(params: Mapping[str, str], name: str) -> datetime | None:
    given = params.get(name)
    if given is None:
        return None
    if not _MOMENT.fullmatch(given):
        raise RefusedError(name, given, f"The `{name}` query parameter value [{given}] is not a valid date time")
    return datetime.fromisoformat(given)
