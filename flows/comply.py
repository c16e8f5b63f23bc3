"""Take what people deleted out of the lake, for good."""

from pathlib import Path
from typing import Any, Literal

from prefect import flow

from adverse_events.compliance.comply import ComplianceAccount
from adverse_events.settings import load_settings
from adverse_events.staging import workspace
from tasks.blocks import aws_sessions, resolve
from tasks.comply import ask_x_what_is_gone, forget_posts
from tasks.report import write_report_page


@flow(name="comply-with-deletions", persist_result=False)
def comply_with_deletions(
    deletions: str | None = None,
    ask_x: bool = False,  # noqa: FBT001, FBT002 - a form's checkbox
    held: str | None = None,
    reason: Literal["deleted", "protected", "suspended", "deactivated", "withheld", "user_request"] = "user_request",
    as_stored: bool = False,  # noqa: FBT001, FBT002 - as above
    lake: str | None = None,
    dry_run: bool = False,  # noqa: FBT001, FBT002 - as above
    report: str | None = None,
    options: dict[str, Any] | None = None,
) -> ComplianceAccount:
    """Put deleted posts on the suppression list and rewrite the windows that hold one.

    With neither a list nor X, the whole list there is is looked for once more: what came back from a backup goes again.
    Killed half-way and run again, it comes to the same.

    Args:
        deletions: File of ids to delete: text, CSV, JSON lines or Parquet, with a reason each or without.
        ask_x: Ask X by batch compliance jobs which of the posts held are gone.
        held: File of the ids X is asked about. Empty: the lake's in case mode, those of source.path in signal mode.
        reason: Reason of entries that give none.
        as_stored: The file gives ids as a signal-mode lake stores them, that is hashed.
        lake: Folder of the lake. Empty: the lake.path setting.
        dry_run: Say what would go, and change nothing.
        report: Report page to write anew afterwards: an older one may still show the posts.
        options: Further settings by dotted name.
    """
    settings = resolve(load_settings(options, {"lake.path": lake}))

    with aws_sessions(), workspace() as folder:
        lists = [Path(deletions)] if deletions else []
        if ask_x:
            lists.append(ask_x_what_is_gone(settings, held, folder))
        account = forget_posts(settings, lists, reason=reason, as_stored=as_stored, dry_run=dry_run)
        if report and not dry_run:
            write_report_page(settings, Path(report), None, None)
        return account
