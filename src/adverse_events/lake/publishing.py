"""Prepared files become the lake's, window by window, the receipt last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a dataclass field
from typing import TYPE_CHECKING

from adverse_events.lake import files
from adverse_events.lake.journal import LocalJournal
from adverse_events.lake.parts import sha256_of
from adverse_events.lake.reading import read_receipt
from adverse_events.lake.receipt import settled
from adverse_events.lake.suppression import FOLDER, SuppressionFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from adverse_events.lake.preparation import Prepared


class Folder:
    """What the lake in a folder holds (a `windowed.Standing`).

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        """Look into `root` when asked."""
        self._root = root

    def receipt(self, key: str, columns: Sequence[str] | None = None) -> pa.Table | None:
        """Return a stored receipt; see `read_receipt`."""
        return read_receipt(self._root / key, columns)

    def size_of(self, key: str) -> int | None:
        """Return a file's size in bytes, None where there is none."""
        return files.size_of(self._root / key)

    def versions(self) -> dict[str, str]:
        """Return the version of every data file, by key; a file put in place of another has another version."""
        found: dict[str, str] = {}
        for table in ("assessments", "rejects"):
            for path in self._root.glob(f"{table}/*/*/*.parquet"):
                version = _version_of(path)
                if version:
                    found[path.relative_to(self._root).as_posix()] = version
        return found


@dataclass(frozen=True)
class SuppressionFolder(SuppressionFiles):
    """The files of the suppression list of the lake at `root`; whoever adds is `files.writing`."""

    root: Path

    def names(self) -> tuple[str, ...]:
        """Return the names of the files there are, sorted."""
        return tuple(sorted(path.name for path in (self.root / FOLDER).glob("part-*.parquet")))

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; None where it has just gone."""
        try:
            return (self.root / FOLDER / name).read_bytes()
        except FileNotFoundError:
            return None

    def add(self, name: str, data: bytes) -> None:
        """Keep `data` for good under `name`."""
        folder = self.root / FOLDER
        folder.mkdir(exist_ok=True)
        files.sync(self.root)
        files.write_whole(folder / name, data)

    def remove(self, name: str) -> None:
        """Remove a file whose rows another holds."""
        (self.root / FOLDER / name).unlink(missing_ok=True)


def is_outdated(root: Path, prepared: Prepared) -> bool:
    """Tell whether others replaced what `prepared` was made from."""
    if prepared.based_on is None:
        return False
    now = {key: _version_of(root / key) for key in prepared.based_on.keys() | _present(root, prepared)}
    return now != prepared.based_on


def stands(root: Path, prepared: Prepared) -> bool:
    """Tell whether the lake already holds exactly what was prepared, made by the same recipe."""
    stored = read_receipt(root / prepared.receipt.key)
    if stored is None or prepared.receipt_rows is None or settled(stored) != settled(prepared.receipt_rows):
        return False
    wanted = {part.key: part.sha256 for part in prepared.receipt.parts}
    return wanted.keys() == _present(root, prepared) and all(sha256_of(root / key) == wanted[key] for key in wanted)


def make_ready(root: Path, prepared: Sequence[Prepared]) -> None:
    """Do all that may run out of space while nothing is visible yet: bytes to the disk, folders made.

    Raises:
        OSError: The disk refused.
    """
    made = (path for window in prepared for path in (*window.parts.values(), window.receipt_file))
    files.sync_all([path for path in made if path])
    for target in _targets(root, prepared):
        target.parent.mkdir(parents=True, exist_ok=True)
    LocalJournal(root).keep(prepared)


def publish(root: Path, prepared: Prepared) -> None:
    """Put the files of one window in place; the caller is `files.writing`.

    Readers are kept out because DuckDB opens a file more than once in a query: a replaced one can give it the footer
    of one file and the pages of another.

    The old receipt goes first and the new one comes last: a receipt that stands vouches for whole data, and a
    window whose writer was killed in between has none and counts as missing.

    Raises:
        OSError: The disk refused; the window may be incomplete, and then has no receipt.
    """
    receipt_path = root / prepared.receipt.key
    receipt_path.unlink(missing_ok=True)
    for key, path in prepared.parts.items():
        path.replace(root / key)
    for key in _present(root, prepared) - prepared.parts.keys():
        (root / key).unlink()
    if prepared.receipt_file:
        prepared.receipt_file.replace(receipt_path)


def make_durable(root: Path, prepared: Sequence[Prepared]) -> None:
    """Make the new names survive a power cut; the bytes already do.

    Raises:
        OSError: The disk refused.
    """
    folders = {folder for target in _targets(root, prepared) for folder in target.relative_to(root).parents}
    files.sync_all([root / folder for folder in sorted(folders)])
    LocalJournal(root).drop(prepared)


def rows_recorded(path: Path) -> int:
    """Return the inputs a stored receipt accounts for; 0 where there is no receipt."""
    stored = read_receipt(path, ["rows_in"])
    return stored["rows_in"][0].as_py() if stored else 0


def _version_of(path: Path) -> str | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"


def _present(root: Path, prepared: Prepared) -> set[str]:
    return {path.relative_to(root).as_posix() for glob in prepared.globs for path in root.glob(glob)}


def _targets(root: Path, prepared: Sequence[Prepared]) -> list[Path]:
    return [root / key for window in prepared for key in (*window.parts, window.receipt.key)]
