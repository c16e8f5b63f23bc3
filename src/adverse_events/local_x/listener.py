"""The server on a free port of this machine's loopback address, in a thread: `LocalX`."""

from __future__ import annotations

import socket
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Self

import uvicorn

from adverse_events.errors import PermanentServiceError
from adverse_events.local_x.app import create_app
from adverse_events.local_x.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.sample.post import GeneratedPost

HOST = "127.0.0.1"
"""Nothing outside this machine may reach it."""

PATIENCE_S = 60
KEEP_ALIVE_S = 75


class LocalX:
    """X API v2 on one port of 127.0.0.1; a context manager.

    Args:
        posts: Invented posts it holds from the start.
        state: What it serves; an empty one when None.
        port: To listen on; 0 takes a free one.

    Attributes:
        state: What it serves, and every switch.
        address: Such as ``http://127.0.0.1:40123``; known once entered.
    """

    def __init__(self, posts: Iterable[GeneratedPost] = (), *, state: State | None = None, port: int = 0) -> None:
        """Take the posts; nothing listens yet."""
        self.state = state or State()
        self.state.add_sample(posts)
        self.address, self._port = "", port

    def __enter__(self) -> Self:
        self._socket = socket.create_server((HOST, self._port), backlog=256)
        # As in serving: else the body of an answer waits for the client to acknowledge the head.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = f"http://{HOST}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(self.state),
            http="h11",
            access_log=False,
            log_config=None,
            ws="none",
            lifespan="off",
            date_header=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, name="local X", daemon=True)
        self._thread.start()
        deadline = monotonic() + PATIENCE_S
        while not self._server.started:
            if not self._thread.is_alive() or monotonic() > deadline:
                raise PermanentServiceError("local X", "start", "the server did not start; its log says why")
            sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
