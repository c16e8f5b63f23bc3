"""Servers for tests: a model behind real HTTP on a free port, and models whose faults a test can choose."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

import httpx
import numpy as np

from adverse_events.serving.facts import ModelFacts
from adverse_events.serving.model import Scores
from adverse_events.serving.server import http_server, listen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.serving.app import Limits
    from adverse_events.serving.model import OnnxModel

FACTS = ModelFacts("fixed", ("NOT_ADE", "ADE"), 128, 0.5, {"model.onnx": "0" * 64})


class ChosenModel:
    """Scores as a test says: a value for every text, an error, or only once it is let."""

    facts = FACTS

    def __init__(self, ade=0.75):
        self.ade = ade
        self.error = None
        self.may_score = Event()
        self.may_score.set()
        self.n_scored = 0

    def score(self, texts, _is_stopped=None):
        assert self.may_score.wait(30)
        if self.error:
            raise self.error
        self.n_scored += len(texts)
        return Scores(np.array([[1 - self.ade, self.ade]] * len(texts), np.float32), [False] * len(texts))


@contextmanager
def serving(model: OnnxModel | ChosenModel, limits: Limits | None = None) -> Iterator[httpx.Client]:
    """Serve `model` while the block runs and provide a client of it."""
    listener = listen("127.0.0.1", 0)
    server = http_server(model, limits)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
