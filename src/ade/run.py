"""`ade detect` and `ade backfill`: check what was asked, run the flow, show the account."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ade import checkout, terminal
from ade.exits import PARTLY, strictly
from adverse_events import assembly
from adverse_events.progress import listening
from adverse_events.settings import load_settings
from adverse_events.windows import windows_between

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ade.flow_runs import FlowRun
    from adverse_events.accounting import RunAccount
    from adverse_events.settings import Settings

Flow = Literal["detect", "backfill"]


@dataclass(frozen=True)
class Asked:
    """What the user asked a flow to do.

    Attributes:
        source: File, folder or glob; None takes the setting.
        lake: Folder; None takes the setting.
        start: First instant, UTC; None, as `end`, takes everything.
        end: First instant after.
        options: Further settings by dotted name.
        force: Backfill only: work on windows that are up to date, too.
    """

    source: str | None = None
    lake: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False

    @property
    def settings(self) -> Settings:
        """The settings the flow will find.

        Raises:
            UsageError: An unknown name or a value that does not fit.
        """
        return load_settings(self.options, {"source.path": self.source, "lake.path": self.lake})

    def parameters(self, flow: Flow) -> dict[str, Any]:
        """Return the flow's parameters."""
        parameters = {
            "start": self.start,
            "end": self.end,
            "source": self.source,
            "lake": self.lake,
            "options": dict(self.options),
        }
        return {**parameters, "force": self.force} if flow == "backfill" else parameters


def run(flow: Flow, asked: Asked, *, strict: bool, as_json: bool) -> int:
    """Run `flow` and print its account; returns the exit code."""
    started = time.perf_counter()
    settings = checked(asked)
    done = flow_run(flow, asked, quiet=as_json)
    if as_json:
        terminal.show_json({**done.account.to_json(), "lake": str(settings.lake.path), "flow_run_url": done.url})
    else:
        show_account(done.account)
        show_record(done)
        seconds = time.perf_counter() - started
        terminal.show_line(f"done in {seconds:.0f} s; the lake is {settings.lake.path}")
    if done.account.n_windows_not_read:
        return PARTLY
    return strictly(strict=strict, n_rejects=done.account.rows_rejected)


def checked(asked: Asked) -> Settings:
    """Return the settings in force, after refusing now what the flow would only refuse seconds later.

    Raises:
        UsageError: A setting, the source or the range cannot be.
    """
    settings = asked.settings
    assembly.check_source(settings, asked.start, asked.end)
    if asked.start and asked.end:
        windows_between(asked.start, asked.end, settings.window_minutes)
    return settings


def flow_run(flow: Flow, asked: Asked, *, quiet: bool) -> FlowRun:
    """Run `flow` from the checkout, with progress on a terminal unless `quiet`.

    Args:
        flow: Which one.
        asked: Its parameters.
        quiet: Draw no progress.
    """
    checkout.enter(flow)
    with terminal.progress(quiet=quiet) as advance, listening(advance, None if quiet else terminal.note):
        # Not before now: it imports Prefect, which takes seconds.
        flow_runs = importlib.import_module("ade.flow_runs")
        done: FlowRun = flow_runs.run_flow(flow, asked.parameters(flow))
    return done


def show_account(account: RunAccount) -> None:
    """Print where every row went."""
    terminal.show_table(("", "rows", "of read"), _account_rows(account))
    if account.start and account.end:
        unchanged = f", {account.n_windows_unchanged:,} of them unchanged" if account.n_windows_unchanged else ""
        windows, events = terminal.counted(account.n_windows, "window"), terminal.counted(account.n_events, "event")
        terminal.show_line(
            f"{windows} from {account.start:%Y-%m-%dT%H:%MZ} to {account.end:%Y-%m-%dT%H:%MZ}{unchanged}; "
            f"{events} in positive posts"
        )
    else:
        terminal.show_line("no window to write")
    if account.why_not_read:
        windows = terminal.counted(account.n_windows_not_read, "window")
        terminal.note(f"{windows} of the range not read: {account.why_not_read}")
    for service, n_units in account.billable_units.items():
        terminal.note(f"{terminal.counted(n_units, 'unit')} billed by {service}")
    if account.rows_gone:
        gone = terminal.counted(account.rows_gone, "input")
        terminal.note(
            f"{gone} of an earlier run are no longer there: a window is replaced whole; keep one lake per source"
        )


def show_record(done: FlowRun) -> None:
    """Say where the run's record is."""
    terminal.note(f"recorded: {done.url}" if done.url else "no Prefect server is configured: no record of this run")


def _account_rows(account: RunAccount) -> Iterator[tuple[str, int, str]]:
    def line(name: str, n_rows: int) -> tuple[str, int, str]:
        return name, n_rows, f"{100 * n_rows / account.rows_read:.1f} %" if account.rows_read else ""

    yield line("read", account.rows_read)
    yield line("assessed", account.rows_assessed)
    yield line("  positive", account.rows_positive)
    yield line("screened out", account.rows_screened_out)
    yield from (line(f"  {_words(reason)}", n) for reason, n in account.screened_out.items())
    yield line("rejected", account.rows_rejected)
    yield from (line(f"  {_words(reason)}", n) for reason, n in account.rejected.items())
    yield from (line(f"not coded: {_words(reason)}", n) for reason, n in account.uncoded.items())
    if account.rows_out_of_range:
        yield line("outside the range", account.rows_out_of_range)
    if account.rows_not_due:
        yield line("in windows up to date", account.rows_not_due)


def _words(reason: str) -> str:
    return reason.replace("_", " ")
