"""Arguments of a training run: hyperparameters, and paths whose defaults are SageMaker's ``SM_*`` variables.

A training job passes every hyperparameter as ``--name value``, a switch as ``--name true``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.corpus.reading import LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CHECKPOINTS = "/opt/ml/checkpoints"
"""Where a SageMaker job's checkpoints are kept across interruptions of a spot instance."""

PATHS = ("train", "validation", "model_dir", "checkpoint_dir", "output_data_dir", "teacher_scores", "extra_texts")


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> argparse.Namespace:
    """Read the arguments; one that is out of range or missing ends the program with a message, as argparse does."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__, allow_abbrev=False)
    _add_paths(parser, environment)
    _add_model(parser)
    _add_optimisation(parser)
    _add_loss(parser)
    _add_sampling(parser)
    options = parser.parse_args(arguments)
    for name in ("train", "validation", "model_dir"):
        if getattr(options, name) is None:
            variable = {"model_dir": "SM_MODEL_DIR"}.get(name, f"SM_CHANNEL_{name.upper()}")
            parser.error(f"--{name.replace('_', '-')} is not given and {variable} is not set")
    return options


def _add_paths(parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
    def default(variable: str, otherwise: str | None = None) -> Path | None:
        value = environment.get(variable, otherwise)
        return Path(value) if value else None

    group = parser.add_argument_group("paths")
    group.add_argument(
        "--train", type=Path, default=default("SM_CHANNEL_TRAIN"), help="folder of CSV files, one per source"
    )
    group.add_argument(
        "--validation", type=Path, default=default("SM_CHANNEL_VALIDATION"), help="likewise; what is chosen on"
    )
    group.add_argument("--model-dir", type=Path, default=default("SM_MODEL_DIR"), help="where the model is saved")
    group.add_argument(
        "--output-data-dir", type=Path, default=default("SM_OUTPUT_DATA_DIR"), help="metrics.json goes here too"
    )
    group.add_argument(
        "--checkpoint-dir",
        type=Path,
        default=default("SM_CHECKPOINT_DIR", CHECKPOINTS),
        help="an interrupted run goes on from here",
    )
    group.add_argument(
        "--teacher-scores",
        type=_paths,
        default=(),
        help="FILE.npz,...: scores of teachers by text, as ade cross-validate writes them; learn from their mean too",
    )
    group.add_argument("--extra-texts", type=Path, help="CSV of further training texts; the label may be empty")


def _add_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument("--model-name", required=True, help="pretrained checkpoint: a name on the hub or a folder")
    group.add_argument("--labels", type=_labels, default=LABELS, help="classes, the one looked for last: NOT_ADE,ADE")
    group.add_argument("--max-length", type=_whole(8), default=128, help="tokens; longer texts are cut")
    group.add_argument("--dropout", type=_share, default=0.1)


def _add_optimisation(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("optimisation")
    group.add_argument("--epochs", type=_above(0), default=4.0)
    group.add_argument("--batch-size", type=_whole(1), default=32)
    group.add_argument("--learning-rate", type=_above(0), default=1.5e-4)
    group.add_argument("--warmup-ratio", type=_share, default=0.1)
    group.add_argument("--weight-decay", type=_share, default=0.01)
    group.add_argument("--average-decay", type=_share, default=0.0, help="moving average of weights; 0: none")
    group.add_argument(
        "--patience", type=_whole(0), default=0, help="epochs without a better F1 before stopping; 0: all"
    )
    group.add_argument("--save-steps", type=_whole(0), default=0, help="steps between checkpoints; 0: every epoch")
    group.add_argument(
        "--bf16", type=_switch, nargs="?", const=True, default=None, help="bfloat16; default: where the machine has it"
    )
    group.add_argument("--seed", type=_whole(0), default=13)


def _add_loss(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("loss")
    group.add_argument("--label-smoothing", type=_share, default=0.05)
    group.add_argument("--focal-gamma", type=_at_least(0), default=0.0, help="focal loss; 0: cross-entropy")
    group.add_argument("--class-weights", choices=("none", "balanced"), default="none")
    group.add_argument("--r-drop", type=_at_least(0), default=0.0, help="weight of the R-Drop term")
    group.add_argument("--distil-weight", type=_share, default=0.8, help="weight of the teachers against the label")
    group.add_argument("--distil-temperature", type=_above(0), default=1.5)


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sampling")
    group.add_argument("--source-weights", type=_weights, default={}, help="NAME=N,...: take a source's texts N times")
    group.add_argument("--oversample", type=_at_least(1), default=1.0, help="take rare classes up to N times")


def _labels(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if len(names) < 2 or len(set(names)) < len(names):  # noqa: PLR2004 - a choice needs two
        msg = f"{text!r} must name two or more different classes"
        raise argparse.ArgumentTypeError(msg)
    return names


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(part.strip()) for part in text.split(",") if part.strip())


def _weights(text: str) -> dict[str, float]:
    weights = {}
    for pair in filter(None, text.split(",")):
        name, equals, value = pair.partition("=")
        try:
            weights[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not (equals and name.strip() and weights[name.strip()] >= 0):
            msg = f"{pair!r} is not NAME=N, with N a number of at least 0"
            raise argparse.ArgumentTypeError(msg)
    return weights


def _switch(text: str) -> bool:
    match text.casefold():
        case "true" | "1" | "yes":
            return True
        case "false" | "0" | "no":
            return False
    msg = f"{text!r} is neither true nor false"
    raise argparse.ArgumentTypeError(msg)


def _share(text: str) -> float:
    return _number(text, lambda value: 0 <= value < 1, "from 0 to below 1")


def _above(limit: float) -> Callable[[str], float]:
    return lambda text: _number(text, lambda value: value > limit, f"above {limit}")


def _at_least(limit: float) -> Callable[[str], float]:
    return lambda text: _number(text, lambda value: value >= limit, f"at least {limit}")


def _whole(limit: int) -> Callable[[str], int]:
    return lambda text: int(
        _number(text, lambda value: value >= limit and value == int(value), f"a whole number of at least {limit}")
    )


def _number(text: str, is_fine: Callable[[float], bool], wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (abs(value) < float("inf") and is_fine(value)):
        msg = f"{text!r} is not {wanted}"
        raise argparse.ArgumentTypeError(msg)
    return value
