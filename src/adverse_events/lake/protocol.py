"""What the flows ask of a lake, wherever it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from adverse_events.lake.forgetting import Withheld
    from adverse_events.lake.receipt import Receipt
    from adverse_events.lake.rewriting import Place
    from adverse_events.lake.suppression import Suppression
    from adverse_events.provenance import Provenance
    from adverse_events.staging import Batch
    from adverse_events.windows import Window


class Lake(Protocol):
    """A place where each window stands whole or not at all; `local.LocalLake` is the one on a disk."""

    def write(self, batch: Batch, provenance: Provenance) -> list[Receipt]:
        """Replace the windows of `batch`; one receipt per window, in the batch's order."""

    def write_undated(self, rejects: Path, provenance: Provenance, origins: Iterable[str] = ()) -> list[Receipt]:
        """Replace the rejects whose time could not be read; one receipt per source file."""

    def pending(self, rows_in: Mapping[Window, int], recipe_sha256: str) -> tuple[list[Window], list[Window]]:
        """Return the windows without a receipt, and those whose recipe, inputs or data files have changed."""

    def stored_ids(self) -> Iterator[str]:
        """Yield every id the lake holds, as it is stored."""

    def places(self) -> list[Place]:
        """Return every window that has data, and every source file with undated input."""

    def suppressed(self) -> Suppression:
        """Return the posts that may not be stored."""

    def suppress(self, rows: pa.Table) -> int:
        """Put posts on that list for good; returns how many were new."""

    def recover(self) -> int:
        """Finish rewritings that a killed run had begun to put in place; returns their number."""

    def holding(self, suppression: Suppression, among: Iterable[Place] | None = None) -> dict[Place, Withheld]:
        """Return the places that hold posts of `suppression`, and what a rewriting would take out of each."""

    def forget(self, places: Iterable[Place]) -> list[Receipt]:
        """Rewrite `places` without suppressed posts; one receipt per place, same order."""

    def receipts(self) -> pa.Table:
        """Return all receipts, schema `tables.RECEIPTS`."""
