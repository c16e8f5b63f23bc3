"""The account as one run reaches it: a boto3 session and the clients made from it, each once."""

from __future__ import annotations

from functools import cached_property, lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from adverse_events import __version__
from adverse_events.aws.errors import translated
from adverse_events.aws.source import session_source
from adverse_events.aws.waiting import noting
from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from adverse_events.aws.settings import AwsSettings

_ASKED_BY_US = frozenset({"sagemaker-runtime", "comprehendmedical"})
"""Services whose every request `retry.patiently` repeats: it sees what botocore does not, such as a short answer."""

_BAD_GATEWAY = 502

_REQUEST_IDS = ("x-amz-request-id", "x-amzn-requestid")

_USER_AGENT = f"Boto3/{boto3.__version__} Botocore/{botocore.__version__} adverse-events/{__version__}"
"""Given whole: botocore puts its own together anew for each request, a sixth of what a small request costs here."""

_REGION = {"region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)}
"""boto3 alone reads only the second name; containers and every other tool of AWS use the first."""


class Cloud:
    """One account and region; safe to share between threads.

    Args:
        settings: Which account and how patiently.
    """

    def __init__(self, settings: AwsSettings) -> None:
        """Find the credentials' source; nothing is asked of AWS yet, unless a block assumes a role.

        Raises:
            UsageError: A credentials block where nothing can read one, or one that does not exist.
            PermanentServiceError: A profile that does not exist, or a role that cannot be assumed.
        """
        self.settings = settings
        with translated("aws", "open a session"):
            self.session = _session(settings)
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
                    client = self.session.client(service, config=self._config(service))
                if service not in _ASKED_BY_US:
                    client.meta.events.register("before-parse", _damaged_as_bad_gateway)
                    # Named in full: of two handlers, botocore asks the one with the longer name first.
                    retries = f"needs-retry.{client.meta.service_model.service_id.hyphenize()}"
                    client.meta.events.register_first(retries, _status_as_parsed)
                    client.meta.events.register("needs-retry", noting(service, self.settings))
                self._clients[service] = client
            return self._clients[service]

    def _config(self, service: str) -> Config:
        settings = self.settings
        return Config(
            connect_timeout=settings.connect_timeout_s,
            read_timeout=settings.read_timeout_s,
            max_pool_connections=64,
            user_agent=_USER_AGENT,
            retries={
                "mode": "standard",
                "total_max_attempts": 1 if service in _ASKED_BY_US else settings.max_attempts,
            },
        )


def _damaged_as_bad_gateway(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    """Take a web page in place of an answer, or one cut short, for a proxy's 502, which botocore asks again.

    Whatever its status: with 200, botocore would return either as an answer without members, and a page as the object
    that was asked for. What AWS sends carries the id of the request, an object stored as a web page, too. A streamed
    body is no bytes yet, and checks its own length.
    """
    headers, body = response_dict["headers"], response_dict["body"]
    is_page = headers.get("Content-Type", "").startswith("text/html") and not any(
        name in headers for name in _REQUEST_IDS
    )
    has_body = isinstance(body, bytes) and operation_model.http["method"] != "HEAD"
    if is_page or (has_body and len(body) < int(headers.get("Content-Length", 0))):
        response_dict.update(status_code=_BAD_GATEWAY, body=b"")


def _status_as_parsed(response: tuple[Any, dict[str, Any]] | None, **_: object) -> None:
    """Let botocore's retries and errors go by the status that was parsed, as its own handler does for S3."""
    if response:
        answer, parsed = response
        answer.status_code = parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", answer.status_code)


def _session(settings: AwsSettings) -> boto3.Session:
    if not settings.credentials_block:
        chain = botocore.session.Session(session_vars=_REGION, profile=settings.profile)
        loader = _descriptions(chain.get_config_variable("data_path"))
        chain.register_component("data_loader", loader)
        # Each boto3 session adds its own folder.
        loader.search_paths[:] = dict.fromkeys(loader.search_paths)
        return boto3.Session(botocore_session=chain, profile_name=settings.profile, region_name=settings.region)
    source = session_source()
    if source is None:
        msg = (
            f"aws.credentials_block {settings.credentials_block} is a Prefect block, which only flows and `ade doctor` "
            "read; elsewhere unset it, and use aws.profile or the environment"
        )
        raise UsageError(msg)
    return source(settings)


@lru_cache(maxsize=2)
def _descriptions(folders: str | None) -> Loader:
    """Return what reads AWS's descriptions of its services, once per process: they take half a second to parse.

    Args:
        folders: The configuration's data_path.
    """
    return create_loader(folders)
