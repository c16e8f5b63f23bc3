"""Files of a drop folder: those that are complete, by name."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from adverse_events.errors import ContractError, UsageError
from adverse_events.source.files import FORMATS, format_of, is_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOTE, MAIL = ".txt", ".eml"

UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".filepart", ".download", ".swp", ".lock", "~")
"""Endings that programs give to files they are still writing."""


@dataclass(frozen=True, order=True)
class DroppedFile:
    """One complete file.

    Attributes:
        origin: Its name relative to the drop folder, with forward slashes.
        path: Where it lies.
        changed: When it was last changed, seconds since 1970.
    """

    origin: str
    path: Path
    changed: float

    @property
    def suffix(self) -> str:
        """Ending of its name, in lower case."""
        return Path(self.origin).suffix.lower()


class DroppedFiles(Protocol):
    """The complete files of a drop folder; afterwards, how many were left.

    Attributes:
        n_unsettled: Files left for the next run because they may still grow.
        n_unknown: Files of kinds that are not read.
    """

    n_unsettled: int
    n_unknown: int

    def __iter__(self) -> Iterator[DroppedFile]:
        """Yield them by name."""
        ...


def is_taken(origin: str) -> bool | None:
    """Tell whether a file of this name is read: None for one that is hidden or unfinished, and so not even counted."""
    path = Path(origin)
    if is_hidden(path) or path.name.lower().endswith(UNFINISHED):
        return None
    return path.suffix.lower() in {NOTE, MAIL} or format_of(path) is not None


class LocalDrop:
    """The complete files of a folder and its subfolders.

    Args:
        folder: The folder.
        settle_seconds: How long a file must have been left alone.
        clock: Seconds since 1970.
    """

    def __init__(self, folder: str, settle_seconds: float, clock: Callable[[], float] = time.time) -> None:
        """Take the folder; nothing is looked at yet."""
        self._folder, self._settle, self._clock = Path(folder).expanduser(), settle_seconds, clock
        self.n_unsettled = self.n_unknown = 0

    def check(self) -> None:
        """Raise `UsageError` unless the folder is there."""
        if not self._folder.is_dir():
            msg = f"{self._folder}: no such folder; a drop folder is a folder that others put files into"
            raise UsageError(msg)

    def __iter__(self) -> Iterator[DroppedFile]:
        """Yield them by name.

        Raises:
            UsageError: There is no such folder.
            ContractError: It cannot be looked through.
        """
        self.check()
        now = self._clock()
        found = []
        try:
            for path in self._folder.rglob("*"):
                origin = path.relative_to(self._folder).as_posix()
                if not path.is_file() or (taken := is_taken(origin)) is None:
                    continue
                changed = path.stat().st_mtime
                if not taken:
                    self.n_unknown += 1
                elif now - changed < self._settle:
                    self.n_unsettled += 1
                else:
                    found.append(DroppedFile(origin, path, changed))
        except OSError as error:
            raise ContractError(str(self._folder), f"cannot be looked through ({error.strerror})") from error
        yield from sorted(found)


def kinds() -> str:
    """Return the endings that are read, for a message."""
    return f"{NOTE} {MAIL} {' '.join(FORMATS)}"
