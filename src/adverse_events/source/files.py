"""Files of an archive: finding them, telling their format, and reading their bytes to the end."""

from __future__ import annotations

import glob
import io
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pyarrow as pa

from adverse_events.errors import ContractError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

FileFormat = Literal["csv", "tsv", "jsonl", "json", "parquet"]

FORMATS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""File name endings and what they mean; each text format may end in `COMPRESSED` as well."""

COMPRESSED = (".gz", ".zst", ".zstd")
COMPRESSION_BY_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""First bytes of a gzip member (RFC 1952, section 2.3.1) and of a Zstandard frame (RFC 8878, section 3.1.1)."""

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, order=True)
class SourceFile:
    """One file to read.

    Attributes:
        origin: Its name relative to the source, with forward slashes.
        path: Where it lies.
        file_format: How to read it.
    """

    origin: str
    path: Path
    file_format: FileFormat


def find_files(path: str, file_format: FileFormat | None = None) -> list[SourceFile]:
    """Return the files that `path` names, by origin.

    Args:
        path: A file; a folder, searched with its subfolders; or a glob, in which `**` spans folders.
        file_format: Format of a file whose name does not say; in a folder or a glob, the one format to read.

    Raises:
        UsageError: Nothing is there, or nothing that can be read.
    """
    given = Path(path).expanduser()
    if given.is_file():
        return [SourceFile(given.name, given, file_format or require_format(given))]
    if given.is_dir():
        root, candidates = given, sorted(given.rglob("*"))
    elif glob.has_magic(path):
        root = _fixed_part(given)
        candidates = [Path(found) for found in sorted(glob.glob(str(given), recursive=True))]  # noqa: PTH207 - Path.glob takes no absolute pattern
    else:
        msg = f"{path}: no such file, folder or glob; give the path of an archive of posts"
        raise UsageError(msg)
    with _own_errors(given):
        files = [
            SourceFile(candidate.relative_to(root).as_posix(), candidate, found)
            for candidate in candidates
            if candidate.is_file() and not is_hidden(candidate.relative_to(root))
            if (found := format_of(candidate)) is not None and file_format in (None, found)
        ]
    if not files:
        msg = f"{path}: no file to read in it; known endings are {endings()}"
        raise UsageError(msg)
    return sorted(files)


def format_of(path: Path) -> FileFormat | None:
    """Return the format that the name of `path` promises, or None."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return FORMATS.get(suffixes[-1]) if suffixes else None


def require_format(path: Path) -> FileFormat:
    """Return the format that the name of `path` promises, or raise `UsageError`."""
    found = format_of(path)
    if found is None:
        msg = (
            f"{path}: unknown kind of file; rename it to end in one of {endings()} "
            "(or, for detect and backfill, set source.file_format)"
        )
        raise UsageError(msg)
    return found


def endings() -> str:
    """Return the endings of names that can be read, for a message."""
    return f"{' '.join(FORMATS)}, each but Parquet also with {' '.join(COMPRESSED)}"


def is_hidden(path: Path) -> bool:
    """Tell files that tools leave beside data: .DS_Store, ._copy.csv, _SUCCESS."""
    return any(part.startswith((".", "_")) for part in path.parts)


def _fixed_part(pattern: Path) -> Path:
    """Return the folder of a glob above its first wildcard."""
    parts = pattern.parts
    first = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


@contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedReader]:
    """Open `path` for reading, decompressed when its first bytes say that it is compressed.

    Errors of the file, wherever they show while it is read, come out as this project's own.

    Raises:
        UsageError: The file is missing, unreadable, empty, or UTF-16.
        ContractError: It ends too early or is damaged.
    """
    with _own_errors(path), path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        compression = next((name for magic, name in COMPRESSION_BY_MAGIC.items() if head.startswith(magic)), None)
        stream = file
        if compression:
            # Arrow's reader, unlike the zstandard package's, notices a stream that stops in the middle.
            inner = pa.CompressedInputStream(pa.PythonFile(file, "r"), compression)
            stream = io.BufferedReader(cast("io.RawIOBase", inner), BUFFER_BYTES)
        start = stream.peek(4)
        if not start:
            msg = f"{path}: the file is empty; fetch it again or remove it"
            raise UsageError(msg)
        if start.startswith(UTF16_MARKS):
            msg = f"{path}: the file is UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"
            raise UsageError(msg)
        yield stream


@contextmanager
def _own_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        msg = f"{path}: cannot be opened ({error.strerror})"
        raise UsageError(msg) from error
    except (OSError, EOFError, pa.ArrowException) as error:
        raise ContractError(
            str(path), f"the file is cut short or damaged ({type(error).__name__}); fetch it again"
        ) from error
