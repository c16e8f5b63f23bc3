"""What the gate says of a candidate, check by check."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.classification.model_folder import ModelManifest
    from adverse_events.registry.evaluation import Evaluation


@dataclass(frozen=True)
class Contender:
    """A model as the gate sees it.

    Attributes:
        manifest: Its manifest.
        evaluations: Its evaluations, one per file of labelled texts.
    """

    manifest: ModelManifest
    evaluations: Sequence[Evaluation]

    @property
    def version(self) -> str:
        """Name and content hash."""
        return self.manifest.version


@dataclass(frozen=True)
class Reason:
    """One check.

    Attributes:
        check: What was checked.
        source: Source of the texts, or capability; empty for what concerns the model itself.
        candidate: The candidate's value; None where there is none.
        champion: The champion's value; None where there is none.
        passed: Whether the candidate may pass, as far as this goes.
        text: Why, in words.
    """

    check: str
    source: str
    candidate: float | str | None
    champion: float | str | None
    passed: bool
    text: str


@dataclass(frozen=True)
class GateVerdict:
    """What the gate says of a candidate; it passed where every check did.

    Attributes:
        candidate: Its version.
        champion: The champion's version; None where there is none yet.
        reasons: Every check, passed or not.
    """

    candidate: str
    champion: str | None
    reasons: tuple[Reason, ...]

    @property
    def passed(self) -> bool:
        """Whether the candidate may replace the champion."""
        return all(reason.passed for reason in self.reasons)

    @property
    def refusals(self) -> tuple[Reason, ...]:
        """The checks that it did not pass."""
        return tuple(reason for reason in self.reasons if not reason.passed)

    def to_json(self) -> dict[str, Any]:
        """Return the verdict for programs."""
        reasons = [asdict(reason) for reason in self.reasons]
        return {"passed": self.passed, "candidate": self.candidate, "champion": self.champion, "reasons": reasons}
