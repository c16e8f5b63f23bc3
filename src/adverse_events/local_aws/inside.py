"""The services' own way to one another: boto3 clients for an address without faults, with credentials of no account."""

from __future__ import annotations

from threading import Lock
from typing import Any

import boto3
from botocore.config import Config

REGION = "eu-west-1"


class Inside:
    """Clients of the services behind `address`; safe to share between threads.

    The environment is not read: what a server does must not depend on whom its client works for.

    Args:
        address: Where every service answers, past faults and counts.
    """

    def __init__(self, address: str) -> None:
        """Make the session; nothing is asked yet."""
        self._address = address
        self._session = boto3.Session("local", "local", region_name=REGION)
        self._lock = Lock()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return the boto3 client of `service`, such as ``glue``; made once."""
        with self._lock:
            if service not in self._clients:
                config = Config(ignore_configured_endpoint_urls=True, retries={"total_max_attempts": 1})
                self._clients[service] = self._session.client(service, endpoint_url=self._address, config=config)
            return self._clients[service]

    def keys(self, url: str) -> list[str]:
        """Return the keys under the folder ``s3://bucket/prefix``, sorted."""
        bucket, prefix = split_url(url)
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object's bytes."""
        body: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object."""
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def split_url(url: str) -> tuple[str, str]:
    """Return bucket and key of ``s3://bucket/key``."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
