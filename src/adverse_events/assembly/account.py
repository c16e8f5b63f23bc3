"""The AWS account, opened once a process and only where a setting asks for it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from adverse_events.aws.settings import AwsSettings
    from adverse_events.remote import RemoteParts


@lru_cache(maxsize=4)
def remote_parts(settings: AwsSettings) -> RemoteParts:
    """Return what stands in the AWS account; one process opens it once.

    Raises:
        UsageError: The libraries for AWS are not installed.
        ServiceError: There is no such profile or region.
    """
    try:
        from adverse_events.remote import RemoteParts  # noqa: PLC0415 - the embedded default runs without its libraries
    except ImportError as error:
        msg = f"AWS needs {error.name}, not installed; in the checkout: pip install -c constraints.txt -e '.[aws]'"
        raise UsageError(msg) from error
    return RemoteParts(settings)
