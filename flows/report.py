"""Write the report page of the last days, or of a range."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from adverse_events.settings import load_settings
from tasks.blocks import resolve
from tasks.report import write_report_page


@flow(name="report-adverse-events", persist_result=False)
def report_adverse_events(
    lake: str | None = None,
    output: str = "report.html",
    days: Annotated[int, Field(ge=0, le=3660)] = 0,
) -> Path:
    """Write one self-contained page of what the lake holds: counts, series, drugs, conditions, masked positives.

    Args:
        lake: Folder of the lake. Empty: the lake.path setting.
        output: File to write.
        days: Report the days before the scheduled time, 0-3660; 0: everything in the lake.
    """
    settings = resolve(load_settings({"lake.path": lake}))
    end: datetime | None = flow_run.scheduled_start_time if days else None
    start = end - timedelta(days=days) if end else None
    return write_report_page(settings, Path(output), start, end)
