"""The complete files of a drop folder that lies in a bucket: an object is whole from the moment it is there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from adverse_events.aws.errors import translated
from adverse_events.errors import PermanentServiceError, UsageError
from adverse_events.source.dropped_files import DroppedFile, is_taken, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.aws.session import Cloud


class S3Drop:
    """The objects under a prefix.

    Args:
        cloud: The account.
        url: ``s3://bucket/folder``.
    """

    def __init__(self, cloud: Cloud, url: str) -> None:
        """Take the address; nothing is asked of S3 yet."""
        self._cloud, self._url = cloud, url
        self._bucket, _, key = url.removeprefix("s3://").partition("/")
        self._prefix = f"{key.rstrip('/')}/" if key.strip("/") else ""
        self.n_unsettled = self.n_unknown = 0

    def check(self) -> None:
        """Raise `UsageError` unless something lies there; S3 knows no empty folder."""
        with translated("s3", f"ListObjectsV2 {self._url}"):
            answer = self._cloud.client("s3").list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        if not answer.get("KeyCount"):
            msg = f"{self._url}: no object there; known endings are {kinds()}"
            raise UsageError(msg)

    def __iter__(self) -> Iterator[DroppedFile]:
        """Yield each file, fetched to a private folder and removed when the next one is asked for."""
        listed = []
        with translated("s3", f"ListObjectsV2 {self._url}"):
            pages = self._cloud.client("s3").get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for item in page.get("Contents", ()):
                    origin = item["Key"].removeprefix(self._prefix)
                    taken = None if origin.endswith("/") or not origin else is_taken(origin)
                    if taken:
                        listed.append((origin, item["Key"], item["LastModified"].timestamp()))
                    elif taken is False:
                        self.n_unknown += 1
        with TemporaryDirectory(prefix="adverse-events-drop-") as folder:
            for origin, key, changed in sorted(listed):
                path = Path(folder) / PurePosixPath(origin).name
                with translated("s3", f"GetObject s3://{self._bucket}/{key}"):
                    try:
                        self._cloud.client("s3").download_file(self._bucket, key, str(path))
                    except OSError as error:
                        detail = f"{folder} cannot hold it ({error.strerror}); free space there or set TMPDIR elsewhere"
                        raise PermanentServiceError("s3", f"GetObject {key}", detail) from error
                yield DroppedFile(origin, path, changed)
                path.unlink()
