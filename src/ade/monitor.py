"""`ade monitor`: are the last days still like those before?"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ade import checkout, terminal
from ade.exits import DONE, FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from adverse_events.monitoring import Watch


def monitor(lake: str | None, end: datetime | None, options: Mapping[str, Any], *, as_json: bool) -> int:
    """Run the flow and print what was found; returns 0 within all bounds, else 1.

    Args:
        lake: Folder of the lake.
        end: First instant after the days to watch; None: the end of the last window there is.
        options: Settings by dotted name.
        as_json: Print one JSON document.

    Raises:
        UsageError: No lake there, or nothing in it.
    """
    checkout.enter("monitor")
    flow_runs = importlib.import_module("ade.flow_runs")
    asked = {"lake": lake, "end": end, "newest": end is None, "options": dict(options)}
    watched, url = flow_runs.run_to_end("monitor", asked)
    if as_json:
        terminal.show_json({**watched.model_dump(mode="json"), "flow_run_url": url})
    else:
        _show(watched)
    return FAILED if watched.crossings else DONE


def _show(watched: Watch) -> None:
    current, reference = watched.current, watched.reference
    terminal.show_line(
        f"{current.start:%Y-%m-%d %H:%M} to {current.end:%Y-%m-%d %H:%M} UTC, held against the {reference.days:g} days "
        "before"
    )
    terminal.show_table(
        ("", "these days", "before"),
        [
            (name.replace("_", " ").removeprefix("n "), f"{getattr(current, name):,}", f"{getattr(reference, name):,}")
            for name in ("n_windows", "rows_in", "rows_assessed", "rows_positive", "rows_rejected", "n_units")
        ],
    )
    terminal.show_table(("compared", "value"), [(name, f"{value:.3f}") for name, value in watched.values.items()])
    for note in watched.notes:
        terminal.note(note)
    for crossing in watched.crossings:
        terminal.show_line(f"{crossing.what}: {crossing.detail}")
    terminal.show_line("a bound is crossed" if watched.crossings else "within all bounds")
