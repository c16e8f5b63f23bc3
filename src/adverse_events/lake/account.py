"""The last check before a window becomes visible: every input is accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.errors import AccountingError, ContractError
from adverse_events.staging import Tally

if TYPE_CHECKING:
    from adverse_events.lake.grouping import GroupedRows
    from adverse_events.staging import Batch


def check_account(batch: Batch, rows: GroupedRows, rejects: GroupedRows) -> None:
    """Compare what `batch` says of its windows with the rows it brings.

    Args:
        batch: Windows and their tallies; a window without a tally counts as empty.
        rows: The rows of ``batch.rows`` by window start.
        rejects: The rows of ``batch.rejects`` by window start.

    Raises:
        ContractError: A row belongs to none of the windows.
        AccountingError: Rows were lost or doubled on the way.
    """
    starts = {window.start for window in batch.windows}
    for name, grouped in (("coded rows", rows), ("staged rejects", rejects)):
        strangers = [str(start) for start in grouped.groups if start not in starts]
        if strangers:
            raise ContractError(
                name, f"{len(strangers)} window starts are not in this batch, such as {strangers[0]}; run it again"
            )
    for window in batch.windows:
        tally = batch.tallies.get(window, Tally())
        tally.check(window, rows.n_rows(window.start))
        promised = {reason: n_rows for reason, n_rows in {**tally.rejected, **tally.uncoded}.items() if n_rows}
        staged = rejects.count_by("reason", window.start)
        if promised != staged:
            msg = f"window {window}: the tally says rejected {promised}, but the staged rejects are {staged}"
            raise AccountingError(msg)
