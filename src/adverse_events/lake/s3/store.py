"""Objects under one prefix of a bucket: listed, read, and changed only on condition that they are still what was seen.

Every put and every deletion names the version it replaces (its ETag, or that there is none), so a writer that was
held up cannot undo what another did meanwhile: S3 refuses it. An object's metadata carries the SHA-256 of its bytes,
and S3 checks it on arrival (``x-amz-checksum-sha256``), so a body cut short on the way is never stored.

Source:
    "Conditional writes", "Conditional deletes" and "Checking object integrity", Amazon S3 User Guide, read 2026-11.
"""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adverse_events.aws.errors import translated
from adverse_events.aws.retry import patiently
from adverse_events.errors import PermanentServiceError, TransientServiceError, UsageError
from adverse_events.lake.s3 import upload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from io import BufferedReader

    from adverse_events.aws.session import Cloud

SHA256 = "sha256"
"""Metadata key of the SHA-256 of an object's bytes, hex."""

_READ_ATTEMPTS = 3
"""Tries to read an object's bytes; botocore repeats a request that failed, not an answer cut short."""

_ABSENT = frozenset({"NoSuchKey", "404"})
_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}) | _ABSENT
_UNCONDITIONAL = frozenset({"NotImplemented", "501"})

_URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[^*?\[\]]*))?")


