"""`ade tune`: a search over hyperparameters on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ade import terminal
from ade.exits import DONE
from ade.files import written
from adverse_events.corpus.manifest import verify
from adverse_events.errors import UsageError
from adverse_events.training.local_tuner import LocalTuner
from adverse_events.training.tracking import MlflowTracker, TrackingSettings
from adverse_events.training.tuning import Budget, SearchSpace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from adverse_events.training.tuning import Trial, TuningResult

BEST = "best.json"


def tune(
    corpus: Path,
    output: Path,
    *,
    space: Mapping[str, Any],
    budget: Mapping[str, Any],
    baseline: Mapping[str, Any],
    fixed: Sequence[str],
    tracking: str | None,
    as_json: bool,
) -> int:
    """Search and print every trial, the baseline first; returns the exit code.

    Args:
        corpus: What `ade corpus` wrote.
        output: Folder of the search; the same folder goes on with it.
        space: Fields of `SearchSpace`.
        budget: Fields of `Budget`.
        baseline: Hyperparameters to beat; those left out are the middle of what is searched.
        fixed: ``NAME=VALUE`` of every trial.
        tracking: MLflow store that keeps every trial; None keeps none.
        as_json: Print JSON.

    Raises:
        UsageError: A corpus or option that cannot be used.
        PermanentServiceError: No trial ended.
    """
    labels = verify(corpus).labels
    try:
        searched, limits = SearchSpace(**space), Budget(**budget)
    except ValidationError as error:
        msg = f"{'.'.join(map(str, error.errors()[0]['loc']))}: {error.errors()[0]['msg']}".lstrip(": ")
        raise UsageError(msg) from error
    given = dict(_pair(pair) for pair in fixed)
    settings = TrackingSettings(uri=tracking) if tracking else None
    tuner = LocalTuner(
        output,
        fixed={"labels": ",".join(labels), **given},
        tracker=(lambda name: MlflowTracker(settings, name)) if settings else None,
        told=_tell,
    )
    result = tuner.search(corpus, searched, {**_middle(searched), **baseline}, limits)
    with written(output / BEST) as file:
        file.write(json.dumps({"arguments": result.arguments, "best": asdict(result.best)}, indent=2) + "\n")
    if as_json:
        terminal.show_json({"trials": [asdict(each) for each in result.trials], "best": asdict(result.best)})
    else:
        _show(result, corpus, output)
    return DONE


def _middle(space: SearchSpace) -> dict[str, Any]:
    low, high = space.learning_rate
    return {
        "learning_rate": (low * high) ** 0.5,
        "max_length": space.max_length[len(space.max_length) // 2],
        "batch_size": space.batch_size[len(space.batch_size) // 2],
        "model_name": space.model_name[-1],
    }


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        msg = f"--set {text!r} is not NAME=VALUE, such as epochs=3"
        raise UsageError(msg)
    return name.strip().replace("-", "_"), value.strip()


def _tell(trial: Trial) -> None:
    said = f"{trial.objective:.4f}" if trial.objective is not None else trial.reason or "fell behind"
    terminal.note(f"trial {trial.number}: {trial.state}, {said}")


def _show(result: TuningResult, corpus: Path, output: Path) -> None:
    terminal.show_table(
        ("trial", "F1 on validation", "state", "learning rate", "length", "batch", "model", "seconds"),
        [
            (
                f"{trial.number}{' (baseline)' if trial is result.baseline else ''}",
                "-" if trial.objective is None else f"{trial.objective:.4f}",
                trial.state,
                f"{trial.parameters['learning_rate']:.2e}",
                trial.parameters["max_length"],
                trial.parameters["batch_size"],
                trial.parameters["model_name"],
                f"{trial.seconds:.0f}",
            )
            for trial in result.trials
        ],
    )
    flags = " ".join(f"--set {name}={value}" for name, value in result.arguments.items() if name != "model-name")
    terminal.show_line(f"best: trial {result.best.number}, written to {output / BEST}")
    terminal.show_line(
        f"{terminal.program()} train {corpus} --output FOLDER --model-name {result.arguments['model-name']} {flags}"
    )
