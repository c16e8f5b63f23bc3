"""The ASGI application: ``/ping`` and ``/invocations`` as SageMaker asks a container, and what Batch Transform may ask.

Requests are read side by side and scored one at a time, each with every processor: that is where ONNX Runtime is
fastest. A bounded number is let in; the others are told to come back. An answer is JSON, never a traceback, and neither
an answer nor a log line carries text of a request.

Source:
    "Custom Inference Code with Hosting Services" and "... with Batch Transform", Amazon SageMaker AI Developer Guide,
    read 2026-11.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import handler, payload
from .model import Stopped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from .model import OnnxModel

logger = logging.getLogger(__name__)

PROBE = "The tablets made me dizzy and I had to lie down all afternoon."
"""What the server scores to prove itself."""

MEBIBYTE = 1024 * 1024

_DRAINED = 4
"""A body up to this many times the limit is read to its end, so that its sender can read why it is refused."""

_CLIENT_GONE = 499
"""Nobody reads this status; it is what proxies log where the client went away."""


@dataclass(frozen=True)
class Limits:
    """What the server takes on.

    Attributes:
        requests: Requests let in at one time: being read, waiting or scored.
        scored_at_once: Requests scored at one time.
        body_bytes: Longest body; InvokeEndpoint sends at most 6 MiB.
        read_seconds: Longest time a client may take to send its body.
    """

    requests: int = 64
    scored_at_once: int = 1
    body_bytes: int = 6 * MEBIBYTE
    read_seconds: float = 30


def create_app(model: OnnxModel, limits: Limits | None = None) -> Starlette:
    """Return the application that serves `model`."""
    service = _Service(model, limits or Limits())
    return Starlette(
        routes=[
            Route("/ping", service.ping, methods=["GET"]),
            Route("/execution-parameters", service.execution_parameters, methods=["GET"]),
            Route("/invocations", service.invocations, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _no_such_page},
        lifespan=service.lifespan,
    )


class _Service:
    def __init__(self, model: OnnxModel, limits: Limits) -> None:
        self._model = model
        self._limits = limits
        self._card = payload.encode_card(model.facts.card)
        self._pool = ThreadPoolExecutor(limits.scored_at_once, thread_name_prefix="score")
        self._n_inside = self._n_answered = 0
        self._is_proven = False

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self._prove()
        yield
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def ping(self, _: Request) -> Response:
        """Answer 200 when the model scores: as the last request showed, or, after a failure, a new probe.

        No probe otherwise: it would wait behind the requests of a busy server, which is healthy.
        """
        if self._is_proven or await self._prove():
            version = self._model.facts.version
            return JSONResponse(
                {
                    "status": "ready",
                    "model_version": version,
                    "requests_under_way": self._n_inside,
                    "requests_answered": self._n_answered,
                }
            )
        return _refusal(503, "the model does not score; the log says why")

    async def execution_parameters(self, _: Request) -> Response:
        """Tell Batch Transform how to send where the job does not say: one request is read while another is scored."""
        return JSONResponse(
            {
                "MaxConcurrentTransforms": self._limits.scored_at_once + 1,
                "BatchStrategy": "MULTI_RECORD",
                "MaxPayloadInMB": self._limits.body_bytes // MEBIBYTE,
            }
        )

    async def invocations(self, request: Request) -> Response:
        """Score one request."""
        if self._n_inside >= self._limits.requests:
            return _refusal(503, "every place is taken; ask again in a second", {"Retry-After": "1"})
        self._n_inside += 1
        try:
            return await self._answer(request)
        except payload.PayloadError as error:
            return _refusal(error.status, str(error))
        except TimeoutError:
            return _refusal(408, f"the body did not arrive within {self._limits.read_seconds:g} seconds")
        except (ClientDisconnect, Stopped):
            return Response(status_code=_CLIENT_GONE)
        except Exception as error:  # noqa: BLE001 - the outermost door: a traceback may quote a post
            self._is_proven = False
            what = str(error) if isinstance(error, handler.ModelFailedError) else handler.described(error)
            logger.error("a request failed: %s", what)  # noqa: TRY400 - as above
            return _refusal(500, "the model failed on this request; the log says where")
        finally:
            self._n_inside -= 1

    async def _answer(self, request: Request) -> Response:
        body = await self._body(request)
        gone = Event()
        watch = asyncio.create_task(_watch(request, gone))
        try:
            text, media_type = await asyncio.get_running_loop().run_in_executor(
                self._pool, self._scored, body, dict(request.headers), gone
            )
        finally:
            # A cancelled request, too, must not go on in its thread.
            gone.set()
            watch.cancel()
        self._n_answered += 1
        return Response(text, headers={payload.ATTRIBUTES_HEADER: self._card, "Content-Type": media_type})

    def _scored(self, body: bytes, headers: dict[str, str], gone: Event) -> tuple[str, str]:
        """Return the answer and its media type; runs in a thread of the pool."""
        if gone.is_set():
            raise Stopped
        accept = headers.get("accept")
        asked = handler.input_fn(body, headers.get("content-type"))
        media_type = handler.answer_type(asked, accept)
        return handler.output_fn(handler.predict(asked, self._model, gone.is_set), accept), media_type

    async def _body(self, request: Request) -> bytes:
        parts: list[bytes] = []
        size = 0
        limit = self._limits.body_bytes
        async with asyncio.timeout(self._limits.read_seconds):
            async for part in request.stream():
                size += len(part)
                if size <= limit:
                    parts.append(part)
                elif size > limit * _DRAINED:
                    break
        if size > limit:
            msg = f"the body is longer than {limit:,} bytes; send fewer texts at a time"
            raise payload.TooLargeError(msg)
        return b"".join(parts)

    async def _prove(self) -> bool:
        try:
            scores = await asyncio.get_running_loop().run_in_executor(self._pool, self._model.score, [PROBE])
        except Exception as error:  # noqa: BLE001 - whatever it is, the model does not score
            logger.error("the model does not score: %s", handler.described(error))  # noqa: TRY400 - no traceback
            return False
        probabilities = scores.probabilities
        self._is_proven = bool(((probabilities >= 0) & (probabilities <= 1)).all())
        if not self._is_proven:
            logger.error("the model does not score: its answer to a probe is no probability")
        return self._is_proven


async def _watch(request: Request, gone: Event) -> None:
    """Set `gone` when the client of a request that was read goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()


async def _no_such_page(_: Request, error: Exception) -> Response:
    # Starlette hands its own kind only; anything else would have been a defect further in.
    said = error if isinstance(error, HTTPException) else HTTPException(500)
    return _refusal(said.status_code, "ask GET /ping or POST /invocations", said.headers)


def _refusal(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": reason}, status_code=status, headers=headers)
