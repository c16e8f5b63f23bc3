"""Files of an archive that lies in a bucket: listed like a folder, fetched one at a time."""

from __future__ import annotations

import re
from fnmatch import translate
from glob import has_magic
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from adverse_events.aws.errors import translated
from adverse_events.errors import PermanentServiceError, UsageError
from adverse_events.source.files import SourceFile, endings, format_of, is_hidden, require_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.aws.session import Cloud
    from adverse_events.source.files import FileFormat


class S3Files:
    """The files that an ``s3://`` address names: an object, a folder with its subfolders, or a glob.

    Args:
        cloud: The account.
        url: ``s3://bucket/key``, ``s3://bucket/folder`` or ``s3://bucket/folder/2026-*/**``.
        file_format: Format of an object whose name does not say; in a folder or a glob, the one format to read.
    """

    def __init__(self, cloud: Cloud, url: str, file_format: FileFormat | None = None) -> None:
        """Take the address; nothing is asked of S3 yet."""
        self._cloud, self._url, self._format = cloud, url, file_format
        self._bucket, _, self._key = url.removeprefix("s3://").partition("/")

    def find(self) -> list[tuple[str, str, FileFormat]]:
        """Return (origin, key, format) of each file, by origin; the origin is relative to the folder or glob.

        Raises:
            UsageError: Nothing is there, or nothing that can be read.
            ServiceError: S3 refused.
        """
        if has_magic(self._key):
            fixed = _fixed_part(self._key)
            matches = re.compile(translate(self._key)).match
            found = [(key, key.removeprefix(fixed)) for key in self._keys(fixed) if matches(key)]
        else:
            folder = f"{self._key.rstrip('/')}/" if self._key else ""
            keys = self._keys(self._key)
            if self._key in keys:
                name = PurePosixPath(self._key).name
                return [(name, self._key, self._format or require_format(Path(name)))]
            found = [(key, key.removeprefix(folder)) for key in keys if key.startswith(folder)]
        files = [
            (origin, key, kind)
            for key, origin in found
            if not key.endswith("/") and not is_hidden(Path(origin))
            if (kind := format_of(Path(origin))) is not None and self._format in (None, kind)
        ]
        if not files:
            msg = f"{self._url}: no object to read there; known endings are {endings()}"
            raise UsageError(msg)
        return sorted(files)

    def __iter__(self) -> Iterator[SourceFile]:
        """Yield each file, fetched to a private folder and removed when the next one is asked for."""
        with TemporaryDirectory(prefix="adverse-events-source-") as folder:
            for origin, key, kind in self.find():
                path = Path(folder) / PurePosixPath(origin).name
                self._fetch(key, path)
                yield SourceFile(origin, path, kind)
                path.unlink()

    def _keys(self, prefix: str) -> list[str]:
        client = self._cloud.client("s3")
        with translated("s3", f"ListObjectsV2 {self._url}"):
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def _fetch(self, key: str, path: Path) -> None:
        with translated("s3", f"GetObject s3://{self._bucket}/{key}"):
            try:
                self._cloud.client("s3").download_file(self._bucket, key, str(path))
            except OSError as error:
                detail = f"{path.parent} cannot hold it ({error.strerror}); free space there or set TMPDIR elsewhere"
                raise PermanentServiceError("s3", f"GetObject {key}", detail) from error


def _fixed_part(pattern: str) -> str:
    """Return the folder of a glob above its first wildcard, with its last slash."""
    folder = pattern[: re.search(r"[*?\[]", pattern).start()]  # type: ignore[union-attr]
    return folder[: folder.rfind("/") + 1]
