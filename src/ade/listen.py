"""`ade listen`: listen to X's stream until Ctrl-C or SIGTERM, then say what that came to."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from ade import checkout, terminal
from ade.exits import DONE
from adverse_events.assembly import live
from adverse_events.settings import load_settings
from adverse_events.source.archive import LANDING

if TYPE_CHECKING:
    from collections.abc import Mapping


def listen(lake: str | None, minutes: float, options: Mapping[str, Any], *, as_json: bool) -> int:
    """Run the flow to its end and print its account; returns the exit code.

    Args:
        lake: Folder of the lake; None takes the setting.
        minutes: End after so many; 0: when told to.
        options: Further settings by dotted name.
        as_json: Print one JSON document.

    Raises:
        UsageError: A setting cannot be, or there is no token.
    """
    settings = load_settings(options, {"source.path": LANDING, "lake.path": lake})
    live.check_token(settings.x)
    rules = live.rules_for(settings)
    checkout.enter("listen")
    if not as_json:
        place = settings.landing.table or settings.landing.path
        how = "Ctrl-C ends it" if not minutes else f"it ends after {minutes:g} minutes, or with Ctrl-C"
        terminal.show_line(f"listening with {terminal.counted(len(rules), 'rule')}; posts land in {place}; {how}")
    # Not before now: it imports Prefect, which takes seconds.
    flow_runs = importlib.import_module("ade.flow_runs")
    # After Prefect has arranged its logging: a listener runs for days, and says here what it meets.
    logging.getLogger("adverse_events.listen").addHandler(_Notes(logging.WARNING))
    account, url = flow_runs.run_to_end("listen", {"lake": lake, "minutes": minutes, "options": dict(options)})
    if as_json:
        terminal.show_json({**account, "lake": str(settings.lake.path), "flow_run_url": url})
    else:
        terminal.show_table(("", ""), list(lines(account)))
        terminal.show_line(f"the lake is {settings.lake.path}")
        terminal.note(f"recorded: {url}" if url else "no Prefect server is configured: no record of this run")
    return DONE


class _Notes(logging.Handler):
    """Shows what the listener warns of on standard error, a line each."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        terminal.note(record.getMessage())


def lines(account: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of a listener's account, for people."""
    shown = []
    for name, value in account.items():
        words = name.removesuffix("_ms").replace("_", " ")
        if isinstance(value, dict):
            shown += [(f"{words} after, {label}", f"{ms:,} ms") for label, ms in value.items() if ms is not None]
        else:
            shown.append((words, f"{value:,}"))
    return shown
