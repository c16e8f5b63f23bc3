"""The two files that hydration writes and remembers by: posts, and ids without one."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
from typing import TYPE_CHECKING, Any, BinaryIO

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

HEADER = ("id", "reason", "row")
MISSING_HEADER = f"{','.join(HEADER)}\n".encode()


def opened(path: Path) -> BinaryIO:
    """Open a file to go on with, for this user and this run alone.

    Raises:
        UsageError: Another run has it open.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        msg = f"{path}: another run writes it; wait for it, or name another output"
        raise UsageError(msg) from error
    return file


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of `file` and cut off what a killed run left of its last one; writing goes on at the end."""
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        end += len(line)
        yield line
    file.seek(end)
    file.truncate()


def ids_of_posts(file: BinaryIO, path: Path) -> Iterator[int]:
    """Yield the ids that an output answers, and go to its end.

    Raises:
        UsageError: A line was not written by hydrate.
    """
    for number, line in enumerate(_whole_lines(file), 1):
        try:
            yield from versions_of(json.loads(line)["data"])
        except (ValueError, KeyError, TypeError) as error:
            msg = f"{path}: line {number} was not written by hydrate; name another --output"
            raise UsageError(msg) from error


def ids_of_missing(file: BinaryIO, path: Path) -> tuple[set[int], set[int]]:
    """Return the rows without an id and the ids that are missing, and go to the end of the file.

    Raises:
        UsageError: It was not written by hydrate.
    """
    rows: set[int] = set()
    ids: set[int] = set()
    lines = csv.reader(line.decode() for line in _whole_lines(file))
    try:
        header = next(lines, list(HEADER))
        if header != list(HEADER):
            raise ValueError  # noqa: TRY301 - one message for whatever is wrong with it
        for tweet_id, _, row in lines:
            if tweet_id:
                ids.add(int(tweet_id))
            else:
                rows.add(int(row))
    except (ValueError, csv.Error) as error:
        msg = f"{path}: not written by hydrate; name another --output"
        raise UsageError(msg) from error
    return rows, ids


def append(file: BinaryIO, lines: Iterable[bytes]) -> None:
    """Write lines, on the disk when this returns."""
    text = b"".join(lines)
    if text:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def missing_line(tweet_id: object, reason: str, row: int) -> bytes:
    """Return a line of the file of what is missing."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow((tweet_id, reason, row))
    return line.getvalue().encode()


def versions_of(post: Mapping[str, Any]) -> list[int]:
    """Return the ids by which a post may have been asked for: its own, and those of its earlier versions."""
    history = post.get("edit_history_tweet_ids")
    return [int(each) for each in (post["id"], *(history if isinstance(history, list) else ()))]
