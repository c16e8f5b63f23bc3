"""The account of a run: every row read is assessed, screened out, rejected or outside the range."""

from __future__ import annotations

from collections import Counter

# At run time: where a deployment keeps results, Prefect reads an account back from JSON by these annotations.
from collections.abc import Mapping  # noqa: TC003 - as above
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - as above
from typing import TYPE_CHECKING, Any

from adverse_events.errors import AccountingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.lake.receipt import Receipt


@dataclass(frozen=True)
class RunAccount:
    """What one run came to.

    Attributes:
        rows_read: Inputs read from the source.
        rows_out_of_range: Of those, posts outside the range asked for.
        rows_not_due: Of those, posts of windows a backfill found up to date.
        n_windows: Windows written, or found to hold these data already.
        n_windows_unchanged: Of those, windows left untouched because nothing differed.
        rows_assessed: Rows in assessments.
        rows_positive: Of those, rows with is_ade.
        n_events: Coded or uncoded events that count.
        screened_out: Rows by reason.
        rejected: Rows by reason, inputs whose time could not be read included.
        uncoded: Positive posts the coder refused, by reason; assessed without events, and in rejects too.
        billable_units: Units paid services charged, by service.
        start: First instant of the first window; None when there was none.
        end: First instant after the last window; None when there was none.
        rows_gone: Inputs that windows held before this run and hold no more. A window is replaced whole, so another
            source with fewer posts for the same hours takes the place of the first.
        n_windows_not_read: Windows of the range that the source stopped short of; they stand as they stood.
        why_not_read: What stopped it, and how to go on; None where nothing did.
    """

    rows_read: int
    rows_out_of_range: int
    rows_not_due: int
    n_windows: int
    n_windows_unchanged: int
    rows_assessed: int
    rows_positive: int
    n_events: int
    screened_out: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    uncoded: Mapping[str, int] = field(default_factory=dict)
    billable_units: Mapping[str, int] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None
    rows_gone: int = 0
    n_windows_not_read: int = 0
    why_not_read: str | None = None

    @property
    def rows_rejected(self) -> int:
        """Rejected rows, all reasons."""
        return sum(self.rejected.values())

    @property
    def rows_screened_out(self) -> int:
        """Screened-out rows, all reasons."""
        return sum(self.screened_out.values())

    @classmethod
    def of(
        cls,
        *,
        rows_read: int,
        rows_out_of_range: int,
        rows_not_due: int,
        windows: Iterable[Receipt],
        undated: Iterable[Receipt],
        n_windows_not_read: int = 0,
        why_not_read: str | None = None,
    ) -> RunAccount:
        """Add up a run's receipts.

        Args:
            rows_read: Inputs read from the source.
            rows_out_of_range: Posts outside the range asked for.
            rows_not_due: Posts of windows that were up to date.
            windows: One receipt per window.
            undated: One receipt per source file with inputs whose time could not be read.
            n_windows_not_read: Windows the source stopped short of.
            why_not_read: What stopped it.

        Raises:
            AccountingError: The receipts do not add up to the rows read.
        """
        dated = list(windows)
        receipts = [*dated, *undated]
        account = cls(
            rows_read=rows_read,
            rows_out_of_range=rows_out_of_range,
            rows_not_due=rows_not_due,
            n_windows=len(dated),
            n_windows_unchanged=sum(receipt.is_unchanged for receipt in dated),
            rows_assessed=sum(receipt.rows_assessed for receipt in dated),
            rows_positive=sum(receipt.rows_positive for receipt in dated),
            n_events=sum(receipt.n_events for receipt in dated),
            screened_out=_summed(receipt.tally.screened_out for receipt in receipts),
            rejected=_summed(receipt.tally.rejected for receipt in receipts),
            uncoded=_summed(receipt.tally.uncoded for receipt in dated),
            billable_units=_summed(receipt.tally.billable_units for receipt in dated),
            start=min((receipt.window_start for receipt in dated), default=None),
            end=max((receipt.window_end for receipt in dated), default=None),
            rows_gone=sum(max(0, receipt.rows_before - receipt.tally.rows_in) for receipt in dated),
            n_windows_not_read=n_windows_not_read,
            why_not_read=why_not_read,
        )
        accounted = (
            rows_out_of_range + rows_not_due + account.rows_assessed + account.rows_screened_out + account.rows_rejected
        )
        if accounted != rows_read:
            msg = f"{rows_read} rows were read but {accounted} are accounted for; the windows written are suspect"
            raise AccountingError(msg)
        return account

    def to_json(self) -> dict[str, Any]:
        """Return the account as plain JSON values."""
        return {
            "rows_read": self.rows_read,
            "rows_out_of_range": self.rows_out_of_range,
            "rows_not_due": self.rows_not_due,
            "rows_assessed": self.rows_assessed,
            "rows_positive": self.rows_positive,
            "rows_screened_out": self.rows_screened_out,
            "rows_rejected": self.rows_rejected,
            "screened_out": dict(self.screened_out),
            "rejected": dict(self.rejected),
            "uncoded": dict(self.uncoded),
            "billable_units": dict(self.billable_units),
            "n_windows": self.n_windows,
            "n_windows_unchanged": self.n_windows_unchanged,
            "n_events": self.n_events,
            "rows_gone": self.rows_gone,
            "n_windows_not_read": self.n_windows_not_read,
            "why_not_read": self.why_not_read,
            "start": self.start.isoformat() if self.start else None,
            "end": self.end.isoformat() if self.end else None,
        }


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))
