"""`ade evaluate-coder`: how good the condition coder is, on the shipped gold set or one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ade import terminal
from ade.files import check_not_input, written
from adverse_events import assembly
from adverse_events.coding.evaluation import baselines
from adverse_events.coding.evaluation.bars import bars
from adverse_events.coding.evaluation.corpora import check_effects, check_reviews
from adverse_events.coding.evaluation.counts import ALL, HELD
from adverse_events.coding.evaluation.evaluation import evaluate, measure_baselines
from adverse_events.coding.evaluation.figures import markdown
from adverse_events.coding.evaluation.gold import read_gold
from adverse_events.coding.evaluation.page import (
    CLASSES,
    CODE_SCORES,
    WHOLE_SCORES,
    number,
    plain,
    render,
    shown_groups,
)
from adverse_events.coding.evaluation.probe import probe
from adverse_events.coding.evaluation.shipped import load_shipped
from adverse_events.coding.evaluation.splits import Manifest
from adverse_events.errors import UsageError
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from adverse_events.coding.evaluation.gold import GoldPost
    from adverse_events.coding.evaluation.result import Evaluation
    from adverse_events.coding.evaluation.scores import Score

NO_VOCABULARY = "the official terms are not installed: pip install simple-icd-10-cm, or the development extra"
NOT_ASKED = "they were not asked for"


def evaluate_coder(
    gold: Path | None,
    *,
    split: str | None,
    output: Path | None,
    effects: Path | None,
    reviews: Path | None,
    with_baselines: bool,
    as_json: bool,
) -> int:
    """Evaluate the coder that the settings name and print what was measured; returns the exit code.

    Args:
        gold: Gold file of one's own; None for the shipped set, which alone has splits, bars and a probe.
        split: Print only this split's scores; None prints all.
        output: Page to write, Markdown tables where its name ends with .md; None writes none.
        effects: Corpus of formal sentences and the effects they state; None leaves that check out.
        reviews: Corpus of labelled review sentences; None leaves that check out.
        with_baselines: Measure the baselines too.
        as_json: Print JSON.

    Raises:
        UsageError: A file is missing, or there is nothing in the split asked for.
        ContractError: A file cannot be used.
        ServiceError: A remote coder failed.
    """
    _check_files(output, [path for path in (gold, effects, reviews) if path])
    settings = load_settings()
    coder, find_drugs = assembly.coder_for(settings), assembly.lexicon().find
    posts, manifest = (read_gold(gold), Manifest.empty()) if gold else load_shipped()
    measured = evaluate(posts, coder, find_drugs, manifest, settings.coding)
    if split and split not in measured.splits:
        msg = f"no condition is in the split {split}; a gold file of your own has none but {ALL}"
        raise UsageError(msg)
    checks: dict[str, dict[str, Any]] = {"probe": dict(probe(coder, settings.coding))} if gold is None else {}
    if effects:
        checks["formal effects"] = dict(check_effects(effects, coder, find_drugs, settings.coding))
    if reviews:
        checks["review roles"] = dict(check_reviews(reviews, coder, find_drugs, settings.coding))
    measured = replace(_with_baselines(measured, posts, manifest, is_asked=with_baselines), checks=checks)
    if output:
        with written(output) as page:
            page.write(markdown(measured) if output.suffix == ".md" else render(measured))
    if as_json:
        terminal.show_json(_json(measured, split))
    else:
        _show(measured, split)
        if output:
            terminal.show_line(f"page {output.resolve()}")
    return 0


def _check_files(output: Path | None, sources: Sequence[Path]) -> None:
    for path in sources:
        if not path.is_file():
            msg = f"{path}: no such file"
            raise UsageError(msg)
        if output:
            check_not_input(output, path)


def _with_baselines(
    measured: Evaluation, posts: Sequence[GoldPost], manifest: Manifest, *, is_asked: bool
) -> Evaluation:
    if not is_asked:
        return replace(measured, baselines_skipped=NOT_ASKED)
    if not baselines.is_available():
        return replace(measured, baselines_skipped=NO_VOCABULARY)
    terminal.note("measuring the baselines takes about a minute; --no-baselines leaves them out")
    return replace(measured, baselines=measure_baselines(posts, manifest))


def _json(measured: Evaluation, split: str | None) -> dict[str, Any]:
    kept = measured.to_json()
    if split:
        kept["splits"] = {split: kept["splits"][split]}
    return {**kept, "bars": [bar.to_json() for bar in bars(measured)]}


def _show(measured: Evaluation, split: str | None) -> None:
    splits = [split] if split else shown_groups(measured)
    whole = [name for name in (HELD, ALL) if name in measured.splits and split in {None, name}]
    terminal.show_line(
        f"{measured.coder_version}, ICD-10-CM {measured.icd10cm_release}: "
        f"{terminal.counted(measured.posts, 'post')}, {terminal.counted(measured.splits[ALL].mentions, 'condition')}"
    )
    terminal.show_table(
        ("codes", *map(plain, splits)),
        [
            ("conditions", *(measured.splits[name].mentions for name in splits)),
            *(_row(measured, splits, score) for score in CODE_SCORES),
        ],
    )
    if whole:
        terminal.show_table(
            ("spans, events, roles", *map(plain, whole)), [_row(measured, whole, score) for score in WHOLE_SCORES]
        )
        terminal.show_table(("role or trait", "split", "precision", "recall", "F1"), _class_rows(measured, whole))
    _show_ways(measured, splits)
    for name, check in measured.checks.items():
        terminal.show_table((plain(name), ""), list(_check_rows(check)))
    reached = bars(measured)
    if reached:
        terminal.show_table(
            ("bar", "measured on", "value", "bound", "met"),
            [
                (
                    plain(bar.score),
                    plain(bar.split),
                    number(bar.value),
                    f"{'at least' if bar.is_floor else 'at most'} {number(bar.limit)}",
                    "yes" if bar.is_met else "no",
                )
                for bar in reached
            ],
        )


def _show_ways(measured: Evaluation, splits: list[str]) -> None:
    if measured.baselines_skipped:
        terminal.note(f"baselines were left out: {measured.baselines_skipped}")
        return
    ways = {"this coder": measured.splits, **measured.baselines}
    terminal.show_table(
        ("way", "split", "coded", "right", "wrong codes"),
        [
            (
                way,
                plain(name),
                *(_shown(found[name].scores[score]) for score in ("coded", "accuracy@1:full", "wrong_codes")),
            )
            for way, found in ways.items()
            for name in splits
            if name in found
        ],
    )


def _row(measured: Evaluation, splits: list[str], score: str) -> tuple[str, ...]:
    return plain(score), *(_shown(measured.splits[name].scores[score]) for name in splits)


def _class_rows(measured: Evaluation, whole: list[str]) -> Iterator[tuple[str, ...]]:
    for name in CLASSES:
        for split in whole:
            scores = measured.splits[split].scores
            yield (
                plain(name),
                plain(split),
                *(_shown(scores[f"{name}:{kind}"]) for kind in ("precision", "recall", "f1")),
            )


def _check_rows(check: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in check.items():
        if isinstance(value, dict):
            yield plain(name), ", ".join(f"{plain(inner)} {number(one)}" for inner, one in value.items())
        else:
            yield plain(name), number(value)


def _shown(score: Score) -> str:
    if score.value is None or score.low is None or score.high is None:
        return "-"
    return f"{score.value:.3f} ({score.low:.2f}-{score.high:.2f})"
