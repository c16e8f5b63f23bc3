"""The ASGI application: every request comes in by one door, is counted, may be refused or struck, and is answered."""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match

from adverse_events.local_x import counts, lookup, search
from adverse_events.local_x.faults import Fault
from adverse_events.local_x.problems import (
    capped,
    missing,
    not_enrolled,
    problem,
    too_many,
    unauthorized,
    unavailable,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from adverse_events.local_x.state import State

MODULES = (
    counts,
    lookup,
    search,
)
"""Each has ``routes(state)``, whose routes are named as faults, limits and counts name them."""

OPEN_ROUTES = frozenset({"upload", "download"})
"""Addresses that an answer hands out; they must be asked without the token."""

STREAMS = frozenset({"stream"})
"""Routes whose answer has no end, and so cannot be held back to be spoilt."""

_PAGE = "<!DOCTYPE html><html><head><title>Gateway</title></head><body>The proxy could not reach it.</body></html>"

_AFTERWARDS = frozenset({Fault.LOST, Fault.TRUNCATED, Fault.HALF_JSON, Fault.PARTIAL})


def create_app(state: State) -> ASGIApp:
    """Return the application that serves `state`."""
    routes = [route for module in MODULES for route in module.routes(state)]
    inner = Starlette(routes=routes, exception_handlers={HTTPException: _no_such_page})
    return _Door(inner, routes, state)


class _Door:
    def __init__(self, inner: ASGIApp, routes: list[Route], state: State) -> None:
        self._inner, self._routes, self._state = inner, routes, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        state, route = self._state, self._route(scope)
        is_let_in, headers = state.take_request(route)
        headers["date"] = formatdate(state.clock.seconds(), usegmt=True)
        dated = _with_headers(send, headers)
        fault = state.faults.next(route)
        if fault is Fault.CUT or (fault in _AFTERWARDS and route in STREAMS):
            await _hang_up(receive, send)
            return
        if fault is Fault.SLOW:
            await asyncio.sleep(state.faults.pause_s)
        if fault is Fault.RATE_LIMIT:
            headers["x-rate-limit-reset"] = str(int(state.clock.seconds()) + 1)
        answer = self._refusal(scope, route, fault, is_let_in=is_let_in)
        if answer is not None:
            await answer(scope, receive, dated)
        elif fault in _AFTERWARDS:
            await self._spoilt(scope, receive, send, dated, fault)
        else:
            await self._inner(scope, receive, dated)

    def _route(self, scope: Scope) -> str:
        names = (route.name for route in self._routes if route.matches(scope)[0] is Match.FULL)
        return next(names, "unknown")

    def _refusal(self, scope: Scope, route: str, fault: Fault | None, *, is_let_in: bool) -> Response | None:
        """Return the answer where the request goes no further."""
        by_fault = {
            Fault.RATE_LIMIT: too_many,
            Fault.NO_RESET: too_many,
            Fault.CAPPED: capped,
            Fault.SERVER_ERROR: unavailable,
        }
        if fault in by_fault:
            return by_fault[fault]()
        if fault is Fault.HTML:
            return HTMLResponse(_PAGE)
        token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        if route in OPEN_ROUTES:
            return problem(400, "Bad Request", "a signed address takes no token") if token else None
        if token != f"Bearer {self._state.token}":
            return unauthorized()
        if not self._state.is_enrolled:
            return not_enrolled()
        return None if is_let_in else too_many()

    async def _spoilt(self, scope: Scope, receive: Receive, send: Send, dated: Send, fault: Fault | None) -> None:
        """Carry the request out, and spoil its answer."""
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self._inner(scope, receive, hold)
        body = b"".join(message.get("body", b"") for message in held[1:])
        if fault is Fault.LOST:
            await _hang_up(receive, send)
        elif fault is Fault.TRUNCATED:
            await dated(held[0])
            await dated({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await _hang_up(receive, send)
        else:
            whole = _with_partial_error(body) if fault is Fault.PARTIAL else body[: len(body) // 2]
            answer = Response(whole, held[0]["status"], media_type="application/json")
            await answer(scope, receive, dated)


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            extra = [(name.encode(), value.encode()) for name, value in headers.items()]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return sending


async def _hang_up(receive: Receive, send: Send) -> None:
    """End the connection as it is. ASGI has no word for that; uvicorn's `send` knows the connection."""
    transport: Any = send.__self__.transport  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    transport.close() if transport.get_write_buffer_size() else transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _with_partial_error(body: bytes) -> bytes:
    answer = json.loads(body)
    gone = {**missing("1"), "parameter": "referenced_tweets.id"}
    return json.dumps({**answer, "errors": [*answer.get("errors", ()), gone]}).encode()


async def _no_such_page(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return problem(status, "Not Found Error" if status == 404 else "Error", "there is no such page")  # noqa: PLR2004
