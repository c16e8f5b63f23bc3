"""The input and output of one Batch Transform job on S3: JSON lines, a few megabytes per object."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from adverse_events.aws.errors import translated
from adverse_events.aws.retry import patiently
from adverse_events.errors import AnswerError, PermanentServiceError, ServiceError, UsageError
from adverse_events.serving import payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from adverse_events.aws.session import Cloud

logger = logging.getLogger(__name__)

BYTES_PER_FILE = 4 * 1024 * 1024
"""Size of one input object: what is held in memory at once, and small enough that several instances share the work."""

REQUEST_MEGABYTES = 3
"""Most megabytes of lines that a job sends the container at once: some 10,000 posts, and even of empty ones fewer than
the container takes. One longer line would fail the whole job, so it is not sent."""

_MOST_BYTES = REQUEST_MEGABYTES * 1024 * 1024


@dataclass(frozen=True)
class Part:
    """Consecutive texts, numbered from `start` over the whole job, in one input object.

    Attributes:
        start: Number of the first text; a line's id is its text's number.
        n_rows: Texts.
        name: Name of the object.
        refusals: By number, why a text was not sent.
    """

    start: int
    n_rows: int
    name: str
    refusals: dict[int, str] = field(default_factory=dict)

    @property
    def is_sent(self) -> bool:
        """Whether any of its texts was sent."""
        return len(self.refusals) < self.n_rows


class JobFolder:
    """One job's objects under ``path/job/``; a context manager that removes them.

    Args:
        cloud: The account.
        path: ``s3://`` folder for all jobs.
        job: Name of the job.

    Raises:
        UsageError: `path` is not an ``s3://`` folder.
    """

    def __init__(self, cloud: Cloud, path: str, job: str) -> None:
        """Choose the places; nothing is written yet."""
        parts = urlsplit(path)
        if parts.scheme != "s3" or not parts.netloc:
            msg = f"{path} is no folder on S3; set endpoint.transform_path to s3://bucket/folder"
            raise UsageError(msg)
        self.bucket = parts.netloc
        self.prefix = "/".join(filter(None, (parts.path.strip("/"), job))) + "/"
        self.input_url, self.output_url = (f"s3://{self.bucket}/{self.prefix}{side}/" for side in ("input", "output"))
        self._client = cloud.client("s3")
        self._attempts = cloud.settings.max_attempts
        key = cloud.settings.kms_key
        self._encryption = {"ServerSideEncryption": "aws:kms", **({"SSEKMSKeyId": key} if key else {})}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove every object; failing that, say where they are: posts may not pile up where nobody looks."""
        try:
            self._remove()
        except ServiceError as error:
            logger.warning("s3://%s/%s could not be removed (%s); remove it by hand", self.bucket, self.prefix, error)

    def write(self, chunks: Iterable[Sequence[str]], lengths: list[int]) -> list[Part]:
        """Write the texts as input objects, holding no more than one of them.

        Args:
            chunks: Texts.
            lengths: Takes the length of each chunk.

        Returns:
            What was written, in the order of the texts.
        """
        parts: list[Part] = []
        for part, lines in _parts(chunks, lengths):
            parts.append(part)
            if part.is_sent:
                with translated("s3", f"PutObject {self.input_url}{part.name}"):
                    self._client.put_object(
                        Bucket=self.bucket, Key=f"{self.prefix}input/{part.name}", Body=lines, **self._encryption
                    )
        return parts

    def outputs(self) -> dict[str, str]:
        """Return the key of each output object, by the name of its input object."""
        keys = self._keys(f"{self.prefix}output/")
        return {key.rsplit("/", 1)[-1].removesuffix(".out"): key for key in keys if key.endswith(".out")}

    def texts(self, part: Part) -> list[str]:
        """Return the texts of `part` that were sent, in order.

        Raises:
            ServiceError: They cannot be read.
            AnswerError: They are no longer what was written.
        """
        return [payload.texts_of(line)[0] for line in self.read(f"{self.prefix}input/{part.name}")]

    def read(self, key: str) -> list[Any]:
        """Return the lines of one object, decoded.

        Raises:
            ServiceError: It cannot be read.
            AnswerError: It is not JSON lines.
        """
        where = f"s3://{self.bucket}/{key}"

        def ask() -> list[Any]:
            with translated("s3", f"GetObject {where}"):
                body = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            try:
                return list(payload.decode_lines(body))
            except payload.PayloadError as error:
                raise AnswerError(where, str(error)) from None

        return patiently(ask, attempts=self._attempts)

    def _keys(self, prefix: str) -> list[str]:
        with translated("s3", f"ListObjectsV2 s3://{self.bucket}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def _remove(self) -> None:
        keys = self._keys(self.prefix)
        for first in range(0, len(keys), _KEYS_PER_DELETE):
            objects = [{"Key": key} for key in keys[first : first + _KEYS_PER_DELETE]]
            with translated("s3", f"DeleteObjects s3://{self.bucket}/{self.prefix}"):
                answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                codes = ", ".join(sorted({error["Code"] for error in answer["Errors"]}))
                detail = f"{len(answer['Errors'])} objects were not removed: {codes}"
                raise PermanentServiceError("s3", f"DeleteObjects s3://{self.bucket}/{self.prefix}", detail)


def _parts(chunks: Iterable[Sequence[str]], lengths: list[int]) -> Iterator[tuple[Part, bytes]]:
    lines = bytearray()
    refusals: dict[int, str] = {}
    start = number = n_parts = 0

    def part() -> tuple[Part, bytes]:
        return Part(start, number - start, f"part-{n_parts:05d}.jsonl", refusals), bytes(lines)

    for texts in chunks:
        lengths.append(len(texts))
        for text in texts:
            line = payload.encode_line(str(number), text).encode()
            if lines and len(lines) + len(line) > BYTES_PER_FILE:
                yield part()
                lines, refusals, start, n_parts = bytearray(), {}, number, n_parts + 1
            if len(line) > _MOST_BYTES:
                refusals[number] = f"the post takes {len(line)} bytes and a job's request at most {_MOST_BYTES}"
            else:
                lines += line
            number += 1
    if number > start:
        yield part()


_KEYS_PER_DELETE = 1000
"""Source: DeleteObjects API reference, read 2026-11."""
