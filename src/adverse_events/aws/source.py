"""Where sessions come from when it is not the ordinary boto3 chain; needs no library of AWS."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3

    from adverse_events.aws.settings import AwsSettings

    SessionSource = Callable[[AwsSettings], boto3.Session]

_source: ContextVar[SessionSource | None] = ContextVar("session source", default=None)


@contextmanager
def sessions_from(source: SessionSource) -> Iterator[None]:
    """Let `source` make the sessions of this context whose settings name a credentials block.

    A context does not reach into threads that are already there: enter it in the function that runs in one.
    """
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def session_source() -> SessionSource | None:
    """Return what makes this context's sessions from blocks; None where nothing can read one."""
    return _source.get()
