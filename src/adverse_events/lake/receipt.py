"""The receipt of a window: the account that proves no input was lost, and the list of its data objects."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from adverse_events.staging import Tally
from adverse_events.tables import RECEIPTS, SCHEMA_VERSION, conform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from adverse_events.provenance import Provenance

UNSETTLED = ("durations", "billable_units", "served_by", "written_at")
"""Receipt columns that differ between two runs which made the same data."""


@dataclass(frozen=True, slots=True)
class Part:
    """One data object of a window; `key` is relative to the lake."""

    key: str
    n_rows: int
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one window, or the undated input of one source file, came to.

    Attributes:
        key: Where the receipt lies, relative to the lake.
        window_start: First instant, UTC; 1970-01-01 for undated input.
        window_end: First instant after.
        tally: Inputs, those screened out, rejected and deleted, by reason.
        rows_assessed: Rows in assessments.
        rows_positive: Of those, rows with is_ade.
        n_events: Events that count (is_event) in positive posts.
        rows_unrepresented: Inputs screened out as duplicates of a post that was deleted since.
        parts: Data objects, assessments before rejects.
        is_unchanged: The lake already held exactly these data and was left alone.
        rows_before: Inputs the window held before this run; 0 when it was new.
        is_skipped: Another run replaced the window while rows were being taken out of it; it was left alone.
    """

    key: str
    window_start: datetime
    window_end: datetime
    tally: Tally
    rows_assessed: int = 0
    rows_positive: int = 0
    n_events: int = 0
    rows_unrepresented: int = 0
    parts: tuple[Part, ...] = ()
    is_unchanged: bool = field(default=False, compare=False)
    rows_before: int = field(default=0, compare=False)
    is_skipped: bool = field(default=False, compare=False)

    @property
    def rows_screened_out(self) -> int:
        """Inputs screened out, all reasons."""
        return sum(self.tally.screened_out.values())

    @property
    def rows_rejected(self) -> int:
        """Inputs rejected, all reasons."""
        return sum(self.tally.rejected.values())

    def to_table(
        self,
        provenance: Provenance,
        written_at: datetime,
        *,
        durations: Mapping[str, float],
        served_by: Mapping[str, str],
    ) -> pa.Table:
        """Return the receipt as one row of `tables.RECEIPTS`."""
        row = {
            "window_start": self.window_start,
            "window_end": self.window_end,
            "rows_in": self.tally.rows_in,
            "rows_assessed": self.rows_assessed,
            "rows_positive": self.rows_positive,
            "rows_screened_out": self.rows_screened_out,
            "rows_rejected": self.rows_rejected,
            "screened_out": _pairs("reason", "n_rows", self.tally.screened_out),
            "rejected": _pairs("reason", "n_rows", self.tally.rejected),
            "rows_uncoded": sum(self.tally.uncoded.values()),
            "uncoded": _pairs("reason", "n_rows", self.tally.uncoded),
            "n_events": self.n_events,
            "parts": [asdict(part) for part in self.parts],
            "recipe_sha256": provenance.recipe_sha256,
            "model_version": provenance.model_version,
            "lexicon_version": provenance.lexicon_version,
            "coder_version": provenance.coder_version,
            "icd10cm_release": provenance.icd10cm_release,
            "code_version": provenance.code_version,
            "ade_threshold": provenance.ade_threshold,
            "privacy_mode": provenance.privacy_mode,
            "keep_text": provenance.keep_text,
            "durations": _pairs("station", "seconds", durations),
            "billable_units": _pairs("service", "n_units", self.tally.billable_units),
            "served_by": _pairs("station", "remote", served_by),
            "rows_deleted": sum(self.tally.deleted.values()),
            "deleted": _pairs("reason", "n_rows", self.tally.deleted),
            "rows_unrepresented": self.rows_unrepresented,
            "written_at": written_at,
            "schema_version": SCHEMA_VERSION,
        }
        return conform(pa.Table.from_pylist([row], schema=RECEIPTS.schema), RECEIPTS)


def restated(stored: pa.Table, receipt: Receipt, written_at: datetime) -> pa.Table:
    """Return a stored receipt with the counts and parts of `receipt`; what made the data stays as it was.

    Args:
        stored: One row, written by this version or an older one.
        receipt: The account as it is now.
        written_at: Aware.
    """
    tally = receipt.tally
    (row,) = stored.to_pylist()
    row |= {
        "rows_assessed": receipt.rows_assessed,
        "rows_positive": receipt.rows_positive,
        "rows_screened_out": receipt.rows_screened_out,
        "rows_rejected": receipt.rows_rejected,
        "rejected": _pairs("reason", "n_rows", tally.rejected),
        "rows_uncoded": sum(tally.uncoded.values()),
        "uncoded": _pairs("reason", "n_rows", tally.uncoded),
        "n_events": receipt.n_events,
        "parts": [asdict(part) for part in receipt.parts],
        "rows_deleted": sum(tally.deleted.values()),
        "deleted": _pairs("reason", "n_rows", tally.deleted),
        "rows_unrepresented": receipt.rows_unrepresented,
        "written_at": written_at,
        "served_by": row.get("served_by") or [],
    }
    return conform(pa.Table.from_pylist([row], schema=RECEIPTS.schema), RECEIPTS)


def tally_of(stored: Mapping[str, Any]) -> Tally:
    """Return the account of a stored receipt, given as a row; columns that an older version lacks count as empty."""

    def counts(name: str, key: str = "reason", value: str = "n_rows") -> dict[str, int]:
        return {entry[key]: entry[value] for entry in stored.get(name) or ()}

    return Tally(
        stored["rows_in"],
        counts("screened_out"),
        counts("rejected"),
        counts("uncoded"),
        counts("billable_units", "service", "n_units"),
        counts("deleted"),
    )


def settled(receipt: pa.Table) -> dict[str, Any]:
    """Return what two receipts of the same data agree on: all but `UNSETTLED`."""
    (row,) = receipt.drop_columns([name for name in UNSETTLED if name in receipt.column_names]).to_pylist()
    return dict(row)


def _pairs(key_name: str, value_name: str, counts: Mapping[str, float] | Mapping[str, str]) -> list[dict[str, object]]:
    return [{key_name: key, value_name: value} for key, value in sorted(counts.items()) if value]
