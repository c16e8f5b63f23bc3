"""Whether one score is worse than another by more than chance would make it.

The rule. With d = candidate minus champion and a 95 % interval of d, the candidate is worse beyond noise when d < 0 and

1. the whole interval lies below 0, however small the loss; or
2. d is below -`margin`, and the probability that the candidate is worse is above `probably_worse`.

The first alone would let a loss that matters through wherever a source is small, since its interval is wide; the second
refuses it while the evidence is fair and not yet beyond doubt. Where a model has no interval, noise is unknown and any
loss above the margin is refused. Equal scores pass, and so does a loss of exactly the margin under (2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

_Z = 1.959964
"""95 % of a normal distribution lies within so many standard deviations."""

_ROUNDING = 1e-9
"""0.84 - 0.85 is a little below -0.01 in binary."""


@dataclass(frozen=True)
class Difference:
    """A candidate's score minus a champion's, -1 to 1.

    Attributes:
        value: The difference.
        interval: Its 95 % interval; None where it is not known.
        p_worse: Probability that the candidate is worse, 0-1; None where it is not known.
        how: ``paired``: both on the same draws of texts. ``unpaired``: from either's own interval, which is wider than
            need be, for what is hard in a text is hard for both. ``bare``: no interval.
    """

    value: float
    interval: tuple[float, float] | None
    p_worse: float | None
    how: Literal["paired", "unpaired", "bare"]

    def __str__(self) -> str:
        parts = [f"{self.value:+.3f}"]
        if self.interval:
            parts.append(f"({self.interval[0]:+.3f} to {self.interval[1]:+.3f}, {self.how})")
        if self.p_worse is not None:
            parts.append(f"worse with probability {self.p_worse:.2f}")
        return ", ".join([" ".join(parts[:2]), *parts[2:]]) if self.interval else ", ".join(parts)


def unpaired(
    candidate: float,
    champion: float,
    candidate_interval: tuple[float, float] | None,
    champion_interval: tuple[float, float] | None,
) -> Difference:
    """Return the difference of two scores whose intervals were found apart.

    Args:
        candidate: Score, 0-1.
        champion: Score, 0-1.
        candidate_interval: 95 % interval of the candidate's score.
        champion_interval: 95 % interval of the champion's score.

    Source:
        Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10 and its generalisation to any two intervals
        (MOVER: Zou & Donner, Statistics in Medicine 27 (2008) 1693-1702).
    """
    value = candidate - champion
    if candidate_interval is None or champion_interval is None:
        return Difference(value, None, None, "bare")
    (low, high), (other_low, other_high) = candidate_interval, champion_interval
    below = math.hypot(max(candidate - low, 0), max(other_high - champion, 0))
    above = math.hypot(max(high - candidate, 0), max(champion - other_low, 0))
    return Difference(value, (value - below, value + above), _p_worse(value, above / _Z), "unpaired")


def paired(value: float, interval: tuple[float, float] | None, p_worse: float | None) -> Difference:
    """Return a difference found on the same draws of texts for both; without an interval it counts as bare."""
    if interval is None and p_worse is None:
        return Difference(value, None, None, "bare")
    if p_worse is None and interval is not None:
        p_worse = _p_worse(value, (interval[1] - interval[0]) / (2 * _Z))
    return Difference(value, interval, p_worse, "paired")


def is_worse(difference: Difference, *, margin: float, probably_worse: float) -> bool:
    """Return whether the candidate is worse beyond noise, by the rule at the head of this module.

    Args:
        difference: Candidate minus champion.
        margin: Loss that matters where it is probable, 0-1.
        probably_worse: Probability above which a loss is probable, 0-1; 1 leaves the second rule out.
    """
    if difference.value >= 0:
        return False
    if difference.interval is not None and difference.interval[1] < 0:
        return True
    matters = difference.value < -margin - _ROUNDING
    return matters and (difference.p_worse is None or difference.p_worse > probably_worse)


def _p_worse(value: float, deviation: float) -> float:
    """Return the probability that a normal variable around `value` is below 0."""
    if deviation <= 0:
        return 1.0 if value < 0 else 0.5 if value == 0 else 0.0
    return 0.5 * math.erfc(value / deviation / math.sqrt(2))
