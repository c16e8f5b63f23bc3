"""Fill the lake over a range: missing windows first, then stale ones; what is up to date is left alone."""

from datetime import datetime
from typing import Any

from prefect import flow

from adverse_events import assembly
from adverse_events.accounting import RunAccount
from adverse_events.settings import load_settings
from adverse_events.staging import workspace
from flows.row_path import assess
from tasks.blocks import aws_sessions, resolve
from tasks.catalog import refresh_catalog
from tasks.fetch import fetch_tweets
from tasks.plan import plan_backfill
from tasks.report import report_run
from tasks.station import keeps_result, station_runner
from tasks.write import write_undated


@flow(
    name="backfill-adverse-events",
    task_runner=station_runner(),
    persist_result=keeps_result(),
    result_serializer="json",
)
def backfill_adverse_events(
    start: datetime | None = None,
    end: datetime | None = None,
    source: str | None = None,
    lake: str | None = None,
    force: bool = False,  # noqa: FBT001, FBT002 - a form's checkbox
    options: dict[str, Any] | None = None,
) -> RunAccount:
    """Bring the windows of a range up to date.

    A killed backfill is resumed by running it again: finished windows are found up to date. A window is stale when
    the model, the coder, a lexicon, a setting or its input has changed since it was written.

    Args:
        start: First instant (UTC), on the window grid. Empty: every window the source holds.
        end: First instant after the range (UTC), on the window grid.
        source: File, folder or glob of posts. Empty: the source.path setting.
        lake: Folder of the lake. Empty: the lake.path setting.
        force: Work on every window of the range, up to date or not.
        options: Further settings by dotted name, such as {"classifier.ade_threshold": 0.7}.
    """
    settings = assembly.with_model_fixed(resolve(load_settings(options, {"source.path": source, "lake.path": lake})))

    with aws_sessions(), workspace() as folder:
        provenance = assembly.provenance_for(settings)
        spooled = fetch_tweets(settings, start, end, folder, None if force else provenance)
        plan = plan_backfill(spooled, settings, provenance, force=force)
        receipts = assess(plan.batches, settings, provenance)
        undated = write_undated(spooled, settings, provenance)
        account = report_run(spooled, receipts, undated, plan.rows_not_due, settings)
        refresh_catalog([*receipts, *undated], settings)  # last: should it fail, data and account stand
        return account
