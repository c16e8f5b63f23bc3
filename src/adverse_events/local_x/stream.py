"""The filtered stream: posts as they are published, heartbeats, and everything that can go wrong with one.

Source:
    "Filtered stream", "Handling disconnections", "Recovery and redundancy" and "Consuming streaming data", X API v2
    documentation, read 2026-11.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from adverse_events.local_x.fields import UnknownFieldError, Wanted
from adverse_events.local_x.problems import PROBLEMS, invalid, problem
from adverse_events.local_x.publication import StreamFault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from adverse_events.local_x.state import State

POLL_S = 0.005
MOST_AT_ONCE = 100
LONGEST_BACKFILL = 5
"""Minutes of missed posts that a new connection may ask for."""

HEARTBEAT = b"\r\n"
HANG_UP = "adverse_events.hang_up"
"""Where the door leaves, in an ASGI scope, what ends the connection as it is."""


class Gone(Exception):  # noqa: N818 - no error: the client has gone, or is sent away
    """The connection is over."""


class _Connection:
    """One client that listens.

    Args:
        state: What there is to send.
        wanted: Fields of each post.
        send_bytes: Sends a piece of the body.
        hang_up: Ends the connection as it is.
    """

    def __init__(
        self,
        state: State,
        wanted: Wanted,
        send_bytes: Callable[[bytes], Awaitable[None]],
        hang_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._state, self._stream, self._wanted = state, state.stream, wanted
        self._send, self._hang_up = send_bytes, hang_up
        self._sent: list[int] = []
        self._stream.sent.append(self._sent)
        self._held: tuple[int, bytes] | None = None

    async def run(self, position: int) -> None:
        """Send from `position` on, for ever."""
        n_cut, quiet = self._stream.n_cut, 0.0
        await self._send(HEARTBEAT)
        while True:
            if self._stream.n_cut != n_cut:
                await self._hang_up()
                raise Gone
            end = min(len(self._stream.published), position + MOST_AT_ONCE)
            if position == end:
                if self._held:
                    await self._flush([self._held])
                    self._held = None
                if quiet >= self._stream.heartbeat_s:
                    await self._send(HEARTBEAT)
                    quiet = 0.0
                await asyncio.sleep(POLL_S)
                quiet += POLL_S
                continue
            quiet = 0.0
            lines: list[tuple[int, bytes]] = []
            for at in range(position, end):
                lines += await self._of(at, lines)
            await self._flush(lines)
            position = end

    async def _of(self, position: int, waiting: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Return what is sent for one published post; `waiting` is sent before the connection breaks."""
        tweet_id = self._stream.published[position]
        line = self._line(tweet_id)
        if line is None:
            return []
        fault = self._stream.fault_at(position)
        this, held = (tweet_id, line), self._held
        self._held = None
        before = [held] if held else []
        if fault is StreamFault.LATER:
            self._held = this
            return before
        if fault is StreamFault.TWICE:
            return [this, *before, this]
        if fault is StreamFault.HALF_LINE:
            return [*before, (0, line[: len(line) // 2] + HEARTBEAT), this]
        if fault in {StreamFault.CUT, StreamFault.DISCONNECT, StreamFault.SILENCE}:
            await self._flush([*waiting, *before])
            waiting.clear()
            await self._break(fault, line)
        return [this, *before]

    async def _break(self, fault: StreamFault, line: bytes) -> None:
        if fault is StreamFault.SILENCE:
            await asyncio.Event().wait()
        if fault is StreamFault.DISCONNECT:
            goodbye = {
                "title": "operational-disconnect",
                "disconnect_type": "OperationalDisconnect",
                "detail": "This stream has been disconnected for operational reasons.",
                "type": f"{PROBLEMS}/operational-disconnect",
            }
            await self._send(json.dumps({"errors": [goodbye]}).encode() + HEARTBEAT)
            raise Gone
        await self._send(line[: len(line) // 2])
        await self._hang_up()
        raise Gone

    async def _flush(self, lines: list[tuple[int, bytes]]) -> None:
        if lines:
            await self._send(b"".join(line for _, line in lines))
            self._sent += [tweet_id for tweet_id, _ in lines if tweet_id]

    def _line(self, tweet_id: int) -> bytes | None:
        """Return the line of a post, None where no rule asks for it or it is gone."""
        post = self._state.post(tweet_id)
        if post is None or self._state.why_hidden(tweet_id) in {"deleted", "protected"}:
            return None
        rules = self._state.rules.matching(post.document)
        if not rules:
            return None
        answer: dict[str, Any] = self._wanted.answer([post.load()], self._state)
        answer["data"] = answer["data"][0]
        answer["matching_rules"] = [{"id": rule.rule_id, "tag": rule.tag} for rule in rules]
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + HEARTBEAT


def routes(state: State) -> list[Route]:
    """Return the route of the stream."""
    return [Route("/2/tweets/search/stream", _Endpoint(state), methods=["GET"], name="stream")]


class _Endpoint:
    """The stream as an ASGI application: its answer has no end."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = self._state.stream
        params = _params(scope)
        try:
            wanted = Wanted.of(params)
            minutes = _backfill(params)
        except UnknownFieldError as error:
            refusal = invalid({error.parameter: error.value}, "the value is not known")
            await refusal(scope, receive, send)
            return
        if refused := self._refusal():
            await refused(scope, receive, send)
            return
        stream.n_connected += 1
        try:
            await self._serve(wanted, minutes, scope, receive, send)
        finally:
            stream.n_connected -= 1

    async def _serve(self, wanted: Wanted, minutes: int, scope: Scope, receive: Receive, send: Send) -> None:
        stream = self._state.stream
        now = self._state.clock.seconds()
        position = stream.since(now - 60 * minutes) if minutes else len(stream.published)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})

        async def send_bytes(body: bytes) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(0)  # let it be noticed that the client has gone

        connection = _Connection(self._state, wanted, send_bytes, scope[HANG_UP])
        sending = asyncio.ensure_future(connection.run(position))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
        is_over = sending.done() and not sending.cancelled() and isinstance(sending.exception(), Gone)
        if sending.done() and not is_over and not sending.cancelled():
            sending.result()
        if is_over and not leaving.done():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _refusal(self) -> Response | None:
        if not len(self._state.rules):
            detail = "Your stream has no rules; add one before connecting"
            issue = "RuleConfigurationIssue"
            return problem(409, "ConnectionException", detail, "streaming-connection", connection_issue=issue)
        if self._state.stream.n_connected >= self._state.stream.most_connections:
            detail = "This stream is currently at the maximum allowed connection limit."
            issue = "TooManyConnections"
            return problem(429, "ConnectionException", detail, "streaming-connection", connection_issue=issue)
        return None


def _params(scope: Scope) -> dict[str, str]:
    from starlette.requests import Request  # noqa: PLC0415 - only to read a query string

    return dict(Request(scope).query_params)


def _backfill(params: Mapping[str, str]) -> int:
    text = params.get("backfill_minutes", "0")
    if not text.isdecimal() or int(text) > LONGEST_BACKFILL:
        raise UnknownFieldError("backfill_minutes", text)
    return int(text)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
