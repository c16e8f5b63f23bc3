"""The lake in a local folder: partitioned Parquet, each window written whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.dataset as ds

from adverse_events import __version__
from adverse_events.errors import ContractError, PermanentServiceError, UsageError
from adverse_events.lake import files, layout
from adverse_events.lake.account import check_account
from adverse_events.lake.grouping import GroupedRows
from adverse_events.lake.marker import Marker
from adverse_events.lake.parts import PartSize
from adverse_events.lake.preparation import prepare_undated, prepare_window
from adverse_events.lake.publishing import make_durable, make_ready, publish, read_receipt, rows_recorded, stands
from adverse_events.tables import RECEIPTS, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from adverse_events.lake.preparation import Prepared
    from adverse_events.lake.receipt import Receipt
    from adverse_events.provenance import Provenance
    from adverse_events.staging import Batch
    from adverse_events.windows import Window

_GROUP = 64
"""Windows whose files wait for the disk together: one at a time, a small window would spend its time waiting."""


class LocalLake:
    """A lake in a folder; get one with `open`.

    Args:
        root: The folder, absolute.
        window_minutes: Length of its windows.
        privacy_mode: signal or case.
        part_size: How a window's rows are cut into files.
    """

    def __init__(self, root: Path, window_minutes: int, privacy_mode: str, part_size: PartSize) -> None:
        """Take the folder as it is."""
        self.root, self.window_minutes, self.privacy_mode = root, window_minutes, privacy_mode
        self._part_size = part_size

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        window_minutes: int,
        privacy_mode: str,
        key_fingerprint: str,
        part_size: PartSize | None = None,
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
                _marker_of(root, wanted).check_same_lake(wanted, root)
            files.remove_dead_staging(root)
        except OSError as error:
            msg = f"cannot keep a lake in {root}: {_reason(error)}; choose a folder this user may write"
            raise UsageError(msg) from error
        return cls(root, window_minutes, privacy_mode, part_size or PartSize())

    def write(self, batch: Batch, provenance: Provenance) -> list[Receipt]:
        """Replace the windows of `batch`, each whole or not at all, its receipt last.

        A window that already holds exactly these data, made by the same recipe, is left untouched, receipt included.

        Returns:
            One receipt per window, in the batch's order.

        Raises:
            AccountingError: Rows were lost or doubled on the way; nothing was written.
            ContractError: Rows break the tables' promises; their window and later ones are unchanged, and nearby
                earlier ones may be.
            PermanentServiceError: The disk refused; says which window and what state it is in.
        """
        self._check_fits(batch, provenance)
        with (
            GroupedRows([batch.rows], "window_start") as rows,
            GroupedRows(batch.rejects, "window_start") as rejects,
        ):
            check_account(batch, rows, rejects)
            prepare = partial(
                prepare_window, batch=batch, rows=rows, rejects=rejects, provenance=provenance, size=self._part_size
            )
            return self._replace([(f"window {window}", partial(prepare, window)) for window in batch.windows])

    def write_undated(self, rejects: Path, provenance: Provenance, origins: Iterable[str] = ()) -> list[Receipt]:
        """Replace the rejects whose time could not be read, one part and one receipt per source file.

        Args:
            rejects: Staged rejects without window_start.
            provenance: What made them.
            origins: Every file that was read; one that has no such reject any more loses its part.

        Returns:
            One receipt per source file that has such rejects or had them before, sorted by name.

        Raises:
            ContractError: A reject has a window, or breaks the table's promises.
            PermanentServiceError: The disk refused.
        """
        with GroupedRows([rejects], "origin") as grouped:
            before = {origin for origin in origins if (self.root / layout.undated_receipt_key(origin)).exists()}
            prepare = partial(
                prepare_undated, rejects=grouped, window_minutes=self.window_minutes, provenance=provenance
            )
            return self._replace(
                [
                    (f"undated input of {origin}", partial(prepare, origin))
                    for origin in sorted({*grouped.groups, *before})
                ]
            )

    def pending(self, rows_in: Mapping[Window, int], recipe_sha256: str) -> tuple[list[Window], list[Window]]:
        """Return the windows without a receipt and the stale ones, each in given order.

        Stale: made by another recipe or from another number of inputs, or a part that the receipt lists is missing
        or has another size.

        Args:
            rows_in: The windows asked about, with the inputs their source has for each now.
            recipe_sha256: Hash of today's versions and choices.
        """
        missing: list[Window] = []
        stale: list[Window] = []
        for window, n_rows in rows_in.items():
            receipt = read_receipt(self.root / layout.receipt_key(window), ["recipe_sha256", "rows_in", "parts"])
            if receipt is None:
                missing.append(window)
            elif (
                receipt["recipe_sha256"][0].as_py() != recipe_sha256
                or receipt["rows_in"][0].as_py() != n_rows
                or not self._holds_parts(receipt)
            ):
                stale.append(window)
        return missing, stale

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

    def _check_fits(self, batch: Batch, provenance: Provenance) -> None:
        others = sorted({window.minutes for window in batch.windows} - {self.window_minutes})
        if others:
            msg = f"lake {self.root} keeps windows of {self.window_minutes} minutes, not of {others[0]}"
            raise UsageError(msg)
        if provenance.privacy_mode != self.privacy_mode:
            msg = f"lake {self.root} keeps data of {self.privacy_mode} mode, not of {provenance.privacy_mode} mode"
            raise UsageError(msg)

    def _holds_parts(self, receipt: pa.Table) -> bool:
        return all(files.size_of(self.root / part["key"]) == part["n_bytes"] for part in receipt["parts"][0].as_py())

    def _replace(self, jobs: Sequence[tuple[str, Callable[..., Prepared]]]) -> list[Receipt]:
        """Run `jobs`, each named by what it replaces, in groups whose files reach the disk together."""
        receipts = []
        for begin in range(0, len(jobs), _GROUP):
            group = jobs[begin : begin + _GROUP]
            with self._disk_errors(f"{group[0][0]} is unchanged"), files.staging_folder(self.root) as staging:
                receipts += self._replace_group(group, staging)
        return receipts

    def _replace_group(self, jobs: Sequence[tuple[str, Callable[..., Prepared]]], staging: Path) -> list[Receipt]:
        prepared = {}
        for number, (what, prepare) in enumerate(jobs):
            with self._disk_errors(f"{what} is unchanged"):
                prepared[what] = prepare(stem=staging / str(number))
        with files.reading(self.root):
            changed = {what: window for what, window in prepared.items() if not stands(self.root, window)}
        before = {what: rows_recorded(self.root / window.receipt.key) for what, window in prepared.items()}
        with self._disk_errors(f"{jobs[0][0]} is unchanged"):
            make_ready(self.root, list(changed.values()))
        if changed:
            with files.writing(self.root):
                for what, window in changed.items():
                    with self._disk_errors(f"{what} is incomplete"):
                        publish(self.root, window)
        with self._disk_errors(f"{jobs[-1][0]} may not survive a power cut"):
            make_durable(self.root, list(changed.values()))
        return [
            replace(window.receipt, is_unchanged=what not in changed, rows_before=before[what])
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
