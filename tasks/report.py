"""The last station: what the run came to, for the people who watch it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.accounting import RunAccount
from adverse_events.reporting.facts import gather
from adverse_events.reporting.page import write_report
from adverse_events.reporting.summary import summary_markdown
from tasks.station import publish, station

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from adverse_events.lake.receipt import Receipt
    from adverse_events.settings import Settings
    from adverse_events.source.spool import Spooled

logger = logging.getLogger("adverse_events.report")


@station("report")
def report_run(
    spooled: Spooled, windows: Iterable[Receipt], undated: Iterable[Receipt], rows_not_due: int, settings: Settings
) -> RunAccount:
    """Close the account of a run and publish it. Fails the run when a row is unaccounted for."""
    account = RunAccount.of(
        rows_read=spooled.rows_read,
        rows_out_of_range=spooled.rows_out_of_range,
        rows_not_due=rows_not_due,
        windows=windows,
        undated=undated,
        n_windows_not_read=len(spooled.not_read),
        why_not_read=spooled.why_not_read,
    )
    if account.start:
        publish("run-account", lambda: _summary(account, settings), "What this run came to")
    if account.rows_gone:
        logger.warning("%d inputs of an earlier run were replaced; keep one lake per source", account.rows_gone)
    if account.why_not_read:
        logger.warning("%d windows were not read: %s", account.n_windows_not_read, account.why_not_read)
    logger.info(
        "%d rows read, %d assessed, %d positive", account.rows_read, account.rows_assessed, account.rows_positive
    )
    return account


@station("write report")
def write_report_page(settings: Settings, output: Path, start: datetime | None, end: datetime | None) -> Path:
    """Write the report page of a range."""
    written = write_report(assembly.reader_for(settings), output, start, end)
    publish("report-page", lambda: f"Report written to `{written}`.", "Where the report page is")
    return written


def _summary(account: RunAccount, settings: Settings) -> str:
    return summary_markdown(gather(assembly.reader_for(settings), account.start, account.end), account)
