"""Saying that a service is waited for: one log line each time a request is asked again, never with what it holds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from botocore import exceptions as boto

from adverse_events.aws.retry import LONGEST_PAUSE_SECONDS, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from adverse_events.aws.settings import AwsSettings

_UNREACHED = (boto.ConnectTimeoutError, boto.EndpointConnectionError, boto.ProxyConnectionError)
_SERVER_ERROR, _TOO_MANY = 500, 429

logger = logging.getLogger(waiting.name)


def noting(service: str, settings: AwsSettings) -> Callable[..., None]:
    """Return a handler of botocore's ``needs-retry`` that says when `service` will be asked again, and decides nothing.

    Args:
        service: boto3's name of it.
        settings: How patiently it is asked.
    """

    def note(
        *, attempts: int, operation: Any, endpoint: Any, response: Any, caught_exception: Exception | None, **_: Any
    ) -> None:
        left = settings.max_attempts - attempts
        reason = _reason(response, caught_exception)
        if left <= 0 or not reason:
            return
        patience = settings.connect_timeout_s if isinstance(caught_exception, _UNREACHED) else settings.read_timeout_s
        logger.info(
            "%s %s at %s: %s; try %d of %d follows, waiting at most %.0f s more",
            service,
            operation.name,
            endpoint.host,
            reason,
            attempts + 1,
            settings.max_attempts,
            left * (patience + LONGEST_PAUSE_SECONDS),
        )

    return note


def _reason(response: Any, error: Exception | None) -> str:
    """Return why a request is to be asked again; empty where it is answered."""
    if error:
        return f"no answer ({type(error).__name__})"
    if not response:
        return ""
    status = response[1].get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return f"HTTP {status}" if status >= _SERVER_ERROR or status == _TOO_MANY else ""
