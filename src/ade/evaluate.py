"""`ade evaluate`: how good a model is, on labelled texts of one's own or on a prepared corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ade import terminal
from ade.exits import DONE
from ade.files import check_not_input, written
from adverse_events import assembly
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import starter_model
from adverse_events.evaluation.capabilities import load
from adverse_events.evaluation.data import read_data
from adverse_events.evaluation.evaluate import evaluate as work
from adverse_events.evaluation.page import SCORES, plain, render, shown_groups, with_interval
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STARTER = "starter"


def evaluate(
    model: str,
    data: Path,
    *,
    against: str | None,
    output: Path | None,
    columns: Mapping[str, Any],
    split: str,
    corpus: Path | None,
    with_capabilities: bool,
    n_draws: int,
    seed: int,
    as_json: bool,
) -> int:
    """Evaluate a model and print what was measured; returns the exit code.

    Args:
        model: Model folder, alias or version of the registry, or ``starter``.
        data: Labelled file, or a prepared corpus.
        against: Another model to compare with, likewise; None compares with none.
        output: Page to write; JSON where its name ends with .json; None writes none.
        columns: Columns and label map of a labelled file.
        split: Split of a prepared corpus.
        corpus: Prepared corpus that the model was trained on; overlaps are refused.
        with_capabilities: Ask the project's capability cases too.
        n_draws: Draws of the bootstrap.
        seed: Of the draws.
        as_json: Print the evaluation as JSON.

    Raises:
        UsageError: A file, column or split that is missing.
        ContractError: Texts or models that cannot be used, or texts that were trained on.
    """
    if output and data.is_file():
        check_not_input(output, data)
    classifier = EmbeddedClassifier(_folder(model))
    other = EmbeddedClassifier(_folder(against)) if against else None
    texts, facts = read_data(data, labels=classifier.labels, split=split, corpus=corpus, **columns)
    measured = work(
        classifier, texts, facts, against=other, cases=load() if with_capabilities else (), n_draws=n_draws, seed=seed
    )
    if output:
        with written(output) as file:
            file.write(terminal.as_json(measured) + "\n" if output.suffix == ".json" else render(measured))
    if as_json:
        terminal.show_json(measured)
    else:
        _show(measured)
        if output:
            terminal.show_line(f"page {output.resolve()}")
    return DONE


def _folder(model: str) -> Path:
    if model == STARTER:
        return starter_model()
    return assembly.model_folder(load_settings({"classifier.model": model}))


def _show(measured: Mapping[str, Any]) -> None:
    model, groups = measured["model"], shown_groups(measured)
    terminal.show_line(f"{model['version']}: {model['labels'][-1]} from {model['ade_threshold']:g} on")
    terminal.show_table(
        ("source", "texts", model["labels"][-1], *map(plain, SCORES)),
        [
            (name, scores["n"], scores["n_positive"], *(with_interval(scores, key) for key in SCORES))
            for name, scores in groups.items()
        ],
    )
    for name, scores in groups.items():
        if "undefined" in scores:
            terminal.note(f"{name}: {scores['undefined']}")
    terminal.show_table(
        ("source", "recall", "limit", "read of 1,000 at 20 %", "at 7 %", "at 1.8 %"),
        [
            (
                name,
                f"{point['recall']:.2f}",
                f"{point['threshold']:.3f}",
                *(f"{point['load_per_1000'][share]:.0f}" for share in ("0.2", "0.07", "0.018")),
            )
            for name, scores in groups.items()
            for point in scores["operating_points"]
        ],
    )
    if measured["capabilities"]:
        found = measured["capabilities"]
        terminal.show_table(
            ("capability", "cases", "right"),
            [
                *(
                    (
                        plain(name),
                        each["n"],
                        f"{each['accuracy']:.3f} ({each['interval'][0]:.2f}-{each['interval'][1]:.2f})",
                    )
                    for name, each in found["by_capability"].items()
                ),
                ("all", found["n"], f"{found['overall']:.3f}"),
            ],
        )
    if measured["comparison"]:
        terminal.show_table(
            (f"minus {measured['comparison']['other']}", "F1", "worse", "average precision", "worse"),
            [(name, *_difference(each)) for name, each in measured["comparison"]["sources"].items()],
        )


def _difference(each: Mapping[str, Any]) -> tuple[str, ...]:
    if each["f1_difference"] is None:
        return ("-",) * 4
    f1, precision = each["interval"], each["average_precision_interval"]
    return (
        f"{each['f1_difference']:+.3f} ({f1[0]:+.2f} to {f1[1]:+.2f})",
        f"{each['p_worse']:.2f}",
        f"{each['average_precision_difference']:+.3f} ({precision[0]:+.2f} to {precision[1]:+.2f})",
        f"{each['average_precision_p_worse']:.2f}",
    )
