"""The evaluation as one page: no server, no script, no request of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from adverse_events.coding.evaluation.bars import bars
from adverse_events.coding.evaluation.chapters import chapter_of
from adverse_events.coding.evaluation.counts import ALL, HELD
from adverse_events.coding.evaluation.gold import SCORED_TRAITS
from adverse_events.coding.evaluation.splits import FRESH, GROUPS, MET, UNSEEN
from adverse_events.coding.lexicon import ROLES

if TYPE_CHECKING:
    from adverse_events.coding.evaluation.curve import Point
    from adverse_events.coding.evaluation.result import Evaluation
    from adverse_events.coding.evaluation.scores import Score

CODE_SCORES = (
    "coded",
    "accuracy@1:full",
    "accuracy@1:category",
    "accuracy@1:chapter",
    "accuracy@5:full",
    "accuracy@5:category",
    "accuracy@5:chapter",
    "wrong_codes",
    "nil_abstained",
    "abstention_precision",
    "span_recall",
    "exact_span_recall",
)
WHOLE_SCORES = (
    "span_precision",
    "span_f1",
    "exact_span_precision",
    "exact_span_f1",
    "spurious_codes_per_post",
    "posts_without_conditions_coded",
    "event_precision",
    "event_recall",
    "event_f1",
    "role_f1_micro",
    "role_f1_macro",
    "trait_f1_macro",
)
CLASSES = (
    *(f"role:{role}" for role in sorted(ROLES)),
    *(f"trait:{trait}" for trait in sorted(SCORED_TRAITS)),
)

_NAMES = {
    "accuracy@1:full": "right, whole code",
    "accuracy@1:category": "right, category",
    "accuracy@1:chapter": "right, chapter",
    "accuracy@5:full": "among the best five, whole code",
    "accuracy@5:category": "among the best five, category",
    "accuracy@5:chapter": "among the best five, chapter",
    "nil_abstained": "left uncoded where no code is wanted",
    "abstention_precision": "abstentions that are right",
    "span_recall": "spans found",
    "exact_span_recall": "spans found exactly",
    "span_precision": "spans that overlap a condition",
    "exact_span_precision": "spans that are exactly a condition",
    "role_f1_micro": "role F1, pooled",
    "role_f1_macro": "role F1, mean of roles",
    "trait_f1_macro": "trait F1, mean of traits",
    "trait:NEGATION:f1": "negation F1",
    "posts_without_conditions_coded": "posts without a condition that got a code",
}
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 360, 56, 480, 16, 312
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_STYLES = (("--accent", ""), ("--accent", "5 4"), ("--second", ""), ("--bad", "2 3"))


@dataclass(frozen=True, slots=True)
class _Tick:
    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Line:
    """One curve of the plot, in its pixels."""

    name: str
    points: str
    last_x: float
    last_y: float
    label_x: float
    label_y: float
    colour: str
    dash: str


@dataclass(frozen=True, slots=True)
class _Plot:
    lines: list[_Line]
    ticks: list[_Tick]
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM


def render(result: Evaluation) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("adverse_events.coding.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(plain=plain, number=number, scored=_scored, chapter=chapter_of)
    template = environment.get_template("evaluation.html.j2")
    return template.render(
        result=result,
        bars=bars(result),
        splits=shown_groups(result),
        whole=[split for split in (HELD, ALL) if split in result.splits],
        code_scores=CODE_SCORES,
        whole_scores=WHOLE_SCORES,
        classes=CLASSES,
        roles=sorted({*ROLES, "UNKNOWN"}),
        ways={"this coder": result.splits, **result.baselines},
        plot=_plot(result),
    )


def shown_groups(result: Evaluation) -> list[str]:
    """Return the groups to show side by side; without a phrase that was met, fresh is unseen and not shown."""
    left_out = () if MET in result.splits else (FRESH,)
    return [group for group in (*GROUPS, ALL) if group in result.splits and group not in left_out]


def plain(name: str) -> str:
    """Return the name of a score, split, role or trait as people read it."""
    if name in _NAMES:
        return _NAMES[name]
    if name.endswith("_f1"):
        return f"{plain(name.removesuffix('_f1'))} F1"
    return name.removeprefix("role:").removeprefix("trait:").replace("_", " ").replace(":", " ")


def number(value: float | None) -> str:
    """Return a share with three digits, a count without any, and ``-`` for nothing."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _scored(score: Score | None) -> Markup:
    if score is None or score.value is None:
        return Markup("-")
    if score.low is None or score.high is None:
        return Markup("{:.3f}").format(score.value)
    return Markup("{:.3f} <small>({:.3f} to {:.3f})</small>").format(score.value, score.low, score.high)


def _plot(result: Evaluation) -> _Plot:
    shown = [split for split in (ALL, UNSEEN) if split in result.splits]
    curves = {f"coder, {plain(split)}": result.splits[split].curve for split in shown}
    curves |= {_short(name): splits[ALL].curve for name, splits in result.baselines.items() if "80" not in name}
    lines = [
        _line(name, points, colour, dash)
        for (name, points), (colour, dash) in zip(curves.items(), _STYLES, strict=False)
        if points
    ]
    return _Plot(lines, [_Tick(f"{at:.2f}", _x(at), _y(at)) for at in _TICKS])


def _short(name: str) -> str:
    return "by similarity" if "similarity" in name else "official terms"


def _line(name: str, points: list[Point], colour: str, dash: str) -> _Line:
    places = [(_x(0.0), _y(points[0].risk)), *((_x(point.coverage), _y(point.risk)) for point in points)]
    x, y = places[-1]
    drawn = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    return _Line(name, drawn, round(x, 1), round(y, 1), round(x + 8, 1), round(y - 4, 1), colour, dash)


def _x(coverage: float) -> float:
    return _LEFT + coverage * (_RIGHT - _LEFT)


def _y(risk: float) -> float:
    return _BOTTOM - risk * (_BOTTOM - _TOP)