class ChangedError(TransientServiceError):
    """An object is no longer what it was when it was looked at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as it was listed, `n_bytes` long."""

    n_bytes: int
    etag: str


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it was read.

    Attributes:
        data: Its bytes.
        etag: Its version.
        metadata: What was stored beside it.
        age_s: Seconds since it was written, by S3's own clock, to the second.
    """

    data: bytes
    etag: str
    metadata: Mapping[str, str]
    age_s: float


class S3Store:
    """Objects by their key relative to `url`; safe to share between threads.

    Args:
        cloud: The account.
        url: ``s3://bucket`` or ``s3://bucket/folder``.

    Raises:
        UsageError: `url` is neither.
    """

    def __init__(self, cloud: Cloud, url: str) -> None:
        """Read `url`; nothing is asked of S3 yet."""
        self.bucket, self.prefix = bucket_and_prefix(url)
        self.url = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        self._client = cloud.client("s3")
        self._encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "BucketKeyEnabled": True}
        if cloud.settings.kms_key:
            self._encryption["SSEKMSKeyId"] = cloud.settings.kms_key

    def check_bucket(self) -> None:
        """Make sure that there is such a bucket, within reach.

        Raises:
            ServiceError: There is not.
        """
        with self._translated("HeadBucket", ""):
            self._client.head_bucket(Bucket=self.bucket)

    def list_between(self, first: str, last: str = "") -> dict[str, Seen]:
        """Return the objects whose keys start with `first`, `last` or lie between, in order.

        One request per thousand of them, wherever they lie in a lake of any size.

        Args:
            first: First key or folder.
            last: Last one; `first` again when empty.
        """
        last = last or first
        shared = _shared_start(first, last)
        listed: dict[str, Seen] = {}
        with self._translated("ListObjectsV2", first):
            # StartAfter leaves out the key that equals it, which is never one of ours: `first` is a folder.
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + shared, StartAfter=self.prefix + first
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    key = entry["Key"][len(self.prefix) :]
                    if key > last and not key.startswith(last):
                        return listed
                    listed[key] = Seen(entry["Size"], entry["ETag"])
        return listed

    def first_key(self, *, besides: str) -> str | None:
        """Return the first key that is not in the folder `besides`; None when there is none."""
        with self._translated("ListObjectsV2", ""):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
            keys = (entry["Key"][len(self.prefix) :] for page in pages for entry in page.get("Contents", ()))
            # Consoles make a folder as an empty object of the folder's name.
            return next((key for key in keys if key and not key.startswith(f"{besides}/")), None)

    def get(self, key: str, n_last_bytes: int = 0) -> Found | None:
        """Return an object, or only its last bytes; None when there is none."""
        return patiently(partial(self._get, key, n_last_bytes), attempts=_READ_ATTEMPTS)

    def _get(self, key: str, n_last_bytes: int) -> Found | None:
        extent = {"Range": f"bytes=-{n_last_bytes}"} if n_last_bytes else {}
        with self._translated("GetObject", key):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key, **extent)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise
            # Not `with answer["Body"]`: that enters the bare stream, whose errors are urllib3's and whose length
            # nobody checks.
            with closing(answer["Body"]) as body:
                data = body.read()
        return Found(data, answer["ETag"], answer["Metadata"], _age_s(answer))

    def put(
        self, key: str, content: bytes | Path, *, replaces: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Store an object in place of the version `replaces`, or of none, and return its ETag.

        Args:
            key: Where.
            content: Its bytes, or the file that holds them: one request whatever its length.
            replaces: ETag of the version that this one replaces; None when there must be none.
            metadata: What to store beside it and its SHA-256.

        Raises:
            ChangedError: Another version stands there.
            ServiceError: S3 refused, or did not answer within the retry budget.
        """
        if isinstance(content, Path) and content.stat().st_size <= upload.MOST_BYTES:
            content = content.read_bytes()
        digest = _digest(content)
        request = {
            "ChecksumSHA256": base64.b64encode(digest).decode(),
            "Metadata": {SHA256: digest.hex(), **(metadata or {})},
            **({"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}),
            **self._encryption,
        }
        with self._changing("PutObject", key):
            try:
                answer = self._put(self.prefix + key, content, request)
            except ClientError as error:
                # A put that S3 carried out and whose answer was lost is repeated by botocore, and then refused.
                etag = self._etag_of(key, digest.hex()) if _code(error) in _CHANGED else None
                if etag is None:
                    raise
                return etag
        return str(answer["ETag"])

    def _put(self, key: str, content: bytes | Path, request: dict[str, Any]) -> dict[str, Any]:
        """Put an object by one request: through awswrangler, which would cut one that is longer than its parts."""
        if isinstance(content, bytes) and 0 < len(content) <= upload.MOST_BYTES:
            return upload.upload(self._client, f"s3://{self.bucket}/{key}", content, request)
        with _opened(content) as body:
            answer: dict[str, Any] = self._client.put_object(Bucket=self.bucket, Key=key, Body=body, **request)
        return answer

    def delete(self, key: str, etag: str) -> None:
        """Remove the version `etag` of an object; one that is gone already is fine.

        Raises:
            ChangedError: Another version stands there.
            ServiceError: S3 refused, or did not answer within the retry budget.
        """
        with self._changing("DeleteObject", key):
            try:
                self._client.delete_object(Bucket=self.bucket, Key=self.prefix + key, IfMatch=etag)
            except ClientError as error:
                if _code(error) not in _ABSENT:
                    raise

    def _etag_of(self, key: str, sha256: str) -> str | None:
        """Return the ETag of an object with exactly these bytes, None where another or none stands."""
        try:
            answer = self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        except ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise
        return str(answer["ETag"]) if answer["Metadata"].get(SHA256) == sha256 else None

    @contextmanager
    def _changing(self, operation: str, key: str) -> Iterator[None]:
        try:
            with self._translated(operation, key):
                yield
        except PermanentServiceError as error:
            code = _code(error.__cause__)
            if code in _CHANGED:
                detail = "another writer changed it meanwhile"
                raise ChangedError("s3", error.operation, detail) from error
            raise
        except TransientServiceError as error:
            if _code(error.__cause__) in _UNCONDITIONAL:
                raise PermanentServiceError("s3", error.operation, UNCONDITIONAL) from error
            raise

    @contextmanager
    def _translated(self, operation: str, key: str) -> Iterator[None]:
        with translated("s3", f"{operation} {self.url}/{key}"):
            yield


UNCONDITIONAL = (
    "this store does not carry out conditional writes (If-None-Match, If-Match), by which two runs at once are kept "
    "apart; use Amazon S3, or a store that has them"
)


def bucket_and_prefix(url: str) -> tuple[str, str]:
    """Return the bucket, and the prefix of every key: empty, or ending in a slash.

    Raises:
        UsageError: `url` names no bucket, or a folder that tools would take for a pattern.
    """
    parts = _URL.fullmatch(url)
    if parts is None:
        msg = f"lake.path {url} is not s3://bucket/folder: lower-case bucket name, no *, ?, [ or ] in the folder"
        raise UsageError(msg)
    folder = (parts["prefix"] or "").strip("/")
    return parts["bucket"], f"{folder}/" if folder else ""


@contextmanager
def _opened(content: bytes | Path) -> Iterator[BufferedReader | bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as body:
        yield body


def _digest(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return hashlib.sha256(content).digest()
    with content.open("rb") as body:
        return hashlib.file_digest(body, "sha256").digest()


def _code(error: BaseException | None) -> str:
    return str(error.response["Error"].get("Code", "")) if isinstance(error, ClientError) else ""


def _age_s(answer: Mapping[str, Any]) -> float:
    """Return how old an answer's object is; both times are the service's, so that no clock here matters."""
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    return float((now - answer["LastModified"]).total_seconds())


def _shared_start(first: str, last: str) -> str:
    same = (a == b for a, b in zip(first, last, strict=False))
    length = next((n for n, is_same in enumerate(same) if not is_same), min(len(first), len(last)))
    return first[:length]
