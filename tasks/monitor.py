"""Watching the runs under a flow: what was found is published, and told to whoever waits for it."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.errors import UsageError
from adverse_events.monitoring import Watch, measure, newest, watch
from tasks.station import announce, publish, station

if TYPE_CHECKING:
    from datetime import datetime

    from adverse_events.settings import Settings

logger = logging.getLogger("adverse_events.monitor")

WITHIN, CROSSED = "adverse-events.monitor.within", "adverse-events.monitor.crossed"
"""Names of the Prefect events."""


@station("watch")
def watch_runs(settings: Settings, end: datetime | None) -> Watch:
    """Hold the days before `end` (None: before the end of the last window there is) against those before them."""
    assembly.check_lake(settings)
    reader = assembly.reader_for(settings)
    bounds = settings.monitor
    last = end or newest(reader)
    if last is None:
        msg = f"{settings.lake.path} holds no window yet; run ade detect first"
        raise UsageError(msg)
    middle = last - timedelta(days=bounds.days)
    first = middle - timedelta(days=bounds.reference_days)
    current = measure(reader, middle, last, around=(first, last))
    watched = watch(current, measure(reader, first, middle, around=(first, last)), bounds)
    for crossing in watched.crossings:
        logger.warning("%s: %s", crossing.what, crossing.detail)
    _tell(watched)
    return watched


def _tell(watched: Watch) -> None:
    publish("monitor", lambda: _summary(watched), "Whether the last days are like those before")
    days = watched.current.model_dump(mode="json", include={"start", "end"})
    found = watched.model_dump(mode="json", include={"values", "crossings", "notes"})
    announce(CROSSED if watched.crossings else WITHIN, "adverse-events.lake", {**days, **found})


def _summary(watched: Watch) -> str:
    verdict = "\n".join(f"- **{crossing.what}**: {crossing.detail}" for crossing in watched.crossings)
    notes = "\n".join(f"- {note}" for note in watched.notes)
    rows = "\n".join(
        f"| {name.replace('_', ' ')} | {getattr(watched.current, name):,} | {getattr(watched.reference, name):,} |"
        for name in ("n_windows", "rows_in", "rows_assessed", "rows_positive", "rows_rejected", "n_units")
    )
    values = "\n".join(f"| {name} | {value:.3f} |" for name, value in watched.values.items())
    start, end = (moment.strftime("%Y-%m-%d %H:%M") for moment in (watched.current.start, watched.current.end))
    return (
        f"{start} to {end} UTC\n\n{verdict or 'Within all bounds.'}\n\n{notes}\n\n"
        f"| | these days | before |\n| --- | ---: | ---: |\n{rows}\n\n| | |\n| --- | ---: |\n{values}\n"
    )
