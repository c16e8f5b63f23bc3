"""One HTTP server on a free port of this machine's loopback address, in a thread."""

from __future__ import annotations

import io
import logging
import socket
import time
from contextlib import contextmanager, suppress
from email.utils import formatdate
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import make_server
from werkzeug.wrappers import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from werkzeug.wrappers import Response

    from adverse_events.local_aws.wire import Handler

LOOPBACK = "127.0.0.1"
"""Nothing outside this machine may reach a server that holds posts and knows no passwords."""

logger = logging.getLogger("adverse_events.local_aws")


class _Connection(MotoRequestHandler):  # type: ignore[misc]
    """One client's connection, kept open from request to request as AWS's are, without a log line per request.

    moto's handler, for the spelling of the headers that S3 stores. Werkzeug's own server closes each connection after
    one answer: a client then pays for a connection, and this machine for a thread, per request.

    Attributes:
        answered_by: Answers a request.
        clock: What answers are dated by: seconds since 1970.
        opened: The sockets of the server's connections.
        lock: Guards `opened`.
        closing: Set when the server stops: what answers may be gone, and nobody waits for the answer.
    """

    answered_by: Handler
    clock: Callable[[], float]
    opened: set[socket.socket]
    lock: Lock
    closing: Event

    # Head and body leave together, and at once: else one waits up to 40 ms for the client to acknowledge the other.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Begin a connection."""
        super().setup()
        with self.lock:
            self.opened.add(self.connection)

    def finish(self) -> None:
        """End a connection."""
        with self.lock:
            self.opened.discard(self.connection)
        # The client may have gone with an answer still unsent.
        with suppress(ConnectionError):
            super().finish()

    def handle_expect_100(self) -> bool:
        """Ask for the body of a request whose head asks whether to send it."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        """Answer one request, whose head is read."""
        environ = self.make_environ()
        if "wsgi.input_terminated" in environ:  # sent in chunks, of which nobody says whether all were read
            self.close_connection = True
        else:
            # Read to its end whether or not anybody looks at it: behind it comes the next request.
            environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))
        try:
            self._send(self._answer(Request(environ)), environ)
        except ConnectionError:
            self.close_connection = True

    def _answer(self, request: Request) -> Response:
        try:
            return self.answered_by(request)
        except ConnectionError:
            raise
        except Exception as error:
            if self.closing.is_set():
                raise ConnectionAbortedError from error
            # No traceback: what went wrong may quote a post.
            logger.error("%s %s failed: %s", request.method, request.path, type(error).__name__)  # noqa: TRY400
            logger.debug("a request failed", exc_info=True)
            return InternalServerError().get_response(request.environ)

    def _send(self, answer: Response, environ: dict[str, Any]) -> None:
        self.send_response(answer.status_code)
        for name, value in answer.get_wsgi_headers(environ):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            for part in answer.get_app_iter(environ):
                self.wfile.write(part)
        finally:
            self.wfile.flush()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header of an answer."""
        return formatdate(self.clock() if timestamp is None else timestamp, usegmt=True)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name for it
        logger.debug("%s: %s", type, message % args if args else message)


@contextmanager
def listening(handler: Handler, clock: Callable[[], float] = time.time) -> Iterator[str]:
    """Serve `handler` while the block runs and provide its address, such as ``http://127.0.0.1:40123``.

    Args:
        handler: Answers, with a body of known length; a `ConnectionError` from it, or from its answer's body, closes
            the connection there.
        clock: What answers are dated by: seconds since 1970.
    """
    opened: set[socket.socket] = set()
    lock, closing = Lock(), Event()
    own = {"answered_by": staticmethod(handler), "clock": staticmethod(clock)}
    kind = type("_OfServer", (_Connection,), {**own, "opened": opened, "lock": lock, "closing": closing})
    server = make_server(LOOPBACK, 0, Request.application(handler), threaded=True, request_handler=kind)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.port}"
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
        with lock:
            for connection in opened:
                with suppress(OSError):  # its client was faster
                    connection.shutdown(socket.SHUT_RDWR)
