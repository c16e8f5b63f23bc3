"""The receipt of a window: the account that proves no input was lost, and the list of its data objects."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from adverse_events.tables import RECEIPTS, SCHEMA_VERSION, conform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from adverse_events.provenance import Provenance
    from adverse_events.staging import Tally

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
        tally: Inputs, those screened out and those rejected, by reason.
        rows_assessed: Rows in assessments.
        rows_positive: Of those, rows with is_ade.
        n_events: Events that count (is_event) in positive posts.
        parts: Data objects, assessments before rejects.
        is_unchanged: The lake already held exactly these data and was left alone.
        rows_before: Inputs the window held before this run; 0 when it was new.
    """

    key: str
    window_start: datetime
    window_end: datetime
    tally: Tally
    rows_assessed: int = 0
    rows_positive: int = 0
    n_events: int = 0
    parts: tuple[Part, ...] = ()
    is_unchanged: bool = field(default=False, compare=False)
    rows_before: int = field(default=0, compare=False)

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
            "written_at": written_at,
            "schema_version": SCHEMA_VERSION,
        }
        return conform(pa.Table.from_pylist([row], schema=RECEIPTS.schema), RECEIPTS)


def settled(receipt: pa.Table) -> dict[str, Any]:
    """Return what two receipts of the same data agree on: all but `UNSETTLED`."""
    (row,) = receipt.drop_columns([name for name in UNSETTLED if name in receipt.column_names]).to_pylist()
    return dict(row)


def _pairs(key_name: str, value_name: str, counts: Mapping[str, float] | Mapping[str, str]) -> list[dict[str, object]]:
    return [{key_name: key, value_name: value} for key, value in sorted(counts.items()) if value]
