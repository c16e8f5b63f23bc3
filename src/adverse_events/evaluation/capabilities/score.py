"""How many cases a model decides right, by capability."""

from __future__ import annotations

from collections import defaultdict
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from adverse_events.classification.classify import ade_probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.classification.embedded import EmbeddedClassifier
    from adverse_events.evaluation.capabilities.cases import Case

BAR_OVERALL: Final = 0.90
BAR_EACH: Final = 0.75
_Z: Final = 1.959964
"""Half-width of a 95 % interval in standard deviations."""


def score_capabilities(model: EmbeddedClassifier, cases: Sequence[Case]) -> dict[str, Any]:
    """Return overall share right, n, and by capability n, accuracy, its 95 % interval (Wilson) and the ids that failed.

    Args:
        model: Decides at its own limit; its last class is ADE.
        cases: What it is asked.
    """
    found = ade_probability(model.probabilities([case.text for case in cases]))
    right: defaultdict[str, list[bool]] = defaultdict(list)
    failed: defaultdict[str, list[str]] = defaultdict(list)
    for case, probability in zip(cases, found, strict=True):
        is_right = (probability >= model.ade_threshold) == (case.label == "ADE")
        right[case.capability].append(bool(is_right))
        if not is_right:
            failed[case.capability].append(case.case_id)
    everything = [each for answers in right.values() for each in answers]
    return {
        "overall": sum(everything) / len(everything),
        "n": len(everything),
        "by_capability": {
            name: {
                "n": len(answers),
                "accuracy": sum(answers) / len(answers),
                "interval": wilson(sum(answers), len(answers)),
                "failed": failed[name],
            }
            for name, answers in right.items()
        },
    }


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927), 0-1."""
    share, spread = hits / n, _Z**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
