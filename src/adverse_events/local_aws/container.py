"""The model's container: the server of `adverse_events.serving`, as SageMaker would run it behind an endpoint."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple

import httpx
import uvicorn

from adverse_events.errors import PermanentServiceError
from adverse_events.local_aws.listener import LOOPBACK
from adverse_events.serving.app import create_app
from adverse_events.serving.handler import load
from adverse_events.serving.payload import ATTRIBUTES_HEADER, CONTENT_TYPE
from adverse_events.serving.server import listen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_SECONDS = 60
"""Longest wait for the server to be ready, and for one answer, as an endpoint has it."""


class ContainerAnswer(NamedTuple):
    """What the container answers: HTTP status, content type, body, and the header that names its model."""

    status: int
    content_type: str
    body: bytes
    attributes: str


class Container:
    """A running container, asked over HTTP.

    Args:
        client: A client whose base address is the container's.
    """

    def __init__(self, client: httpx.Client) -> None:
        """Ask through `client`."""
        self._client = client

    def invoke(self, body: bytes, content_type: str, accept: str = CONTENT_TYPE) -> ContainerAnswer:
        """Return the answer to one request to ``/invocations``."""
        headers = {"Content-Type": content_type, "Accept": accept}
        answer = self._client.post("/invocations", content=body, headers=headers)
        found = answer.headers
        return ContainerAnswer(
            answer.status_code, found.get("Content-Type", ""), answer.content, found.get(ATTRIBUTES_HEADER, "")
        )


@contextmanager
def container(model: Path, *, threads: int = 0) -> Iterator[Container]:
    """Run the container on the model folder `model` while the block runs.

    Args:
        model: An exported model folder.
        threads: Threads of one model call; 0 takes every processor.

    Raises:
        ModelFolderError: The folder holds no model, or a damaged one.
        PermanentServiceError: The server did not start.
    """
    listener = listen(LOOPBACK, 0)
    address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        create_app(load(model, threads=threads)), access_log=False, log_config=None, ws="none", lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="model container", daemon=True)
    thread.start()
    try:
        _wait_for(server, thread)
        with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            yield Container(client)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _wait_for(server: uvicorn.Server, thread: Thread) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while not server.started:
        if not thread.is_alive() or monotonic() > deadline:
            raise PermanentServiceError("model container", "start", "the server did not start; its log says why")
        sleep(0.01)
