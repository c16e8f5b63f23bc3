"""What a lake asks of a file system: files that survive a power cut, locks that die with their process."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STAGING_PREFIX = ".staging-"
_LOCKS = ".locks"
_STAGING_LOCK = "staging.lock"
_GATE = "publish.lock"
_READERS = "readers.lock"
_N_SYNCS = 16
_POLL_SECONDS = 0.01

PATIENCE_SECONDS = 10.0
"""How long a writer waits for readers."""


def sync(path: Path) -> None:
    """Make a file's bytes, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(paths: Sequence[Path]) -> None:
    """As `sync` for many: at once, because a journal commits requests that wait together in one go."""
    if paths:
        with ThreadPoolExecutor(min(_N_SYNCS, len(paths))) as pool:
            list(pool.map(sync, paths))


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a small file so that it is there whole or not at all; text as UTF-8."""
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
    sync(unfinished)
    unfinished.replace(path)
    sync(path.parent)


def size_of(path: Path) -> int | None:
    """Return the size of a file in bytes, None where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def make_locks(root: Path) -> None:
    """Create the folder of lock files, and those that readers open without the right to create them."""
    (root / _LOCKS).mkdir(exist_ok=True)
    for name in (_GATE, _READERS):
        (root / _LOCKS / name).touch()


@contextmanager
def locked(root: Path, name: str) -> Iterator[None]:
    """Hold the lock `name` of the lake at `root`, waiting for any thread or process that has it.

    The kernel frees the lock of a process that dies, so no lock is ever stale. Lock files stay: removing one that
    another process is waiting on would let two in.
    """
    with (root / _LOCKS / name).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Keep every other writer out, and readers for as long as they let themselves be kept out.

    New readers wait at the gate from now on. One that is still inside after `PATIENCE_SECONDS` is left to itself: a
    forgotten reader may not stop a lake.
    """
    with locked(root, _GATE), (root / _LOCKS / _READERS).open("ab") as inside:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _try_lock(inside) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        yield


@contextmanager
def reading(root: Path) -> Iterator[None]:
    """Ask writers to wait while the lake at `root` is read; they do, for `PATIENCE_SECONDS`.

    A lake whose locks cannot be had, on a read-only disk for example, is read all the same.
    """
    with ExitStack() as inside:
        with suppress(OSError), (root / _LOCKS / _GATE).open("rb") as gate:
            fcntl.flock(gate, fcntl.LOCK_SH)
            fcntl.flock(inside.enter_context((root / _LOCKS / _READERS).open("rb")), fcntl.LOCK_SH)
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
            return not _try_lock(file)
    except FileNotFoundError:
        return False


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
