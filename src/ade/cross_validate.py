"""`ade cross-validate`: how good a recipe is on the training texts themselves, by document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ade import terminal
from ade.exits import DONE
from ade.train import argument
from adverse_events.training.checkpoint import check_base
from adverse_events.training.crossfit import SCORES, cross_validate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COLUMNS = ("precision", "recall", "f1", "best_f1", "average_precision", "ece")


def run(
    corpus: Path,
    output: Path,
    *,
    model_name: str,
    folds: int,
    seed: int,
    hyperparameters: Sequence[str],
    as_json: bool,
) -> int:
    """Cross-validate and print the scores by source; returns the exit code.

    Args:
        corpus: What `ade corpus` wrote.
        output: Folder of the cross-validation; the same one goes on.
        model_name: Pretrained checkpoint: a name on the hub or a folder.
        folds: Parts, each held out once.
        seed: Chooses other parts.
        hyperparameters: ``NAME=VALUE`` of the training entry point.
        as_json: Print JSON.

    Raises:
        UsageError: An option, corpus or checkpoint that cannot be used.
        ContractError: Texts that cannot be used, or a loss that is no number.
    """
    check_base(model_name)
    given = [part for pair in hyperparameters for part in argument(pair)]
    result = cross_validate(corpus, output, ["--model-name", model_name, *given], folds=folds, seed=seed)
    if as_json:
        terminal.show_json(result)
        return DONE
    terminal.show_line(
        f"{folds} models, each scored on documents it has not seen; an ADE from {result['threshold']:g} on"
    )
    terminal.show_table(
        ("source", "texts", *(column.replace("_", " ") for column in COLUMNS), "95 % of f1"),
        [
            (
                source,
                f"{n_texts:,}",
                *(f"{result['scores'][source][column]:.3f}" for column in COLUMNS),
                "{:.3f}-{:.3f}".format(*result["intervals"][source]["f1"]),
            )
            for source, n_texts in result["n_texts"].items()
        ],
    )
    terminal.show_line(f"{output / SCORES}: to learn from, --set teacher-scores={output / SCORES}")
    return DONE
