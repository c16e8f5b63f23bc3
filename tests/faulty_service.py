"""A network and a service that fail on purpose: stands before a test's AWS server, see `moto_server.moto_server`.

What a client sees is real: HTTP errors, connections that break, answers cut short, answers lost after the deed.
"""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Fault = Callable[[WSGIApplication, WSGIEnvironment, StartResponse], Iterable[bytes]]


@dataclass
class Trouble:
    """Notes every request and fails those that a rule names.

    Attributes:
        rules: Each says how to fail one request, or None; the first that speaks decides.
        requests: ``METHOD path`` of each request so far.
    """

    rules: list[Callable[[str], Fault | None]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __call__(self, app: WSGIApplication) -> WSGIApplication:
        """Stand before `app`."""

        def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            request = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}"
            self.requests.append(request)
            for rule in self.rules:
                fault = rule(request)
                if fault:
                    return fault(app, environ, start_response)
            return app(environ, start_response)

        return watched

    def fail(self, start: str, fault: Fault, *, containing: str = "", after: int = 0) -> None:
        """Let `fault` meet requests that begin with `start` and contain `containing`, once `after` have passed."""
        matched = 0
        lock = Lock()

        def rule(request: str) -> Fault | None:
            nonlocal matched
            with lock:
                if request.startswith(start) and containing in request:
                    matched += 1
                    return fault if matched > after else None
                return None

        self.rules.append(rule)

    def fail_at_random(self, share: float, faults: list[Fault], seed: int) -> None:
        """Let one of `faults` meet this share of all requests."""
        draw = random.Random(seed)  # noqa: S311 - which requests fail, not a secret
        self.rules.append(lambda _: draw.choice(faults) if draw.random() < share else None)


def refusal(status: int, code: str, message: str = "made up for a test") -> Fault:
    """Return a fault: S3's error document, and the request not carried out."""

    def fault(_: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        _read(environ)
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        start_response(f"{status} {code}", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    return fault


def reset(_: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Break the connection before the request is carried out."""
    _read(environ)
    return _broken(environ, start_response)


def lost_answer(app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Carry the request out, and break the connection before the answer."""
    for _ in app(environ, lambda *_: lambda _: None):
        pass
    return _broken(environ, start_response)


def cut_answer(app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Carry the request out, and break the connection in the middle of the answer's body."""
    body = b"".join(app(environ, start_response))
    yield body[: len(body) // 2]
    _break(environ)


def unconditional(app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Carry the request out whatever its conditions say."""
    kept = {name: value for name, value in environ.items() if name not in {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"}}
    return app(kept, start_response)


def _read(environ: WSGIEnvironment) -> None:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def _broken(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    _break(environ)
    start_response("200 OK", [])
    return []


def _break(environ: WSGIEnvironment) -> None:
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
