"""The HTTP server around the application, on one socket, until it is told to stop."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

from .app import create_app

if TYPE_CHECKING:
    from .app import Limits
    from .model import OnnxModel

KEEP_ALIVE_SECONDS = 75
"""Time a connection may rest: who asks once a minute need not connect again."""

GRACE_SECONDS = 25
"""Time for requests under way after SIGTERM; SageMaker sends SIGKILL after 30 seconds."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises:
        OSError: The port is taken, or may not be taken.
        OverflowError: There is no such port.
    """
    listener = socket.create_server((host, port), backlog=2048)
    # asyncio sets this only on sockets made with their protocol named. Without it, the body of an answer waits up to
    # 40 ms for the client to acknowledge the head. Accepted connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def http_server(model: OnnxModel, limits: Limits | None = None) -> uvicorn.Server:
    """Return the server of a model, not yet started; no request is logged.

    ``run(sockets=[listener])`` answers until SIGTERM or Ctrl-C, or until ``should_exit`` is set; requests under way are
    finished first.
    """
    config = uvicorn.Config(
        create_app(model, limits),
        access_log=False,
        log_config=None,
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(config)
