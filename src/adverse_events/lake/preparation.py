"""A window's files, complete before any of them is visible: what every kind of lake does first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from adverse_events.errors import ContractError
from adverse_events.lake import layout
from adverse_events.lake.assessment import AssessedChunks
from adverse_events.lake.parts import PartSize, sha256_of, write_parts, write_table
from adverse_events.lake.receipt import Part, Receipt
from adverse_events.staging import Tally
from adverse_events.tables import ASSESSMENTS, REJECTS, conform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from adverse_events.lake.grouping import GroupedRows
    from adverse_events.provenance import Provenance
    from adverse_events.staging import Batch
    from adverse_events.windows import Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ONE_PART = PartSize(rows_per_part=PartSize().row_group_rows * 10**9)


@dataclass(frozen=True)
class Prepared:
    """What will stand for one window, or for the undated input of one source file.

    Attributes:
        parts: File to move into place, by key.
        receipt: The account, listing those parts.
        receipt_rows: The same as its one row of `tables.RECEIPTS`.
        receipt_file: That row as Parquet.
        globs: Patterns of every key these parts replace.
    """

    parts: Mapping[str, Path]
    receipt: Receipt
    receipt_rows: pa.Table
    receipt_file: Path
    globs: tuple[str, ...]


def prepare_window(
    window: Window,
    batch: Batch,
    *,
    rows: GroupedRows,
    rejects: GroupedRows,
    provenance: Provenance,
    stem: Path,
    size: PartSize,
) -> Prepared:
    """Write the files of `window` under `stem`, streaming.

    Args:
        window: One of the batch's windows.
        batch: Its tally, durations and remote parts.
        rows: Coded rows by window start.
        rejects: Staged rejects by window start.
        provenance: Versions, recipe and how much text is kept.
        stem: Folder and first letters of the files' names.
        size: How the rows are cut.

    Raises:
        ContractError: Rows break the promises of their table.
        OSError: The disk refused.
    """
    assessed = AssessedChunks(rows.chunks(window.start), provenance)
    assessments = write_parts(assessed, ASSESSMENTS, stem, size)
    refused = write_parts(_as_rejects(rejects, window.start), REJECTS, stem, size)
    files = {
        layout.part_key(table.name, window, index): part
        for table, parts in ((ASSESSMENTS, assessments), (REJECTS, refused))
        for index, part in enumerate(parts)
    }
    receipt = Receipt(
        key=layout.receipt_key(window),
        window_start=window.start,
        window_end=window.end,
        tally=batch.tallies.get(window, Tally()),
        rows_assessed=assessed.n_rows,
        rows_positive=assessed.n_positive,
        n_events=assessed.n_events,
    )
    return _prepared(
        receipt,
        files,
        layout.part_globs(window),
        provenance=provenance,
        stem=stem,
        durations=batch.durations,
        served_by=batch.served_by,
    )


def prepare_undated(
    origin: str, rejects: GroupedRows, *, window_minutes: int, provenance: Provenance, stem: Path
) -> Prepared:
    """Write the undated rejects of the source file `origin` under `stem`, as one part whatever their number.

    Args:
        origin: Name of the source file as in the rejects.
        rejects: Staged rejects by origin, without window_start.
        window_minutes: Length of the lake's windows, for the receipt.
        provenance: What made them.
        stem: As for `prepare_window`.

    Raises:
        ContractError: A reject belongs to a window after all.
        OSError: The disk refused.
    """
    if set(rejects.count_by("window_start", origin)) - {None}:
        raise ContractError("undated rejects", f"rows from {origin} carry a window_start; they belong in its batch")
    key = layout.undated_part_key(origin)
    receipt = Receipt(
        key=layout.undated_receipt_key(origin),
        window_start=_EPOCH,
        window_end=_EPOCH + timedelta(minutes=window_minutes),
        tally=Tally(rows_in=rejects.n_rows(origin), rejected=rejects.count_by("reason", origin)),
    )
    parts = write_parts(_as_rejects(rejects, origin), REJECTS, stem, _ONE_PART)
    return _prepared(receipt, dict(zip((key,), parts, strict=False)), (key,), provenance=provenance, stem=stem)


def _prepared(
    receipt: Receipt,
    files: Mapping[str, tuple[Path, int]],
    globs: tuple[str, ...],
    *,
    provenance: Provenance,
    stem: Path,
    durations: Mapping[str, float] | None = None,
    served_by: Mapping[str, str] | None = None,
) -> Prepared:
    listed = (Part(key, n_rows, path.stat().st_size, sha256_of(path)) for key, (path, n_rows) in files.items())
    receipt = replace(receipt, parts=tuple(listed))
    receipt_rows = receipt.to_table(provenance, datetime.now(UTC), durations=durations or {}, served_by=served_by or {})
    receipt_file = stem.with_name(f"{stem.name}-receipt.parquet")
    write_table(receipt_rows, receipt_file)
    return Prepared({key: path for key, (path, _) in files.items()}, receipt, receipt_rows, receipt_file, globs)


def _as_rejects(rejects: GroupedRows, group: object) -> Iterator[pa.Table]:
    for chunk in rejects.chunks(group):
        yield conform(chunk.select(REJECTS.schema.names), REJECTS)
