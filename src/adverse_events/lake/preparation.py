"""A window's files, complete before any of them is visible: what every kind of lake does first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from adverse_events.errors import ContractError
from adverse_events.lake import layout
from adverse_events.lake.assessment import CountedChunks, assess
from adverse_events.lake.parts import PartSize, sha256_of, write_parts, write_table
from adverse_events.lake.receipt import Part, Receipt
from adverse_events.staging import Tally
from adverse_events.tables import ASSESSMENTS, REJECTS, conform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from adverse_events.lake.forgetting import Withheld
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
        receipt_rows: The same as its one row of `tables.RECEIPTS`; None for parts that had no receipt before.
        receipt_file: That row as Parquet, or None.
        globs: Patterns of every key these parts replace.
        based_on: The version of every object these parts were made from, by key; where the lake holds others by now,
            they are not put in place. None: they were made from a source, and replace whatever there is.
    """

    parts: Mapping[str, Path]
    receipt: Receipt
    receipt_rows: pa.Table | None
    receipt_file: Path | None
    globs: tuple[str, ...]
    based_on: Mapping[str, str] | None = None

    @property
    def is_rewriting(self) -> bool:
        """Whether these files take the place of those they were made from, and a receipt vouches for them."""
        return self.based_on is not None and self.receipt_file is not None


def prepare_window(
    window: Window,
    batch: Batch,
    *,
    rows: GroupedRows,
    rejects: GroupedRows,
    provenance: Provenance,
    stem: Path,
    size: PartSize,
    withheld: Withheld,
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
        withheld: Takes out posts that came onto the deletion list after the source was read.

    Raises:
        ContractError: Rows break the promises of their table.
        OSError: The disk refused.
    """
    coded = withheld.from_assessments(rows.chunks(window.start))
    assessed = CountedChunks(assess(chunk, provenance) for chunk in coded)
    assessments = write_parts(assessed, ASSESSMENTS, stem, size)
    refused = write_parts(_as_rejects(withheld.from_rejects(rejects.chunks(window.start))), REJECTS, stem, size)
    files = {
        layout.part_key(table.name, window, index): part
        for table, parts in ((ASSESSMENTS, assessments), (REJECTS, refused))
        for index, part in enumerate(parts)
    }
    receipt = Receipt(
        key=layout.receipt_key(window),
        window_start=window.start,
        window_end=window.end,
        tally=withheld.settle(batch.tallies.get(window, Tally())),
        rows_assessed=assessed.n_rows,
        rows_positive=assessed.n_positive,
        n_events=assessed.n_events,
        rows_unrepresented=withheld.rows_unrepresented,
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
    origin: str,
    rejects: GroupedRows,
    *,
    window_minutes: int,
    provenance: Provenance,
    stem: Path,
    withheld: Withheld,
) -> Prepared:
    """Write the undated rejects of the source file `origin` under `stem`, as one part whatever their number.

    Args:
        origin: Name of the source file as in the rejects.
        rejects: Staged rejects by origin, without window_start.
        window_minutes: Length of the lake's windows, for the receipt.
        provenance: What made them.
        stem: As for `prepare_window`.
        withheld: As for `prepare_window`.

    Raises:
        ContractError: A reject belongs to a window after all.
        OSError: The disk refused.
    """
    if set(rejects.count_by("window_start", origin)) - {None}:
        raise ContractError("undated rejects", f"rows from {origin} carry a window_start; they belong in its batch")
    key = layout.undated_part_key(origin)
    tally = Tally(rows_in=rejects.n_rows(origin), rejected=rejects.count_by("reason", origin))
    parts = write_parts(_as_rejects(withheld.from_rejects(rejects.chunks(origin))), REJECTS, stem, _ONE_PART)
    receipt = Receipt(
        key=layout.undated_receipt_key(origin),
        window_start=_EPOCH,
        window_end=_EPOCH + timedelta(minutes=window_minutes),
        tally=withheld.settle(tally),
    )
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
    receipt = replace(receipt, parts=parts_of(files))
    receipt_rows = receipt.to_table(provenance, datetime.now(UTC), durations=durations or {}, served_by=served_by or {})
    receipt_file = stem.with_name(f"{stem.name}-receipt.parquet")
    write_table(receipt_rows, receipt_file)
    return Prepared({key: path for key, (path, _) in files.items()}, receipt, receipt_rows, receipt_file, globs)


def parts_of(files: Mapping[str, tuple[Path, int]]) -> tuple[Part, ...]:
    """Return what a receipt says of data files, given by key with their number of rows."""
    return tuple(Part(key, n_rows, path.stat().st_size, sha256_of(path)) for key, (path, n_rows) in files.items())


def _as_rejects(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    for chunk in chunks:
        yield conform(chunk.select(REJECTS.schema.names), REJECTS)
