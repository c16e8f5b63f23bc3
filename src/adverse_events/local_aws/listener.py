"""One HTTP server on a free port of this machine's loopback address, in a thread."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from email.utils import formatdate
from threading import Thread
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server
from werkzeug.wrappers import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adverse_events.local_aws.wire import Handler

LOOPBACK = "127.0.0.1"
"""Nothing outside this machine may reach a server that holds posts and knows no passwords."""


class _Quiet(MotoRequestHandler):  # type: ignore[misc]
    """moto's handler, which keeps the spelling of the headers S3 stores, without a log line per request.

    Attributes:
        clock: What answers are dated by: seconds since 1970.
    """

    clock: Callable[[], float]

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header of an answer."""
        return formatdate(self.clock() if timestamp is None else timestamp, usegmt=True)

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """End a connection on which no answer was sent, instead of waiting there for the next request."""
        del error, environ
        self.close_connection = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name for it
        logging.getLogger("adverse_events.local_aws").debug("%s: %s", type, message % args if args else message)


@contextmanager
def listening(handler: Handler, clock: Callable[[], float] = time.time) -> Iterator[str]:
    """Serve `handler` while the block runs and provide its address, such as ``http://127.0.0.1:40123``.

    Args:
        handler: Answers; a `ConnectionError` from it closes the connection without an answer.
        clock: What answers are dated by: seconds since 1970.
    """
    by_clock = type("_ByClock", (_Quiet,), {"clock": staticmethod(clock)})
    server = make_server(LOOPBACK, 0, Request.application(handler), threaded=True, request_handler=by_clock)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
