"""The measured figures as Markdown tables, for the page of the coder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.coding.evaluation.bars import bars
from adverse_events.coding.evaluation.counts import ALL, HELD
from adverse_events.coding.evaluation.page import CLASSES, CODE_SCORES, WHOLE_SCORES, number, plain, shown_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adverse_events.coding.evaluation.result import Evaluation
    from adverse_events.coding.evaluation.scores import Score

_KINDS = ("precision", "recall", "f1")
BEGIN, END = "<!-- figures: {command} -->", "<!-- end of figures -->"


def markdown(result: Evaluation) -> str:
    """Return the figures of `result` as Markdown, one table after the other, each below its title."""
    groups = shown_groups(result)
    whole = [group for group in (HELD, ALL) if group in result.splits]
    parts = [
        (
            f"Measured on `{result.coder_version}`, ICD-10-CM {result.icd10cm_release}: {result.posts:,} posts, "
            f"{result.splits[ALL].mentions:,} conditions. Brackets hold 95 % intervals."
        ),
        "### Bars",
        _table(
            ("what", "measured on", "value", "bar", "met"),
            [
                (
                    plain(bar.score),
                    plain(bar.split),
                    number(bar.value),
                    f"{'at least' if bar.is_floor else 'at most'} {number(bar.limit)}",
                    "yes" if bar.is_met else "**no**",
                )
                for bar in bars(result)
            ],
        ),
        "### Codes",
        _table(
            ("", *map(plain, groups)),
            [
                ("conditions", *(f"{result.splits[group].mentions:,}" for group in groups)),
                *(
                    (plain(score), *(_shown(result.splits[group].scores[score]) for group in groups))
                    for score in CODE_SCORES
                ),
                ("mean risk over the coverage reached", *(number(result.splits[group].mean_risk) for group in groups)),
            ],
        ),
        "### Beside two baselines",
        _baselines(result, groups),
        "### Spans, events, roles and traits",
        _table(
            ("", *map(plain, whole)),
            [
                (plain(score), *(_shown(result.splits[group].scores[score]) for group in whole))
                for score in WHOLE_SCORES
            ],
        ),
        _table(
            (plain(whole[0]), "precision", "recall", "F1"),
            [
                (plain(name), *(_shown(result.splits[whole[0]].scores[f"{name}:{kind}"]) for kind in _KINDS))
                for name in CLASSES
            ],
        ),
    ]
    for name, check in result.checks.items():
        parts += [f"### Check: {plain(name)}", _table(("", ""), _check_rows(check))]
    return "\n\n".join(parts) + "\n"


def with_figures(page: str, figures: str, command: str) -> str:
    """Return `page` with what stands between the marks `BEGIN` and `END` replaced by `figures`.

    Args:
        page: Markdown that holds both marks once.
        figures: What `markdown` returned.
        command: Reproduces them; written into the first mark.

    Raises:
        ValueError: A mark is missing.
    """
    begin = page.index(BEGIN.split("{", maxsplit=1)[0])
    end = page.index(END)
    return f"{page[:begin]}{BEGIN.format(command=command)}\n\n{figures}\n{page[end:]}"


def _baselines(result: Evaluation, groups: Sequence[str]) -> str:
    if not result.baselines:
        return f"Not measured: {result.baselines_skipped}."
    shown = ("coded", "accuracy@1:full", "wrong_codes")
    return _table(
        ("way", "split", *map(plain, shown)),
        [
            (way, plain(group), *(_shown(splits[group].scores[score]) for score in shown))
            for way, splits in {"this coder": result.splits, **result.baselines}.items()
            for group in groups
            if group in splits
        ],
    )


def _check_rows(check: dict[str, object]) -> Iterable[tuple[str, str]]:
    for name, value in check.items():
        if isinstance(value, dict):
            yield plain(name), ", ".join(f"{plain(inner)} {number(one)}" for inner, one in value.items())
        elif isinstance(value, int | float):
            yield plain(name), number(value)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def _shown(score: Score) -> str:
    if score.value is None or score.low is None or score.high is None:
        return number(score.value)
    return f"{score.value:.3f} ({score.low:.2f} to {score.high:.2f})"
