"""`ade hydrate`: posts for a file of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ade import terminal
from ade.exits import DONE, PARTLY
from ade.x_parts import client_of
from adverse_events.errors import AccountingError, UsageError
from adverse_events.settings import load_settings
from adverse_events.source.files import format_of
from adverse_events.source.x.fields import fields_for
from adverse_events.source.x.hydration import REASONS, Hydration
from adverse_events.source.x.id_file import read_ids
from adverse_events.source.x.state import XState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from adverse_events.source.x.hydration import HydrationAccount


def hydrate(ids: Path, id_column: str | None, output: Path, options: Mapping[str, Any], *, as_json: bool) -> int:
    """Fetch the posts and print where every id went; returns the exit code.

    Args:
        ids: File of ids.
        id_column: Its column; found by its usual names when None.
        output: JSON lines to write, or to go on with.
        options: Settings.
        as_json: Print one JSON document.

    Raises:
        UsageError: No such file, no ids in it, no token, or an output that is not ours.
        ServiceError: X refuses or does not answer.
    """
    settings = load_settings(options)
    if format_of(output) != "jsonl" or output.suffix not in {".jsonl", ".ndjson"}:
        msg = f"{output}: the output is JSON lines that are appended to; let its name end in .jsonl"
        raise UsageError(msg)
    missing = output.with_name(f"{output.name}.missing.csv")
    with (
        client_of(settings, "hydrate", quiet=as_json) as client,
        XState(settings.x.state_place) as state,
        terminal.progress(quiet=as_json) as advance,
        Hydration(
            client, settings.x, state, output=output, missing=missing, fields=fields_for(settings.privacy)
        ) as hydration,
    ):
        account = hydration.run(read_ids(ids, id_column), lambda n_rows: advance("hydrate", n_rows))
    if not account.is_balanced:
        msg = f"{account.n_rows} rows were read and not all are accounted for; {output} is suspect"
        raise AccountingError(msg)
    if as_json:
        terminal.show_json({**account.to_json(), "output": str(output), "missing_file": str(missing)})
    else:
        terminal.show_table(("", "ids"), list(_rows(account)))
        terminal.show_line(f"posts are in {output}, ids without one in {missing}")
        terminal.note("the posts are whole and unmasked; ade detect masks them on their way into a lake")
        if account.why_left:
            terminal.note(f"not all were asked for: {account.why_left}")
    return PARTLY if account.n_left else DONE


def _rows(account: HydrationAccount) -> Iterator[tuple[str, int]]:
    yield "in the file", account.n_rows
    yield "found", account.n_found
    for reason, n_ids in sorted(account.missing.items()):
        yield f"{reason.replace('_', ' ')} ({REASONS[reason]})", n_ids
    if account.n_before:
        yield "done before", account.n_before
    if account.n_repeated:
        yield "repeated", account.n_repeated
    if account.n_left:
        yield "not asked for", account.n_left
