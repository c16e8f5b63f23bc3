"""Hold the last days against those before, and tell when a bound is crossed."""

from datetime import datetime
from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from adverse_events.monitoring import Watch
from adverse_events.settings import load_settings
from adverse_events.windows import as_utc
from tasks.blocks import aws_sessions, resolve
from tasks.monitor import watch_runs


@flow(name="monitor-adverse-events", persist_result=False)
def monitor_adverse_events(
    lake: str | None = None,
    end: datetime | None = None,
    newest: bool = False,  # noqa: FBT001, FBT002 - a form's checkbox
    options: dict[str, Any] | None = None,
) -> Watch:
    """Compare scores, languages, drugs, positives, volume, rejects, time and cost of the last days with those before.

    Raises an event and publishes an artifact; writes nothing. A bound that is crossed does not fail the run.

    Args:
        lake: Folder of the lake. Empty: the lake.path setting.
        end: First instant after the days to watch. Empty: the scheduled time of the run.
        newest: Watch the last days that the lake holds instead, such as those of an archive.
        options: Further settings by dotted name, such as monitor.days.
    """
    settings = resolve(load_settings(options, {"lake.path": lake}))
    until = None if newest else end or flow_run.scheduled_start_time
    with aws_sessions():
        return watch_runs(settings, None if until is None else as_utc(until, "end"))
