"""What happened in a registry, line by line; where an alias points is read from it, so that the two cannot differ.

The file only ever grows. It is replaced as a whole at each line, so that a process killed while it writes leaves the
line there or not, never half of it. Who did something is not kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ValidationError

from adverse_events.errors import ContractError
from adverse_events.lake.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Alias = Literal["candidate", "champion"]
CANDIDATE: Alias = "candidate"
CHAMPION: Alias = "champion"
ALIASES: tuple[Alias, ...] = (CANDIDATE, CHAMPION)

FILE = "history.jsonl"


class Event(BaseModel, frozen=True, extra="forbid"):
    """One line.

    Attributes:
        at: When, UTC.
        event: ``registered``: a version came in. ``moved``: an alias was set. ``rolled_back``: an alias was set back.
        alias: The alias that moved; None for a registration.
        before: Version the alias pointed to; None where it pointed to none.
        after: Version it points to now, or that came in.
        reason: In words, as given.
    """

    at: datetime
    event: Literal["registered", "moved", "rolled_back"]
    alias: Alias | None = None
    before: str | None = None
    after: str
    reason: str = ""


def read(folder: Path) -> list[Event]:
    """Return every event of the registry in `folder`, oldest first; none where there is no registry.

    Raises:
        ContractError: A line that is no event, by its number.
    """
    path = folder / FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    events = []
    for number, line in enumerate(lines, start=1):
        try:
            events.append(Event.model_validate_json(line))
        except ValidationError as error:
            detail = "the line is no event of a registry; the file was edited: restore it"
            raise ContractError(str(path), detail, (str(number),)) from error
    return events


def append(folder: Path, event: Event) -> None:
    """Add one line; whoever calls holds the registry's lock."""
    path = folder / FILE
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    write_whole(path, f"{before}{event.model_dump_json()}\n")


def pointed_to(events: Iterable[Event], alias: Alias) -> list[str]:
    """Return the versions an alias points to and would fall back to, the one in force last.

    Setting an alias puts a version on top; rolling back takes the top one off, so that rolling back twice goes two
    steps back and not to and fro.
    """
    stack: list[str] = []
    for event in events:
        if event.alias != alias:
            continue
        if event.event == "rolled_back":
            stack.pop()
        else:
            stack.append(event.after)
    return stack


def registered_at(events: Sequence[Event]) -> dict[str, datetime]:
    """Return when each version first came in, UTC."""
    found: dict[str, datetime] = {}
    for event in events:
        if event.event == "registered":
            found.setdefault(event.after, event.at)
    return found
