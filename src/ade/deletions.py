"""`ade comply` and `ade forget`: run the flow, show what went."""

from __future__ import annotations

import importlib
import json
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ade import checkout, terminal
from ade.exits import strictly
from adverse_events import assembly
from adverse_events.errors import UsageError
from adverse_events.progress import listening
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adverse_events.compliance.comply import ComplianceAccount

WINDOWS_SHOWN = 50


@dataclass(frozen=True)
class Wanted:
    """What the user asked for; the fields are the flow's parameters."""

    deletions: str | None = None
    ask_x: bool = False
    held: str | None = None
    reason: str = "user_request"
    as_stored: bool = False
    lake: str | None = None
    dry_run: bool = False
    report: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def comply(wanted: Wanted, *, strict: bool, as_json: bool) -> int:
    """Run the flow and print its account; returns the exit code.

    Raises:
        UsageError: No lake there, no such file.
    """
    settings = load_settings(wanted.options, {"lake.path": wanted.lake})
    if not settings.lake.needs_block:
        assembly.check_lake(settings)
    for name in (wanted.deletions, wanted.held):
        if name and not Path(name).is_file():
            msg = f"{name}: no such file; give a file of post ids"
            raise UsageError(msg)
    checkout.enter("comply")
    with terminal.progress(quiet=as_json) as advance, listening(advance):
        flow_runs = importlib.import_module("ade.flow_runs")
        account, url = flow_runs.run_compliance(asdict(wanted))
    if as_json:
        terminal.show_json({**account.to_json(), "lake": str(settings.lake.path), "flow_run_url": url})
    else:
        _show(account, settings.lake.path)
        terminal.note(f"recorded: {url}" if url else "no Prefect server is configured: no record of this run")
    return strictly(strict=strict, n_rejects=account.n_malformed)


def forget(tweet_id: str, wanted: Wanted, *, as_json: bool) -> int:
    """As `comply`, for one id: by way of a private file, so that no server keeps the id as a run's parameter."""
    if not tweet_id.strip():
        msg = "the id is empty; give the id of one post"
        raise UsageError(msg)
    with tempfile.TemporaryDirectory(prefix="adverse-events-forget-") as folder:
        path = Path(folder) / "one.jsonl"
        path.write_text(json.dumps({"id": tweet_id}) + "\n", encoding="utf-8")
        return comply(replace(wanted, deletions=str(path)), strict=True, as_json=as_json)


def _show(account: ComplianceAccount, lake: str) -> None:
    would = "would go" if account.is_dry_run else "went"
    rows = [
        ("ids listed", account.n_listed),
        ("  new on the suppression list", account.n_new),
        ("  found in the lake", account.n_in_lake),
        ("  not in the lake", account.n_listed - account.n_in_lake),
        (f"rows that {would}", sum(account.by_reason.values())),
        *((f"  {reason.replace('_', ' ')}", n) for reason, n in account.by_reason.items()),
        (f"rejects that {would}", sum(place.n_rejects for place in account.forgotten)),
        (f"duplicates that {would}", sum(place.n_duplicates for place in account.forgotten)),
        ("windows looked through", account.n_places),
        ("windows affected", len(account.forgotten)),
        ("posts on the suppression list", account.n_suppressed),
    ]
    terminal.show_table(("", "count"), rows)
    if account.is_dry_run and account.forgotten:
        shown = account.forgotten[:WINDOWS_SHOWN]
        terminal.show_table(
            ("where", "rows", "rejects", "duplicates"),
            [(place.what, sum(place.deleted.values()), place.n_rejects, place.n_duplicates) for place in shown],
        )
        if len(account.forgotten) > len(shown):
            terminal.note(f"and {len(account.forgotten) - len(shown):,} more windows; --json lists them all")
    for line in account.malformed:
        terminal.note(f"passed over: {line}")
    if account.n_malformed > len(account.malformed):
        terminal.note(f"and {account.n_malformed - len(account.malformed):,} more lines that name no post")
    if account.n_kept_posts:
        terminal.note(f"{account.n_kept_posts:,} entries ask only for a post's place; none is stored as it was written")
    if account.n_due:
        windows = terminal.counted(account.n_due, "window")
        terminal.note(f"{windows} lost a post that stood for duplicates: assess them again with ade backfill")
    if account.is_dry_run:
        terminal.show_line(f"nothing was changed in {lake}")
    else:
        terminal.show_line(f"the lake {lake} is without them; report pages written before are not")
