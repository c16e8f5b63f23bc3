"""What the coder must reach on the shipped gold set, and whether it does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from adverse_events.coding.evaluation.counts import HELD
from adverse_events.coding.evaluation.splits import FRESH, MET, SEEN, UNSEEN

if TYPE_CHECKING:
    from adverse_events.coding.evaluation.result import Evaluation

_AT_LEAST = (
    (UNSEEN, "coded", 0.60),
    (FRESH, "coded", 0.60),
    (SEEN, "accuracy@1:full", 0.95),
    (HELD, "role_f1_micro", 0.90),
    (HELD, "trait:NEGATION:f1", 0.90),
)
_AT_MOST = ((UNSEEN, "wrong_codes", 0.03), (FRESH, "wrong_codes", 0.03))
_PROBE_RIGHT, _PROBE_WRONG = 26, 0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        split: Where it is measured.
        score: What is measured.
        value: What was measured.
        limit: Bound.
        is_floor: The bound is a lower one.
    """

    split: str
    score: str
    value: float
    limit: float
    is_floor: bool

    @property
    def is_met(self) -> bool:
        """Whether the value is on the right side of the bound."""
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def to_json(self) -> dict[str, Any]:
        """Return the bar as JSON values."""
        return {**asdict(self), "is_met": self.is_met}


def bars(evaluation: Evaluation) -> list[Bar]:
    """Return the bars whose split was measured, in the order in which they matter."""
    listed = [(*bar, False) for bar in _AT_MOST] + [(*bar, True) for bar in _AT_LEAST]
    measured = [
        Bar(split, name, value, limit, is_floor)
        for split, name, limit, is_floor in listed
        if split in evaluation.splits
        and (split != FRESH or MET in evaluation.splits)
        and (value := evaluation.splits[split].scores[name].value) is not None
    ]
    probed = evaluation.checks.get("probe")
    if probed:
        measured.append(Bar("probe", "right", probed["right"], _PROBE_RIGHT, is_floor=True))
        measured.append(Bar("probe", "wrong", probed["wrong"], _PROBE_WRONG, is_floor=False))
    return measured
