"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

AsJson = Annotated[
    bool, typer.Option("--json", metavar="", help="Print JSON for programs; errors are JSON on standard error.")
]
Strict = Annotated[bool, typer.Option("--strict", metavar="", help="Exit with 3 when inputs were rejected.")]
Start = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="First instant: 2026-03-01T00:00Z, or 2026-03-01 for that day's start in UTC."),
]
End = Annotated[
    str | None, typer.Option(metavar="TIME", help="First instant after the range, written as --start; itself outside.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set any setting by its dotted name; may be repeated."),
]

_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def moment(value: str | None, option: str) -> datetime | None:
    """Read a time given as `option`: ISO 8601 with a zone, or a bare date, which means its first instant in UTC.

    Raises:
        UsageError: Not ISO 8601, no such day, or a time of day without a zone.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{option} {value!r} is not a time; write 2026-03-01T00:00Z or 2026-03-01"
        raise UsageError(msg) from error
    if read.tzinfo is None and not _BARE_DATE.fullmatch(text):
        msg = f"{option} {value!r} has no time zone; write {text}Z for UTC, or an offset such as {text}+01:00"
        raise UsageError(msg)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def span(start: str | None, end: str | None) -> tuple[datetime | None, datetime | None]:
    """Read ``--start`` and ``--end``.

    Raises:
        UsageError: Only one is given, one is no time, or the end is not after the start.
    """
    first, last = moment(start, "--start"), moment(end, "--end")
    if (first is None) != (last is None):
        given, missing = ("--start", "--end") if last is None else ("--end", "--start")
        msg = f"{given} needs {missing} too; give neither to take everything"
        raise UsageError(msg)
    if first and last and last <= first:
        msg = f"--end {end} is not after --start {start}"
        raise UsageError(msg)
    return first, last


def assigned(assignments: Sequence[str] | None) -> dict[str, Any]:
    """Read ``--set NAME=VALUE`` options: by dotted name, the last one wins. A list or ``null`` is written as JSON.

    Raises:
        UsageError: One that has no name or no equals sign.
    """
    values: dict[str, Any] = {}
    for assignment in assignments or ():
        name, equals, value = assignment.partition("=")
        if not (equals and name.strip()):
            msg = f"--set {assignment!r} is not NAME=VALUE, such as classifier.ade_threshold=0.7"
            raise UsageError(msg)
        values[name.strip()] = _value(value.strip())
    return values


def _value(text: str) -> Any:
    if text == "null" or text.startswith(("[", "{")):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            msg = f"--set value {text!r} looks like JSON but is not: {error.msg} at character {error.pos + 1}"
            raise UsageError(msg) from error
    return text
