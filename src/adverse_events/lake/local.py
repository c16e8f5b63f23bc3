"""The lake in a local folder: partitioned Parquet, each window written whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.dataset as ds

from adverse_events import __version__
from adverse_events.errors import ContractError, PermanentServiceError, UsageError
from adverse_events.lake import files, journal, layout
from adverse_events.lake.marker import Marker
from adverse_events.lake.parts import PartSize
from adverse_events.lake.publishing import (
    Folder,
    SuppressionFolder,
    is_outdated,
    make_durable,
    make_ready,
    publish,
    rows_recorded,
    stands,
)
from adverse_events.lake.windowed import WindowedLake
from adverse_events.tables import RECEIPTS, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from adverse_events.lake.receipt import Receipt
    from adverse_events.lake.suppression import Suppression, SuppressionFiles
    from adverse_events.lake.windowed import Job, Standing

_GROUP = 64
"""Windows whose files wait for the disk together: one at a time, a small window would spend its time waiting."""


class LocalLake(WindowedLake):
    """A lake in a folder; get one with `open`.

    Args:
        root: The folder, absolute.
        window_minutes: Length of its windows.
        privacy_mode: signal or case.
        part_size: How a window's rows are cut into files.
        hash_of: Keyed hash of a post id.
    """

    def __init__(
        self,
        root: Path,
        window_minutes: int,
        privacy_mode: str,
        part_size: PartSize,
        hash_of: Callable[[str], str] | None = None,
    ) -> None:
        """Take the folder as it is."""
        super().__init__(str(root), window_minutes, privacy_mode, part_size, hash_of)
        self.root = root

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        window_minutes: int,
        privacy_mode: str,
        key_fingerprint: str,
        part_size: PartSize | None = None,
        hash_of: Callable[[str], str] | None = None,
    ) -> Self:
        """Open the lake at `path`, created when missing, and remove what killed runs left in it.

        Raises:
            UsageError: The folder is not a lake, cannot be written, or was made with another window length,
                privacy mode or key.
            ContractError: Its marker is damaged or newer code wrote it.
        """
        root = Path(path).expanduser().absolute()
        wanted = Marker(
            schema_version=SCHEMA_VERSION,
            window_minutes=window_minutes,
            privacy_mode=privacy_mode,
            key_fingerprint=key_fingerprint,
            created_by=__version__,
        )
        try:
            root.mkdir(parents=True, exist_ok=True)
            files.make_locks(root)
            with files.locked(root, "marker.lock"):
                _marker_of(root, wanted).check_same_lake(wanted, str(root))
            files.remove_dead_staging(root)
        except OSError as error:
            msg = f"cannot keep a lake in {root}: {_reason(error)}; choose a folder this user may write"
            raise UsageError(msg) from error
        return cls(root, window_minutes, privacy_mode, part_size or PartSize(), hash_of)

    def receipts(self) -> pa.Table:
        """Return all receipts, schema `tables.RECEIPTS`, by window and then by file name.

        Raises:
            ContractError: One cannot be read; names it.
        """
        try:
            with files.reading(self.root):
                paths = sorted(str(path) for path in self.root.glob("receipts/*/*/*.parquet"))
                return ds.dataset(paths, schema=RECEIPTS.schema).to_table()
        except (pa.ArrowInvalid, OSError) as error:
            raise ContractError("receipts", f"{error}; delete that file and run its window again") from error

    def suppress(self, rows: pa.Table) -> int:
        """Put `rows` on the list, between two publishings: what is published afterwards has seen it."""
        with self._disk_errors("the suppression list is unchanged"), files.writing(self.root):
            return self._suppression_files().suppress(rows)

    def recover(self) -> int:
        """Finish rewritings that a killed run had begun to put in place."""
        if not any((self.root / journal.FOLDER).glob("*")):
            return 0
        with self._disk_errors("a window that was being rewritten is incomplete"), files.writing(self.root):
            return journal.LocalJournal(self.root).recover()

    def _suppression_files(self) -> SuppressionFiles:
        return SuppressionFolder(self.root)

    def _data_versions(self) -> dict[str, str]:
        return Folder(self.root).versions()

    def _read(self, key: str) -> str | None:
        path = self.root / key
        return str(path) if path.exists() else None

    def _standing(self, receipt_keys: Sequence[str]) -> Standing:  # noqa: ARG002 - a folder is looked at when asked
        return Folder(self.root)

    def _replace(self, jobs: Sequence[Job]) -> list[Receipt]:
        """Run `jobs` in groups whose files reach the disk together."""
        receipts = []
        for begin in range(0, len(jobs), _GROUP):
            group = jobs[begin : begin + _GROUP]
            with self._disk_errors(f"{group[0].what} is unchanged"), files.staging_folder(self.root) as staging:
                receipts += self._replace_group(group, staging)
        return receipts

    def _replace_group(self, jobs: Sequence[Job], staging: Path) -> list[Receipt]:
        while True:
            receipts = self._try_group(jobs, staging, self.suppressed())
            if receipts is not None:
                return receipts

    def _try_group(self, jobs: Sequence[Job], staging: Path, suppression: Suppression) -> list[Receipt] | None:
        """Replace what `jobs` say; None where the suppression list grew before anything was put in place."""
        prepared = {}
        for number, job in enumerate(jobs):
            with self._disk_errors(f"{job.what} is unchanged"):
                stem = staging / f"{number}-{suppression.token[:8]}"
                prepared[job.what] = job.prepare(stem=stem, withheld=self._withheld(suppression))
        with files.reading(self.root):
            changed = {what: window for what, window in prepared.items() if not stands(self.root, window)}
        before = {what: rows_recorded(self.root / window.receipt.key) for what, window in prepared.items()}
        with self._disk_errors(f"{jobs[0].what} is unchanged"):
            make_ready(self.root, list(changed.values()))
        skipped = set()
        if changed:
            with files.writing(self.root):
                if self._suppression_files().token() != suppression.token:
                    journal.LocalJournal(self.root).drop(list(changed.values()))
                    return None
                for what, window in changed.items():
                    with self._disk_errors(f"{what} is incomplete"):
                        if is_outdated(self.root, window):
                            skipped.add(what)
                        else:
                            publish(self.root, window)
        with self._disk_errors(f"{jobs[-1].what} may not survive a power cut"):
            make_durable(self.root, list(changed.values()))
        return [
            replace(
                window.receipt,
                is_unchanged=what not in changed,
                rows_before=before[what],
                is_skipped=what in skipped,
            )
            for what, window in prepared.items()
        ]

    @contextmanager
    def _disk_errors(self, state: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            detail = f"{self.root}: {_reason(error)}; {state}; free space or mend the folder, then run again"
            raise PermanentServiceError("lake", "write", detail) from error


def _marker_of(root: Path, wanted: Marker) -> Marker:
    """Return the marker of the lake at `root`, after making `wanted` its marker where the folder is still empty."""
    path = root / layout.MARKER_KEY
    if path.exists():
        return Marker.read(path)
    others = sorted(entry.name for entry in root.iterdir() if not entry.name.startswith("."))
    if others:
        msg = f"{root} is not a lake: it has no {layout.MARKER_KEY}, but holds {others[0]}; choose an empty folder"
        raise UsageError(msg)
    files.write_whole(path, wanted.to_json())
    return wanted


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
