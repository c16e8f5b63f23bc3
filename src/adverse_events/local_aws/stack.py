"""AWS on this machine, started and stopped as one: `LocalAws`."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from threading import Lock
from typing import TYPE_CHECKING, Self

from adverse_events.classification.model_folder import starter_model
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.local_aws.athena import Athena
from adverse_events.local_aws.comprehend import ComprehendMedical
from adverse_events.local_aws.container import container
from adverse_events.local_aws.counts import Counts
from adverse_events.local_aws.crawler import Crawlers
from adverse_events.local_aws.faults import Faults
from adverse_events.local_aws.front import ControlPlane, Front, watched
from adverse_events.local_aws.inside import REGION, Inside
from adverse_events.local_aws.listener import listening
from adverse_events.local_aws.provision import Provisioned, provision
from adverse_events.local_aws.runtime import Endpoints, Runtime
from adverse_events.local_aws.transform import TransformJobs
from adverse_events.screening.drugs import DrugLexicon

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from werkzeug.wrappers import Request, Response

SERVICES = ("s3", "glue", "athena", "sagemaker", "sagemaker-runtime", "comprehendmedical")
"""What a run talks to."""

_OWN_ADDRESS = ("SAGEMAKER_RUNTIME", "COMPREHENDMEDICAL", "ATHENA")
_NOWHERE = "/dev/null"


class LocalAws:
    """AWS's protocols on one free port of 127.0.0.1; a context manager.

    The services of one process share one memory, which is empty at the start: run one of these at a time.

    Args:
        model: Model folder that the endpoint serves; the shipped starter model when None.
        seed: Of the faults.
        threads: Threads of one model call; 0 takes every processor.

    Attributes:
        counts: What was asked.
        faults: The switches.
        endpoints: The states of endpoints.
        crawlers: The crawlers, which can be told to fail.
    """

    def __init__(self, *, model: Path | None = None, seed: int = 0, threads: int = 0) -> None:
        """Prepare; nothing listens yet."""
        self.counts, self.faults, self.endpoints = Counts(), Faults(seed), Endpoints()
        self._model, self._threads = model or starter_model(), threads
        self._opened = ExitStack()
        self._seconds_passed = 0.0

    def __enter__(self) -> Self:
        # A line per request would drown everything else; what matters is counted.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        control = ControlPlane()
        control.reset()
        with ExitStack() as opening:
            served = opening.enter_context(container(self._model, threads=self._threads))
            door = _Door()
            self.inside = Inside(opening.enter_context(listening(door)))
            self.crawlers = Crawlers(self.inside)
            jobs = TransformJobs(self.inside, served)
            apps: dict[str, Callable[[Request], Response]] = {
                "sagemaker-runtime": Runtime(self.inside, self.endpoints, served),
                "comprehendmedical": ComprehendMedical(EmbeddedCoder.load(), DrugLexicon.load(), self.counts),
            }
            front = Front(control, apps, Athena(self.inside), self.crawlers, jobs, self.endpoints)
            door.open(front)
            self.address = opening.enter_context(listening(watched(front, self.counts, self.faults), self._now))
            self._opened = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def pass_time(self, seconds: float) -> None:
        """Let the services' clock, by which they date their answers, go forward: everything they hold gets older."""
        self._seconds_passed += seconds

    def provision(self, name: str = "ade") -> Provisioned:
        """Make what a deployment needs, through boto3: bucket, key, database, crawler, workgroup, model and endpoint.

        Args:
            name: Begins the name of each.
        """
        return provision(self.inside, name)

    def environment(self) -> dict[str, str]:
        """Return the variables by which boto3, and what is built on it, reach these services and no real account."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            **{f"AWS_ENDPOINT_URL_{service}": self.address for service in _OWN_ADDRESS},
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": _NOWHERE,
            "AWS_SHARED_CREDENTIALS_FILE": _NOWHERE,
        }

    def _now(self) -> float:
        return time.time() + self._seconds_passed


class _Door:
    """What the services ask one another through; open once they all exist."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._handler: Callable[[Request], Response] | None = None

    def open(self, handler: Callable[[Request], Response]) -> None:
        with self._lock:
            self._handler = handler

    def __call__(self, request: Request) -> Response:
        if self._handler is None:
            raise ConnectionAbortedError
        return self._handler(request)
