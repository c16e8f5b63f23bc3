"""The account as one run reaches it: a boto3 session and the clients made from it, each once."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from adverse_events.aws.errors import translated
from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adverse_events.aws.settings import AwsSettings

    SessionSource = Callable[[AwsSettings], boto3.Session]

_ASKED_BY_US = frozenset({"sagemaker-runtime", "comprehendmedical"})
"""Services whose every request `retry.patiently` repeats: it sees what botocore does not, such as a short answer."""


def _from_chain(settings: AwsSettings) -> boto3.Session:
    if settings.credentials_block:
        msg = (
            f"aws.credentials_block {settings.credentials_block} is read by flows only; here, unset it and use the "
            "boto3 chain or aws.profile"
        )
        raise UsageError(msg)
    return boto3.Session(profile_name=settings.profile, region_name=settings.region)


_source: ContextVar[SessionSource] = ContextVar("session source", default=_from_chain)


@contextmanager
def sessions_from(source: SessionSource) -> Iterator[None]:
    """Let `source` make the sessions of this context, such as one that reads a Prefect block."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


class Cloud:
    """One account and region; safe to share between threads.

    Args:
        settings: Which account and how patiently.
    """

    def __init__(self, settings: AwsSettings) -> None:
        """Find the credentials' source; nothing is asked of AWS yet."""
        self.settings = settings
        with translated("aws", "open a session"):
            self.session = _source.get()(settings)
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    @cached_property
    def region(self) -> str:
        """Region in force, such as eu-west-1; empty when none is configured."""
        return self.session.region_name or ""

    def client(self, service: str) -> Any:
        """Return the boto3 client of `service`, such as ``s3``; made once.

        Raises:
            PermanentServiceError: No region, or a profile that does not exist.
        """
        # Making clients in two threads at once is not safe in boto3; using one in two threads is.
        with self._lock:
            if service not in self._clients:
                with translated(service, "make a client"):
                    self._clients[service] = self.session.client(service, config=self._config(service))
            return self._clients[service]

    def _config(self, service: str) -> Config:
        settings = self.settings
        return Config(
            connect_timeout=settings.connect_timeout_s,
            read_timeout=settings.read_timeout_s,
            max_pool_connections=64,
            user_agent_extra="adverse-events",
            retries={
                "mode": "standard",
                "total_max_attempts": 1 if service in _ASKED_BY_US else settings.max_attempts,
            },
        )
