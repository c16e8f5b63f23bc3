"""What a rewriting is about to put in place, kept whole beside the lake until it stands.

A window that a run writes from its source can be written again after a kill; one that is rewritten from its own files
cannot, for those are being replaced. So the new files are kept first, their receipt last; after a kill they are put
in place by the next `comply`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a dataclass field
from typing import TYPE_CHECKING, Any

from adverse_events.lake import files
from adverse_events.lake.layout import part_name
from adverse_events.lake.reading import read_receipt
from adverse_events.lake.rewriting import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from adverse_events.lake.preparation import Prepared

FOLDER = "_rewriting"
"""Engines skip names with a leading underscore."""

RECEIPT = "receipt.parquet"


def folder_of(receipt_key: str) -> str:
    """Return the name of the folder that holds the files of one receipt."""
    return f"{FOLDER}/{receipt_key.partition('/')[2].replace('/', '+')}"


def receipt_key_of(folder: str) -> str:
    """Return the key of the receipt whose files lie in `folder`."""
    return f"receipts/{folder.removeprefix(f'{FOLDER}/').replace('+', '/')}"


def parts_of(receipt: pa.Table) -> list[str]:
    """Return the keys of the parts that a receipt lists."""
    listed: list[dict[str, Any]] = receipt["parts"][0].as_py()
    return [str(part["key"]) for part in listed]


def globs_of(receipt_key: str) -> tuple[str, ...]:
    """Return patterns of every key that the receipt vouches for."""
    return Place(receipt_key, ()).globs


@dataclass(frozen=True)
class LocalJournal:
    """The journal of the lake in the folder `root`."""

    root: Path

    def keep(self, prepared: Sequence[Prepared]) -> None:
        """Keep the files of rewritings, whose bytes are on the disk already, so that they outlast the process.

        Raises:
            OSError: The disk refused.
        """
        folders = [self._keep(window) for window in prepared if window.is_rewriting]
        if folders:
            files.sync_all([*folders, self.root / FOLDER, self.root])

    def drop(self, prepared: Sequence[Prepared]) -> None:
        """Forget rewritings that stand, or were given up."""
        for window in prepared:
            if window.is_rewriting:
                shutil.rmtree(self.root / folder_of(window.receipt.key), ignore_errors=True)

    def recover(self) -> int:
        """Put in place what a killed rewriting had begun to, and return how much that was; the caller is `writing`.

        A window that has a receipt is whole, with the old files or with the new ones.

        Raises:
            OSError: The disk refused.
        """
        n_recovered = 0
        for folder in sorted((self.root / FOLDER).glob("*")):
            receipt = read_receipt(folder / RECEIPT)
            key = receipt_key_of(f"{FOLDER}/{folder.name}")
            if receipt is not None and not (self.root / key).exists():
                self._put_in_place(folder, receipt, key)
                n_recovered += 1
            shutil.rmtree(folder)
        return n_recovered

    def _keep(self, prepared: Prepared) -> Path:
        folder = self.root / folder_of(prepared.receipt.key)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for key, path in prepared.parts.items():
            (folder / part_name(key)).hardlink_to(path)
        if prepared.receipt_file:
            (folder / RECEIPT).hardlink_to(prepared.receipt_file)
        return folder

    def _put_in_place(self, folder: Path, receipt: pa.Table, receipt_key: str) -> None:
        keys = parts_of(receipt)
        for key in keys:
            (self.root / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / part_name(key)).replace(self.root / key)
        for glob in globs_of(receipt_key):
            for path in self.root.glob(glob):
                if path.relative_to(self.root).as_posix() not in keys:
                    path.unlink()
        (folder / RECEIPT).replace(self.root / receipt_key)
        files.sync_all(sorted({(self.root / key).parent for key in (*keys, receipt_key)}))
