"""Switches that make the services fail as networks and AWS do: at a rate, by a seed, counted."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from adverse_events.local_aws.wire import Call, error
from adverse_events.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from werkzeug.wrappers import Request

    from adverse_events.local_aws.wire import Handler


class Fault(StrEnum):
    """What can go wrong with one request."""

    THROTTLE = "throttle"
    """Refused for the account's rate, in the service's own words; nothing is done."""
    SERVER_ERROR = "server_error"
    """5xx; nothing is done."""
    SLOW = "slow"
    """Answered rightly, after a pause."""
    CUT = "cut"
    """The connection ends without an answer; nothing is done."""
    LOST = "lost"
    """The request is carried out, and the connection ends without its answer."""
    TRUNCATED = "truncated"
    """The request is carried out, and the connection ends half-way through its answer."""
    HTML = "html"
    """A proxy's page instead of an answer; nothing is done."""
    EXPIRED = "expired"
    """Refused for credentials that have run out; nothing is done."""
    SKEWED = "skewed"
    """Refused for the client's clock; nothing is done."""
    SHORT = "short"
    """The model leaves out the last text's scores."""
    NAN = "nan"
    """The model gives no number for the last text."""


ANY_SERVICE = (
    Fault.THROTTLE,
    Fault.SERVER_ERROR,
    Fault.SLOW,
    Fault.CUT,
    Fault.LOST,
    Fault.TRUNCATED,
    Fault.HTML,
)
OF_THE_MODEL = (Fault.SHORT, Fault.NAN)
OF_THE_CLIENT = (Fault.EXPIRED, Fault.SKEWED)
"""What no asking again mends."""

_PAGE = (
    "<!DOCTYPE html><html><head><title>Gateway</title></head><body>The proxy could not reach the host.</body></html>"
)


class Faults(Switches[Fault]):
    """The switches in front of every service."""

    def __init__(self, seed: int = 0, *, pause_s: float = 0.2) -> None:
        """Start with every switch off."""
        super().__init__(seed, pause_s=pause_s)
        self._down_from: defaultdict[str, float] = defaultdict(lambda: inf)

    def everywhere(self, rate: float, services: tuple[str, ...]) -> None:
        """Let `rate` (0-1) of the requests to each of `services` fail, in every way that service can, evenly.

        A missing number is no fault to wait out: a model that has none for a post has none when asked again.
        """
        for service in services:
            kinds = (*ANY_SERVICE, Fault.SHORT) if service == "sagemaker-runtime" else ANY_SERVICE
            self.set(service, {kind: rate / len(kinds) for kind in kinds})

    def take_down(self, service: str, *, after: int = 0) -> None:
        """Let `service` answer `after` more requests, and then nothing but 503."""
        with self._lock:
            self._down_from[service] = self._n_asked[service] + after

    def clear(self) -> None:
        """Turn every switch off; what was counted stays."""
        super().clear()
        with self._lock:
            self._down_from.clear()

    def carry_out(self, request: Request, call: Call, handler: Handler) -> Response:
        """Answer `request` with `handler`, or with the fault that the dice say.

        Raises:
            ConnectionAbortedError: The connection is to end without an answer.
        """
        fault = self.next(call.service)
        if fault is Fault.SLOW:
            time.sleep(self.pause_s)
        if fault in {None, Fault.SLOW}:
            return handler(request)
        if fault in _INSTEAD:
            return _INSTEAD[fault](call.service)
        if fault is Fault.CUT:
            raise ConnectionAbortedError
        answer = handler(request)
        if fault is Fault.LOST:
            raise ConnectionAbortedError
        return spoilt(answer, fault)

    def _drawn(self, name: str, n_before: int) -> Fault | None:
        return Fault.SERVER_ERROR if n_before >= self._down_from[name] else super()._drawn(name, n_before)


def throttled(service: str) -> Response:
    """Return the answer by which `service` says that it is asked too often."""
    if service == "s3":
        return error(service, "SlowDown", "Please reduce your request rate.", 503)
    if service == "sagemaker-runtime":
        return error(service, "ThrottlingException", "Rate exceeded", 429)
    code = {"comprehendmedical": "TooManyRequestsException", "sts": "Throttling", "iam": "Throttling"}
    return error(service, code.get(service, "ThrottlingException"), "Rate exceeded", 400)


def broken(service: str) -> Response:
    """Return the answer of a `service` that is out of order."""
    if service == "s3":
        return error(service, "InternalError", "We encountered an internal error. Please try again.", 500)
    code = {"sagemaker-runtime": "ServiceUnavailable", "comprehendmedical": "ServiceUnavailableException"}
    return error(service, code.get(service, "InternalServerException"), "The service is unavailable.", 503)


def expired(service: str) -> Response:
    """Return the answer by which `service` refuses credentials that have run out.

    Source:
        "Error responses" of Amazon S3, "Common errors" of AWS Glue, SageMaker and Comprehend Medical; read 2026-11.
    """
    code = "ExpiredToken" if service in {"s3", "sts", "iam"} else "ExpiredTokenException"
    return error(service, code, "The security token included in the request is expired", 400)


def skewed(service: str) -> Response:
    """Return the answer by which `service` refuses a client whose clock is wrong by minutes.

    Source:
        As `expired`.
    """
    if service == "s3":
        detail = "The difference between the request time and the current time is too large."
        return error(service, "RequestTimeTooSkewed", detail, 403)
    code = "SignatureDoesNotMatch" if service in {"sts", "iam"} else "InvalidSignatureException"
    return error(service, code, "Signature expired: the request is earlier than this service takes.", 403)


def page(service: str) -> Response:
    """Return a proxy's page: with 502 to S3's clients, with 200 to the others, which is worse.

    DuckDB's and Arrow's own S3 clients take a page with 200 for the object they asked for.
    """
    return Response(_PAGE, 502 if service == "s3" else 200, content_type="text/html; charset=utf-8")


_INSTEAD: Mapping[Fault, Callable[[str], Response]] = {
    Fault.THROTTLE: throttled,
    Fault.SERVER_ERROR: broken,
    Fault.HTML: page,
    Fault.EXPIRED: expired,
    Fault.SKEWED: skewed,
}
"""What is answered without carrying the request out."""


def spoilt(answer: Response, fault: Fault) -> Response:
    """Return `answer` cut in the middle, or without its last text's scores, or with no number there."""
    body = answer.get_data()
    headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    if fault is Fault.TRUNCATED:
        return _Cut(body[: len(body) // 2], answer.status_code, [*headers, ("Content-Length", str(len(body)))])
    scores = json.loads(body)
    if fault is Fault.SHORT:
        scores = scores[:-1]
    elif scores and isinstance(scores[-1], list):
        scores[-1] = [{**item, "score": float("nan")} for item in scores[-1]]
    return Response(json.dumps(scores), answer.status_code, headers)


class _Cut(Response):
    """Sends what it has and breaks the connection, whatever length it promised."""

    automatically_set_content_length = False

    def get_app_iter(self, environ: dict[str, Any]) -> Iterator[bytes]:
        """Yield the body, and no end."""
        yield from super().get_app_iter(environ)
        raise ConnectionAbortedError
