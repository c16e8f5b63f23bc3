"""Detect adverse drug events in the posts of one window, of a range, or of everything a source holds."""

from datetime import datetime
from typing import Annotated, Any

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from adverse_events import assembly
from adverse_events.accounting import RunAccount
from adverse_events.settings import load_settings
from adverse_events.staging import workspace
from adverse_events.windows import closed_range
from flows.row_path import assess
from tasks.blocks import aws_sessions, resolve
from tasks.catalog import refresh_catalog
from tasks.fetch import fetch_tweets
from tasks.report import report_run
from tasks.station import keeps_result, station_runner
from tasks.write import write_undated


@flow(
    name="detect-adverse-events", task_runner=station_runner(), persist_result=keeps_result(), result_serializer="json"
)
def detect_adverse_events(
    start: datetime | None = None,
    end: datetime | None = None,
    source: str | None = None,
    lake: str | None = None,
    last_windows: Annotated[int, Field(ge=0, le=1000)] = 0,
    options: dict[str, Any] | None = None,
) -> RunAccount:
    """Flag, code and store the adverse drug events posted in a range of windows.

    One window is one partition: running a window again replaces it. Nothing is lost on the way: every row read is
    assessed, screened out with a reason, or rejected with a reason, or the run fails.

    Args:
        start: First instant (UTC), on the window grid. Empty: every window the source holds.
        end: First instant after the range (UTC), on the window grid.
        source: File, folder or glob of posts. Empty: the source.path setting.
        lake: Folder of the lake. Empty: the lake.path setting.
        last_windows: Process this many windows that are over at the scheduled time, 0-1000; 0: a range.
        options: Further settings by dotted name, such as {"classifier.ade_threshold": 0.7}.
    """
    settings = assembly.with_model_fixed(resolve(load_settings(options, {"source.path": source, "lake.path": lake})))
    if last_windows:
        start, end = closed_range(flow_run.scheduled_start_time, last_windows, settings.window_minutes)

    with aws_sessions(), workspace() as folder:
        provenance = assembly.provenance_for(settings)
        spooled = fetch_tweets(settings, start, end, folder)
        receipts = assess(spooled.batches, settings, provenance)
        undated = write_undated(spooled, settings, provenance)
        account = report_run(spooled, receipts, undated, 0, settings)
        refresh_catalog([*receipts, *undated], settings)  # last: should it fail, data and account stand
        return account
