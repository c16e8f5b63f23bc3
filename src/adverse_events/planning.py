"""What a backfill has to do: windows that are missing first, then those that are stale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from adverse_events.staging import read_staged, write_staged
from adverse_events.tables import TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from adverse_events.lake.protocol import Lake
    from adverse_events.staging import Batch
    from adverse_events.windows import Window


@dataclass(frozen=True)
class Plan:
    """The work of a backfill.

    Attributes:
        batches: Only windows to work on, missing ones before stale ones.
        n_up_to_date: Windows left alone.
        rows_not_due: Inputs that fell into those.
    """

    batches: tuple[Batch, ...]
    n_up_to_date: int
    rows_not_due: int

    @property
    def n_due(self) -> int:
        """Windows to work on."""
        return sum(len(batch.windows) for batch in self.batches)


def plan(batches: Sequence[Batch], lake: Lake, recipe_sha256: str, *, force: bool) -> Plan:
    """Choose the windows to work on.

    A window is missing without a receipt. It is stale when its receipt names another recipe, other data files than
    the lake holds, or another number of inputs than the source has for it now.

    Args:
        batches: Every window of the range.
        lake: Where results are kept.
        recipe_sha256: Hash of today's versions and choices.
        force: Take every window, whatever its state.
    """
    rows_in = {window: tally.rows_in for batch in batches for window, tally in batch.tallies.items()}
    if force:
        return Plan(tuple(batches), 0, 0)
    missing, stale = map(set, lake.pending(rows_in, recipe_sha256))
    narrowed = [
        narrow(batch, chosen, name) for name, chosen in (("missing", missing), ("stale", stale)) for batch in batches
    ]
    left_alone = set(rows_in) - missing - stale
    return Plan(
        tuple(batch for batch in narrowed if batch.windows),
        len(left_alone),
        sum(rows_in[window] for window in left_alone),
    )


def due_windows(lake: Lake, windows: Sequence[Window], recipe_sha256: str) -> list[Window]:
    """Return the windows that are missing or made by another recipe, going by the lake alone, in time order.

    For a source that charges for reading: how many inputs it has now is not asked.

    Args:
        lake: Where results are kept.
        windows: Those of a range.
        recipe_sha256: Hash of today's versions and choices.
    """
    receipts = lake.receipts().select(["window_start", "rows_in"])
    held = dict(zip(receipts["window_start"].to_pylist(), receipts["rows_in"].to_pylist(), strict=True))
    missing, stale = lake.pending({window: held.get(window.start, 0) for window in windows}, recipe_sha256)
    return sorted([*missing, *stale])


def narrow(batch: Batch, windows: Iterable[Window], name: str) -> Batch:
    """Return `batch` with only those of its windows that are in `windows`, in a sub-folder `name` of its own."""
    chosen = set(windows)
    kept = tuple(window for window in batch.windows if window in chosen)
    if len(kept) in {0, len(batch.windows)}:
        return batch if kept else replace(batch, windows=(), tallies={})
    folder = batch.folder / name
    folder.mkdir()
    starts = pa.array([window.start for window in kept], TIMESTAMP)
    return replace(
        batch,
        windows=kept,
        rows=_filtered(batch.rows, starts, folder),
        rejects=tuple(_filtered(path, starts, folder) for path in batch.rejects),
        tallies={window: batch.tallies[window] for window in kept},
    )


def _filtered(path: Path, starts: pa.Array, folder: Path) -> Path:
    target = folder / path.name
    with pa.memory_map(str(path)) as source:
        schema = pa.ipc.open_file(source).schema
    write_staged(
        target, schema, (rows.filter(pc.is_in(rows.column("window_start"), starts)) for rows in read_staged(path))
    )
    return target
