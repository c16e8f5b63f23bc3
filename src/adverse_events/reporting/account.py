"""The account of many windows: where every input went, and what was in force, as their receipts say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""window_start of the receipt for input whose time could not be read; see `tables.RECEIPTS`."""

IN_FORCE = {
    "model_version": "Classifier",
    "ade_threshold": "Threshold",
    "lexicon_version": "Drug lexicon",
    "coder_version": "Condition coder",
    "icd10cm_release": "ICD-10-CM release",
    "code_version": "Software",
    "privacy_mode": "Privacy mode",
    "keep_text": "Text kept",
}
"""Receipt columns that decide what the counts mean, and what a reader calls them."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of UTC time ``[start, end)``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class InForce:
    """One version, threshold or mode.

    Attributes:
        name: What a reader calls it.
        values: Distinct values, oldest window first. More than one means that counts before and after a
            change are not comparable; empty when no window was processed.
    """

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Account:
    """Where the inputs of some windows went.

    Attributes:
        n_windows: Windows processed; undated input is none.
        rows_in: Inputs; equals rows_assessed + rows screened out + rows rejected + rows deleted.
        rows_assessed: Posts scored.
        rows_positive: Of those, posts flagged as an adverse drug event.
        n_events: Conditions that count as an event in the positive posts.
        screened_out: Inputs by screening reason, most frequent first.
        rejected: Inputs by reject reason, most frequent first.
        deleted: Inputs on the deletion list by reason, most frequent first.
        uncoded: Positive posts that the coder refused, by reason; assessed, without events.
        billable_units: Units that paid services charged, by service.
        rows_undated: Of the rejected, those whose time could not be read.
        covered: Time covered by processed windows, merged and in order.
        in_force: One entry for each of `IN_FORCE`.
    """

    n_windows: int
    rows_in: int
    rows_assessed: int
    rows_positive: int
    n_events: int
    screened_out: Mapping[str, int]
    rejected: Mapping[str, int]
    uncoded: Mapping[str, int]
    billable_units: Mapping[str, int]
    rows_undated: int
    covered: tuple[Span, ...]
    in_force: tuple[InForce, ...]
    deleted: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows_deleted(self) -> int:
        """Inputs on the deletion list, all reasons."""
        return sum(self.deleted.values())

    @property
    def rows_screened_out(self) -> int:
        """Inputs screened out, all reasons."""
        return sum(self.screened_out.values())

    @property
    def rows_rejected(self) -> int:
        """Inputs rejected, all reasons."""
        return sum(self.rejected.values())

    @property
    def span(self) -> Span | None:
        """From the first processed window to the last; None when there is none."""
        return Span(self.covered[0].start, self.covered[-1].end) if self.covered else None

    @property
    def gaps(self) -> tuple[Span, ...]:
        """Stretches inside `span` that no processed window covers: unknown, not zero."""
        return tuple(
            Span(before.end, after.start) for before, after in zip(self.covered, self.covered[1:], strict=False)
        )

    @property
    def mixed(self) -> tuple[InForce, ...]:
        """Entries of `in_force` with more than one value."""
        return tuple(entry for entry in self.in_force if len(entry.values) > 1)


def account_of(receipts: pa.Table) -> Account:
    """Add up receipts.

    Args:
        receipts: Rows of `tables.RECEIPTS` in any order, undated ones included.
    """
    rows = sorted(receipts.to_pylist(), key=lambda row: (row["window_start"], row["window_end"]))
    dated = [row for row in rows if row["window_start"] != UNDATED]
    return Account(
        n_windows=len(dated),
        rows_in=_total(rows, "rows_in"),
        rows_assessed=_total(rows, "rows_assessed"),
        rows_positive=_total(rows, "rows_positive"),
        n_events=_total(rows, "n_events"),
        screened_out=_by_reason(rows, "screened_out"),
        rejected=_by_reason(rows, "rejected"),
        uncoded=_by_reason(rows, "uncoded"),
        billable_units=_summed(rows, "billable_units", "service", "n_units"),
        rows_undated=_total(rows, "rows_in") - _total(dated, "rows_in"),
        covered=_merged(Span(row["window_start"], row["window_end"]) for row in dated),
        in_force=tuple(
            InForce(name, tuple(dict.fromkeys(_shown(row[column]) for row in dated)))
            for column, name in IN_FORCE.items()
        ),
        deleted=_by_reason(rows, "deleted"),
    )


def _total(rows: list[dict[str, Any]], column: str) -> int:
    return sum(row[column] for row in rows)


def _by_reason(rows: list[dict[str, Any]], column: str) -> dict[str, int]:
    return _summed(rows, column, "reason", "n_rows")


def _summed(rows: list[dict[str, Any]], column: str, key: str, value: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in rows:
        # A receipt written by an older version lacks the newer columns.
        for entry in row[column] or ():
            counts[entry[key]] += entry[value]
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in spans:
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
