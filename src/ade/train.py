"""`ade train`: a classifier from a prepared corpus, ready to serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ade import terminal
from ade.exits import DONE
from adverse_events.classification.model_folder import MANIFEST
from adverse_events.corpus.manifest import verify
from adverse_events.errors import UsageError
from adverse_events.training import entry_point
from adverse_events.training.checkpoint import check_base
from adverse_events.training.release import release
from adverse_events.training.tracking import MlflowTracker, TrackingSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adverse_events.classification.model_folder import ModelManifest

CHECKPOINT = "checkpoint"
INTERRUPTIBLE = "checkpoints"


def train(
    corpus: Path,
    output: Path,
    *,
    model_name: str,
    name: str | None,
    hyperparameters: Sequence[str],
    tracking: str | None,
    as_json: bool,
) -> int:
    """Train on a prepared corpus, release the model and print its scores; returns the exit code.

    ``output/model`` is the folder to serve, ``output/checkpoint`` what was trained. An interrupted run goes on when it
    is started again.

    Args:
        corpus: What `ade corpus` wrote.
        output: Folder to write.
        model_name: Pretrained checkpoint: a name on the hub or a folder.
        name: Short name of the model; the output folder's when None.
        hyperparameters: ``NAME=VALUE`` of the training entry point, such as ``epochs=3``.
        tracking: MLflow store that keeps the run too; None keeps none.
        as_json: Print the manifest as JSON.

    Raises:
        UsageError: An option, corpus or checkpoint that cannot be used, or an output that holds a model already.
        ContractError: Texts that cannot be used, or a loss that is no number.
    """
    if (output / "model" / MANIFEST).exists():
        msg = f"{output} holds a trained model already; name another --output"
        raise UsageError(msg)
    frozen = verify(corpus)
    check_base(model_name)
    given = [part for pair in hyperparameters for part in argument(pair)]
    checkpoint = output / CHECKPOINT
    tracker = MlflowTracker(TrackingSettings(uri=tracking), name or output.resolve().name) if tracking else None
    entry_point.main(
        [
            *("--train", str(corpus / "train"), "--validation", str(corpus / "validation")),
            *("--model-dir", str(checkpoint), "--checkpoint-dir", str(output / INTERRUPTIBLE)),
            *("--model-name", model_name, "--labels", ",".join(frozen.labels)),
            *given,
        ],
        tracker=tracker,
    )
    manifest = release(checkpoint, output / "model", name=name or output.resolve().name, corpus=corpus)
    if as_json:
        terminal.show_json(manifest.model_dump(mode="json"))
    else:
        _show(manifest)
        terminal.show_line(
            f"{(output / 'model').resolve()}: {terminal.program()} classify FILE --model {output / 'model'}"
        )
    return DONE


def argument(pair: str) -> tuple[str, str]:
    """Return a hyperparameter given as ``NAME=VALUE`` as the training entry point takes it.

    Raises:
        UsageError: It is not written so.
    """
    name, equals, value = pair.partition("=")
    if not (equals and name.strip()):
        msg = f"--set {pair!r} is not NAME=VALUE, such as epochs=3"
        raise UsageError(msg)
    return f"--{name.strip().replace('_', '-')}", value.strip()


def _show(manifest: ModelManifest) -> None:
    scores = manifest.scores["validation"]
    columns = ("precision", "recall", "f1", "average_precision", "ece")
    terminal.show_line(f"{manifest.version}: an ADE from {manifest.ade_threshold:g} on, on validation texts")
    terminal.show_table(
        ("source", *(column.replace("_", " ") for column in columns)),
        [(source, *(f"{values[column]:.3f}" for column in columns)) for source, values in scores.items()],
    )
    agreement = manifest.scores["agreement_with_float32"]
    terminal.show_line(f"int8 decides as float32 on {agreement['all']:.2%} of {agreement['n_texts']:,} texts")
