"""An evaluation as one page: no server, no script, no request of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCORES: Final = ("precision", "recall", "f1", "average_precision", "ece", "brier")
NAMES: Final = {
    "f1": "F1",
    "average_precision": "average precision",
    "ece": "calibration error",
    "brier": "Brier score",
}
TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_SIZE, _LEFT, _TOP = 300, 44, 12


@dataclass(frozen=True, slots=True)
class Picture:
    """A square plot of shares against shares, in the page's coordinates.

    Attributes:
        line: Points of a curve, as SVG takes them.
        dots: Centre and radius of each dot.
    """

    line: str
    dots: tuple[tuple[float, float, float], ...] = ()


def render(evaluation: Mapping[str, Any]) -> str:
    """Return the page of an evaluation (`evaluate.evaluate`); it holds no text."""
    environment = Environment(
        loader=PackageLoader("adverse_events.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = plain
    environment.filters["number"] = number
    environment.filters["scored"] = with_interval
    groups = shown_groups(evaluation)
    return environment.get_template("evaluation.html.j2").render(
        evaluation=evaluation,
        model=evaluation["model"],
        groups=groups,
        score_names=SCORES,
        pr={name: pr_picture(scores["curves"]["pr"]) for name, scores in groups.items() if scores["curves"]["pr"]},
        reliability={name: reliability_picture(scores["curves"]["reliability"]) for name, scores in groups.items()},
        ticks=[(tick, _x(tick), _y(tick)) for tick in TICKS],
        box={"size": _SIZE, "left": _LEFT, "top": _TOP, "right": _x(1), "bottom": _y(0)},
    )


def shown_groups(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores by source, and those of all together where there is more than one source."""
    sources = dict(evaluation["sources"])
    return {**sources, "all": evaluation["all"]} if len(sources) > 1 else sources


def plain(name: str) -> str:
    """Return a score's or capability's name in words."""
    return NAMES.get(name, name.replace("_", " "))


def number(value: float | None) -> str:
    """Return three decimals, or a dash where there is no value."""
    return "-" if value is None else f"{value:.3f}"


def with_interval(scores: Mapping[str, Any], key: str) -> str:
    """Return a score with its interval, such as ``0.571 (0.45-0.68)``."""
    value, bounds = scores.get(key), scores.get("intervals", {}).get(key)
    return number(value) if value is None or bounds is None else f"{value:.3f} ({bounds[0]:.2f}-{bounds[1]:.2f})"


def pr_picture(curve: Sequence[tuple[float, float]]) -> Picture:
    """Return the curve of precision (upwards) by recall (to the right)."""
    return Picture(" ".join(f"{_x(recall):.1f},{_y(precision):.1f}" for recall, precision in curve))


def reliability_picture(bins: Sequence[tuple[float, float, int]]) -> Picture:
    """Return the dots of observed share (upwards) by mean probability; every bin holds about as many texts."""
    dots = tuple((round(_x(mean), 1), round(_y(rate), 1), 4.0) for mean, rate, _ in bins)
    return Picture(" ".join(f"{x},{y}" for x, y, _ in dots), dots)


def _x(share: float) -> float:
    return _LEFT + share * (_SIZE - _LEFT - 12)


def _y(share: float) -> float:
    return _TOP + (1 - share) * (_SIZE - _TOP - 40)
