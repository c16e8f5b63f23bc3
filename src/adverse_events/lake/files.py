"""What a lake asks of a file system: files that survive a power cut, locks that die with their process."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_STAGING_PREFIX = ".staging-"
_LOCKS = ".locks"
_STAGING_LOCK = "staging.lock"


def sync(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Create `path` and its parents where missing, durably."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


def move_into_place(moves: list[tuple[Path, Path]]) -> None:
    """Rename each file over its target, durably; both lie on one file system, so a reader sees old or new."""
    for source, target in moves:
        source.replace(target)
    for folder in {target.parent for _, target in moves}:
        sync(folder)


def remove(paths: Iterable[Path]) -> None:
    """Remove files, durably; one that is not there is no error."""
    removed = [path for path in paths if path.exists()]
    for path in removed:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in removed}:
        sync(folder)


def write_whole(path: Path, text: str) -> None:
    """Write a small text file so that it is there whole or not at all."""
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(text, encoding="utf-8")
    sync(unfinished)
    move_into_place([(unfinished, path)])


def size_of(path: Path) -> int | None:
    """Return the size of a file in bytes, None where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


@contextmanager
def locked(root: Path, name: str) -> Iterator[None]:
    """Hold the lock `name` of the lake at `root`, waiting for any thread or process that has it.

    The kernel frees the lock of a process that dies, so no lock is ever stale. Lock files stay: removing one that
    another process is waiting on would let two in.
    """
    folder = root / _LOCKS
    folder.mkdir(exist_ok=True)
    with (folder / name).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def staging_folder(root: Path) -> Iterator[Path]:
    """Provide a hidden folder under `root`, removed afterwards and marked as alive meanwhile."""
    with locked(root, _STAGING_LOCK):
        folder = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=root))
        alive = (folder / "alive").open("wb")
        fcntl.flock(alive, fcntl.LOCK_EX)
    try:
        with alive:
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_dead_staging(root: Path) -> None:
    """Remove what killed runs left behind; a living run holds the lock on its ``alive`` file."""
    if not any(root.glob(f"{_STAGING_PREFIX}*")):
        return
    with locked(root, _STAGING_LOCK):
        for folder in root.glob(f"{_STAGING_PREFIX}*"):
            if not _is_alive(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_alive(folder: Path) -> bool:
    try:
        with (folder / "alive").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
