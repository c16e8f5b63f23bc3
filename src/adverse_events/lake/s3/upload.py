"""One object put through awswrangler, by one request that is sent once.

``wr.s3.upload`` hands ``s3_additional_kwargs`` on to PutObject, conditions, checksum, key and metadata included, as
long as the object is shorter than its smallest part. What stands between it and S3 here keeps three things from
happening (awswrangler 3.17.1, ``s3/_fs.py`` and ``_utils.py``, read and tried):

* its file object puts once more when it is garbage-collected after a failure, whenever that is, lease or no lease;
* it repeats a time-out itself, with pauses of its own, on top of the tries that the client makes;
* it makes a client per call, 11 ms each, and keeps what S3 answers, the new version's ETag included, to itself.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import awswrangler as wr

MOST_BYTES = 5 * 1024 * 1024 - 1
"""Longest object that awswrangler puts in one request; a longer one it sends in parts, and completes after a part
failed, so that half a file can stand."""


def upload(client: Any, url: str, content: bytes, request: dict[str, Any]) -> dict[str, Any]:
    """Put `content`, 1 to `MOST_BYTES` bytes, at `url` and return what S3 answers.

    Args:
        client: boto3's S3 client.
        url: ``s3://bucket/key``.
        content: The object.
        request: Further members of PutObject.

    Raises:
        ClientError, BotoCoreError: As ``client.put_object`` does.
    """
    once = _Once(client, request)
    try:
        wr.s3.upload(BytesIO(content), url, use_threads=False, boto3_session=once, s3_additional_kwargs=request)
    except _NotPutError as failed:
        raise (failed.__cause__ or failed) from None
    return once.answer


class _NotPutError(Exception):
    """S3 refused or did not answer; of a kind that awswrangler does not repeat."""


class _Once:
    """Stands for a boto3 session and its S3 client, and lets one PutObject through."""

    def __init__(self, client: Any, request: dict[str, Any]) -> None:
        self._client, self._request = client, request
        self._was_asked = False
        self.answer: dict[str, Any] = {}

    def client(self, **_: Any) -> _Once:
        return self

    def put_object(self, **request: Any) -> dict[str, Any]:
        if self._was_asked:  # by the file object's finalizer
            return {}
        self._was_asked = True
        try:
            # Ours last: a condition that awswrangler does not know of must not be lost.
            self.answer = self._client.put_object(**{**request, **self._request})
        except Exception as error:
            raise _NotPutError from error
        return self.answer
