"""Comprehend Medical's JSON protocol over real HTTP on this machine, for tests: the embedded coder, with faults.

It says only what the service can say: no role, no cause, no trait without a name there.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings
from adverse_events.coding.comprehend.coder import ComprehendCoder
from adverse_events.coding.comprehend.operation import PROBE
from adverse_events.coding.comprehend.settings import ComprehendSettings
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.wire import to_response
from adverse_events.screening.drugs import DrugLexicon
from tests.moto_server import REGION, aws_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from adverse_events.records import Coding

PREFIX = "ComprehendMedical_20181030."
MAX_BYTES = {"InferICD10CM": 10_000, "DetectEntitiesV2": 20_000}
VERSION = "3.1.0"
REFUSED_WORD = "zzrefusedzz"
"""A text with this word is refused."""


@dataclass(frozen=True)
class Fault:
    """What one answer is instead.

    Attributes:
        status: HTTP status; 200 answers.
        code: AWS error code of another status.
        change: Changes the response: an answer that arrives whole and is wrong.
        spoil: Changes the body on its way.
        seconds: Wait before it.
    """

    status: int = 200
    code: str = ""
    change: Callable[[dict[str, Any]], dict[str, Any]] = dict
    spoil: Callable[[bytes], bytes] = bytes
    seconds: float = 0.0


def each_entity(**members: Any) -> Fault:
    """Return an answer each of whose entities has other members."""
    return Fault(change=lambda answer: {**answer, "Entities": [{**entity, **members} for entity in answer["Entities"]]})


THROTTLE = Fault(400, "TooManyRequestsException")
BROKEN = Fault(500, "InternalServerException")
UNAVAILABLE = Fault(503, "ServiceUnavailableException")
DENIED = Fault(400, "AccessDeniedException")
EXPIRED = Fault(400, "ExpiredTokenException")
SKEWED = Fault(400, "RequestTimeTooSkewed")
TRUNCATED = Fault(spoil=lambda body: body[: len(body) // 2])
PROXY_PAGE = Fault(spoil=lambda _: b"<html><body>Gateway sign-in</body></html>")
NOT_A_NUMBER = each_entity(Score=float("nan"))
WRONG_PLACE = each_entity(BeginOffset=0, EndOffset=3)
OUTSIDE = each_entity(EndOffset=10**6)


@dataclass
class Service:
    """The running service: what goes wrong, and what was asked.

    Attributes:
        url: Where it listens.
        faults: The fault of each coming answer, None for none; past their end nothing goes wrong.
        always: The fault of every answer besides.
        asked: ``(operation, text)`` in the order they came.
        most_in_flight: Requests under way at one time.
    """

    url: str
    faults: Iterator[Fault | None] = field(default_factory=lambda: iter(()))
    always: Fault = field(default_factory=Fault)
    asked: list[tuple[str, str]] = field(default_factory=list)
    most_in_flight: int = 0
    in_flight: int = 0
    lock: Lock = field(default_factory=Lock)

    @cached_property
    def coder(self) -> EmbeddedCoder:
        """What answers."""
        return EmbeddedCoder.load()

    def reset(self, monkeypatch: pytest.MonkeyPatch) -> Service:
        """Forget what was, and point this process at the service."""
        for name, value in aws_environment(self.url).items():
            monkeypatch.setenv(name, value)
        self.faults, self.always, self.asked, self.most_in_flight = iter(()), Fault(), [], 0
        return self

    def texts(self, operation: str = "InferICD10CM") -> list[str]:
        """Return the texts one operation was asked about, but for probes."""
        return [text for name, text in self.asked if name == operation and text != PROBE]

    @contextmanager
    def asking(self, operation: str, text: str) -> Iterator[Fault]:
        """Count a request while it is under way, and provide its fault."""
        with self.lock:
            self.asked.append((operation, text))
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            fault = next(self.faults, None) or self.always
        yield fault
        with self.lock:
            self.in_flight -= 1

    def answer(self, operation: str, text: str, fault: Fault) -> tuple[int, dict[str, Any]]:
        """Return status and body of the answer."""
        if fault.status != 200:
            return fault.status, {"__type": fault.code, "Message": f"not now: {text}"}
        if len(text.encode()) > MAX_BYTES[operation]:
            return 400, {"__type": "TextSizeLimitExceededException", "Message": text}
        if REFUSED_WORD in text:
            return 400, {"__type": "InvalidRequestException", "Message": text}
        (coding,) = self.coder.code([text], [DrugLexicon.load().find(text)])
        response = to_response(coding.entities, VERSION, extras=False)
        if operation == "DetectEntitiesV2":
            for entity in response["Entities"]:
                del entity["ICD10CMConcepts"]
            response["UnmappedAttributes"] = []
        return 200, fault.change(self.always.change(response))


def open_coder(*, attempts: int = 4, region: str = REGION, **settings: Any) -> ComprehendCoder:
    """Open the coder as a user's settings do, with quotas out of the way."""
    quotas = {"requests_per_second": 5000, "characters_per_second": 10_000_000}
    account = Cloud(AwsSettings(region=region, max_attempts=attempts))
    return ComprehendCoder.open(account, ComprehendSettings(**{**quotas, **settings}))


def code(coder: ComprehendCoder, *texts: str) -> list[Coding]:
    """Code `texts` with the drugs the lexicon finds in them."""
    return coder.code(texts, [DrugLexicon.load().find(text) for text in texts])


@contextmanager
def comprehend_server() -> Iterator[Service]:
    """Run the service on a free port."""
    service = Service("")
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": service}))
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up: tests cut answers short on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    service: Service

    def do_POST(self) -> None:
        text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["Text"]
        operation = self.headers["X-Amz-Target"].removeprefix(PREFIX)
        with self.service.asking(operation, text) as fault:
            time.sleep(fault.seconds)
            status, body = self.service.answer(operation, text, fault)
        whole = json.dumps(body).encode()
        sent = fault.spoil(whole)
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        # A cut answer still promises its whole length, as one cut on the way does.
        self.send_header("Content-Length", str(len(whole if whole.startswith(sent) else sent)))
        self.end_headers()
        self.wfile.write(sent)
        self.close_connection = sent != whole

    def log_message(self, *_: Any) -> None:
        """Keep a failing test's own output readable."""
