"""An endpoint behind the SageMaker Runtime protocol on this machine: the real payload code, a model, and faults.

::

    with EndpointServer() as server:
        server.fault = lambda number, texts: "throttle" if number == 2 else None
"""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.sagemaker.models import sagemaker_backends

from adverse_events.serving import payload
from tests.moto_server import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adverse_events.aws.session import Cloud

NAME = "ade-classifier"
LABELS = ("NOT_ADE", "ADE")
CARD = payload.ModelCard("toy+0123456789ab", "ADE", 0.4)
SLOW_SECONDS = 1.5

REFUSALS = {
    "throttle": (429, "ThrottlingException"),
    "unavailable": (503, "ServiceUnavailable"),
    "missing": (400, "ValidationError"),
    "denied": (403, "AccessDeniedException"),
    "expired": (403, "ExpiredTokenException"),
    "skewed": (403, "InvalidSignatureException"),
}
"""What SageMaker itself answers: HTTP status and error code, by fault."""

CONTAINER = {"poison": 400, "crash": 500, "overload": 503}
"""What the container answers, wrapped in a ModelError, by fault."""


def toy_scores(texts: Sequence[str]) -> np.ndarray:
    """Return scores that tell texts apart: array (len(texts), 2), float32, rows sum to one."""
    ade = np.array([(sum(text.encode()) % 997 + 1) / 999 for text in texts], np.float32)
    return np.stack([1 - ade, ade], axis=1)


def connected(cloud: Cloud) -> Cloud:
    """Return `cloud` with its clients made: later they do not depend on the environment, which each test clears."""
    for service in ("s3", "sagemaker", "sagemaker-runtime"):
        cloud.client(service)
    return cloud


def make_endpoint(cloud: Cloud, models: Sequence[str] = ("ade-model",), config: str = "ade-config") -> None:
    """Create endpoint `NAME` in the control plane: one variant per model, the first named AllTraffic."""
    client = cloud.client("sagemaker")
    variants = []
    for index, model in enumerate(models):
        client.create_model(ModelName=model, ExecutionRoleArn="arn:aws:iam::123456789012:role/ade")
        variant = {"VariantName": "AllTraffic" if not index else f"Variant{index}", "ModelName": model}
        variants.append({**variant, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1})
    client.create_endpoint_config(EndpointConfigName=config, ProductionVariants=variants)
    client.create_endpoint(EndpointName=NAME, EndpointConfigName=config)


def endpoint_in_moto() -> Any:
    """Return moto's own record of endpoint `NAME`, whose status a test may set."""
    return sagemaker_backends[ACCOUNT_ID][REGION].endpoints[NAME]


class EndpointServer(ThreadingHTTPServer):
    """Serves one endpoint; a context manager.

    Attributes:
        scores: Class scores of texts: array (len(texts), len(labels)).
        labels: Class names in the order of the columns.
        card: What the server says of its model; None for a server that is not this project's.
        fault: Called with the number of the request, from 0, and its texts; returns the fault to show, or None.
        requests: The texts of each request, as they came.
        variant: Variant that says it answers; the requested one first.
        most_at_once: Most requests that were being answered at one time.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self._at_once = 0
        self._lock = Lock()
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.heal()

    def heal(self) -> None:
        """Serve the toy model without faults and forget what was asked."""
        self.scores: Callable[[Sequence[str]], np.ndarray] = toy_scores
        self.labels = LABELS
        self.card: payload.ModelCard | None = CARD
        self.fault: Callable[[int, Sequence[str]], str | None] = lambda _number, _texts: None
        self.variant = "AllTraffic"
        self.requests: list[list[str]] = []
        self.most_at_once = 0

    @property
    def url(self) -> str:
        """Address, such as ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def arrived(self, texts: list[str]) -> int:
        """Note a request and return its number."""
        with self._lock:
            self.requests.append(texts)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return len(self.requests) - 1

    def left(self) -> None:
        """Note that a request is done."""
        with self._lock:
            self._at_once -= 1

    def answer(self, texts: Sequence[str], fault: str | None) -> bytes:
        """Return the answer's body, with its fault."""
        scores = np.array(self.scores(texts), np.float32)
        labels = self.labels
        if fault == "nan":
            scores[-1, -1] = np.nan
        if fault == "labels":
            labels = tuple(f"{label}_{texts[0]}" for label in labels)
        rows = payload.answer_of(labels, scores.tolist(), [len(text) > 1000 and bool(self.card) for text in texts])
        if fault == "short":
            rows = rows[:-1]
        return json.dumps(rows).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet: else Nagle's algorithm adds 40 ms to each answer.
    wbufsize = -1
    server: EndpointServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        texts = payload.decode_request(body)
        number = self.server.arrived(texts)
        try:
            self._answer(texts, self.server.fault(number, texts))
        finally:
            self.server.left()

    def _answer(self, texts: list[str], fault: str | None) -> None:
        if fault in REFUSALS:
            status, code = REFUSALS[fault]
            self._send(status, {"message": f"Endpoint not found for {texts}"}, **{"x-amzn-ErrorType": code})
        elif fault in CONTAINER:
            said = {"OriginalStatusCode": CONTAINER[fault], "OriginalMessage": str(texts), "Message": f"said {texts}"}
            self._send(424, said, **{"x-amzn-ErrorType": "ModelError"})
        elif fault == "html":
            self._send(200, b"<html><body>Sign in to the guest network</body></html>", **{"Content-Type": "text/html"})
        elif fault == "gateway":
            self._send(502, b"<html><body>Bad gateway</body></html>", **{"Content-Type": "text/html"})
        else:
            if fault == "slow":
                time.sleep(SLOW_SECONDS)
            self._send_scores(texts, fault)

    def _send_scores(self, texts: list[str], fault: str | None) -> None:
        headers = {"x-Amzn-Invoked-Production-Variant": self.headers.get("X-Amzn-SageMaker-Target-Variant")}
        headers["x-Amzn-Invoked-Production-Variant"] = (
            headers["x-Amzn-Invoked-Production-Variant"] or self.server.variant
        )
        card = self.server.card
        if card:
            card = card._replace(version="toy+another00000") if fault == "replaced" else card
            headers[payload.ATTRIBUTES_HEADER] = payload.encode_card(card)
        body = self.server.answer(texts, fault)
        if fault == "cut":
            # The length promised, half of it sent, the connection closed.
            self._send(200, body[: len(body) // 2], length=len(body), **headers)
            self.close_connection = True
        else:
            self._send(200, body[: len(body) // 2] if fault == "halved" else body, **headers)

    def _send(self, status: int, body: bytes | dict[str, object], length: int | None = None, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": payload.CONTENT_TYPE, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing: a failing test's own output is enough."""
