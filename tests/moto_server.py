"""AWS's control and data planes over real HTTP on this machine, for tests: a moto server and the variables to reach it.

A test module makes its fixture from it::

    @pytest.fixture
    def cloud(monkeypatch):
        with moto_server() as url:
            yield cloud_at(url, monkeypatch)

What moto lacks (sagemaker-runtime, comprehendmedical, Athena's SQL) answers elsewhere: `aws_environment` takes
further addresses by service.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, nullcontext, suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    import pytest

REGION = "eu-west-1"
BUCKET = "ade-lake"


@contextmanager
def moto_server(through: Callable[[WSGIApplication], WSGIApplication] | None = None) -> Iterator[str]:
    """Run a moto server on a free port and provide its address, such as ``http://127.0.0.1:40123``.

    It starts empty: all moto servers of one process share their state, and this one clears it.

    Args:
        through: What stands before it, such as `faulty_service.Trouble`.
    """
    # One line of log per request would drown a failing test's own output.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # moto's ThreadedMotoServer is this without `server_close`, so its socket ends in a ResourceWarning.
    app = _one_condition_at_a_time(DomainDispatcherApplication(create_backend_app))
    app = through(app) if through else app
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.port}"
    try:
        forget_all(url)
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def forget_all(url: str) -> None:
    """Empty the moto server at `url`: no buckets, tables or keys are left."""
    httpx.post(f"{url}/moto-api/reset").raise_for_status()


def objects_in(cloud: Cloud, bucket: str = BUCKET, prefix: str = "") -> dict[str, bytes]:
    """Return every object under `prefix` of a bucket, by its key without that, in order.

    A request of a process that was just killed may still be carried out: then it is looked again.
    """
    s3 = cloud.client("s3")
    while True:
        with suppress(s3.exceptions.NoSuchKey):
            return _objects_now(s3, bucket, prefix)


def _objects_now(s3: Any, bucket: str, prefix: str) -> dict[str, bytes]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    return {key[len(prefix) :]: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in sorted(keys)}


def _one_condition_at_a_time(app: WSGIApplication) -> WSGIApplication:
    """Let conditional requests in one by one: moto checks and stores in two steps, S3 in one."""
    lock = Lock()

    def locked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with lock if {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"} & environ.keys() else nullcontext():
            return app(environ, start_response)

    return locked


def aws_environment(url: str, **services: str) -> dict[str, str]:
    """Return the environment by which boto3 and what is built on it reach `url` and no real account.

    Args:
        url: Address that answers for every service.
        services: Other addresses by service, such as ``sagemaker_runtime="http://127.0.0.1:1234"``.
    """
    others = {f"AWS_ENDPOINT_URL_{service.upper()}": address for service, address in services.items()}
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        **others,
    }


def cloud_at(url: str, monkeypatch: pytest.MonkeyPatch, settings: AwsSettings | None = None, **services: str) -> Cloud:
    """Point this process at `url` (see `aws_environment`) and return its account."""
    for name, value in aws_environment(url, **services).items():
        monkeypatch.setenv(name, value)
    return Cloud(settings or AwsSettings(region=REGION))


def make_bucket(cloud: Cloud, name: str = BUCKET) -> str:
    """Create a bucket in `REGION` and return its name."""
    cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name
