"""What a check is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Permission(NamedTuple):
    """One IAM action and the resource it must be allowed on."""

    action: str
    resource: str = "*"

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


class Doubt(NamedTuple):
    """What was found works as far as it can be told, and still may not be what was meant."""

    found: str


@dataclass(frozen=True)
class Check:
    """One question, put to one part.

    Attributes:
        name: What is checked; unique.
        asked: What is asked, with the name of its object.
        examine: Asks it and returns what was found, or a doubt about it; raises `AdverseEventsError` or `OSError` for
            what is missing.
        remedy: What to do when it is missing for another reason than a permission.
        permissions: What asking takes.
        untried: What a run takes besides and nobody can try without changing something.
        needs: Names of the checks without which this one makes no sense.
    """

    name: str
    asked: str
    examine: Callable[[], str | Doubt]
    remedy: str = ""
    permissions: tuple[Permission, ...] = ()
    untried: tuple[Permission, ...] = ()
    needs: tuple[str, ...] = ()
