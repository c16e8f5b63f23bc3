"""The commands for deletions and their flags."""

# ruff: noqa: PLC0415 - a command imports its work when it is called, so that `ade --help` need not wait for it

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ade.options import AsJson, Assignments, Strict, assigned


class Reason(StrEnum):
    """Why a post may no longer be kept."""

    DELETED = "deleted"
    PROTECTED = "protected"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    WITHHELD = "withheld"
    USER_REQUEST = "user_request"


ReasonOption = Annotated[
    Reason, typer.Option(metavar="REASON", help="Reason of entries that give none: " + ", ".join(Reason) + ".")
]
LakeOption = Annotated[
    str | None, typer.Option(metavar="DIR", help="Folder of the lake or s3:// address; default: lake.path setting.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", metavar="", help="Say what would go, and change nothing.")]
AsStored = Annotated[
    bool, typer.Option("--as-stored", metavar="", help="Ids are given as a signal-mode lake stores them: hashed.")
]
ReportOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Report page to write anew; an older one may still show the posts.")
]


def comply(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Ids to delete: text, CSV, JSON lines or Parquet.", show_default=False),
    ] = None,
    *,
    ask_x: Annotated[
        bool, typer.Option("--x", metavar="", help="Ask X which of the posts held are gone (batch compliance).")
    ] = False,
    held: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ids to ask X about; default: the lake's in case mode, else the source's."),
    ] = None,
    reason: ReasonOption = Reason.USER_REQUEST,
    as_stored: AsStored = False,
    dry_run: DryRun = False,
    lake: LakeOption = None,
    report: ReportOption = None,
    assignments: Assignments = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Take deleted posts out of the lake, and keep them out: no later run can bring one back.

    Without a file and without --x, the posts on the suppression list are looked for once more.
    """
    from ade.deletions import Wanted
    from ade.deletions import comply as work

    wanted = Wanted(
        deletions=None if file is None else str(file),
        ask_x=ask_x,
        held=None if held is None else str(held),
        reason=reason.value,
        as_stored=as_stored,
        lake=lake,
        dry_run=dry_run,
        report=None if report is None else str(report),
        options=assigned(assignments),
    )
    raise typer.Exit(work(wanted, strict=strict, as_json=as_json))


def forget(
    tweet_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the post.", show_default=False)],
    *,
    reason: ReasonOption = Reason.USER_REQUEST,
    as_stored: AsStored = False,
    dry_run: DryRun = False,
    lake: LakeOption = None,
    report: ReportOption = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Take one post out of the lake, and keep it out: as comply with a list of one."""
    from ade.deletions import Wanted
    from ade.deletions import forget as work

    wanted = Wanted(
        reason=reason.value,
        as_stored=as_stored,
        lake=lake,
        dry_run=dry_run,
        report=None if report is None else str(report),
        options=assigned(assignments),
    )
    raise typer.Exit(work(tweet_id, wanted, as_json=as_json))
