"""Turn a trained checkpoint into a model folder: calibrate, export, choose limits, score, write ``model.json``."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from adverse_events.classification.classify import ade_probability
from adverse_events.classification.embedded import GRAPHS, EmbeddedClassifier
from adverse_events.classification.model_folder import MANIFEST, ModelManifest
from adverse_events.corpus.channel import Channel, read_channel
from adverse_events.corpus.manifest import sha256_of, verify
from adverse_events.corpus.reading import read_labelled
from adverse_events.errors import UsageError
from adverse_events.evaluation.scores import score
from adverse_events.training.calibration import calibration_report, fit_temperature
from adverse_events.training.export import export
from adverse_events.training.metrics import report
from adverse_events.training.predicting import predict, softmax
from adverse_events.training.thresholds import choose_threshold, choose_thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from adverse_events.training.metrics import Scored

PAIR = 2
"""With two classes, one limit decides."""


def release(
    checkpoint: Path,
    output: Path,
    *,
    name: str,
    corpus: Path,
    recipe: Mapping[str, Any] | None = None,
    test: Mapping[str, Path] | None = None,
) -> ModelManifest:
    """Write the model folder of a trained checkpoint.

    Temperature and limits are chosen on the validation texts of `corpus`; the limits with the shipped arithmetic, so
    that what is scored is what is served.

    Args:
        checkpoint: What the training entry point saved.
        output: Folder to write; what it holds is replaced.
        name: Short name of the model.
        corpus: Prepared corpus, whose manifest and validation texts are used.
        recipe: What was done beside the training run, for the record.
        test: Labelled files by source, scored after everything is chosen, and only to be reported.

    Returns:
        The manifest written.

    Raises:
        UsageError: The checkpoint is not one of the entry point's, or the corpus is not prepared.
        ContractError: An architecture that cannot be exported, or a corpus that changed.
    """
    frozen = verify(corpus)
    metrics = _metrics(checkpoint)
    labels, max_length = tuple(metrics["labels"]), int(metrics["recipe"]["max_length"])
    channels = read_channel(corpus / "validation", labels)
    judged = _judged(checkpoint, channels, max_length)
    temperature = fit_temperature(judged)

    shutil.rmtree(output, ignore_errors=True)
    export(checkpoint, output, max_length=max_length, temperature=temperature)
    shutil.copy(checkpoint / "tokenizer.json", output / "tokenizer.json")
    draft = ModelManifest(
        name=name,
        labels=labels,
        max_length=max_length,
        ade_threshold=0.5,
        temperature=temperature,
        sha256={file: sha256_of(output / file) for file in (*GRAPHS.values(), "weights.bin", "tokenizer.json")},
        recipe={**metrics["recipe"], **(recipe or {})},
        data=frozen.model_dump(mode="json"),
        scores={},
    )
    _write(draft, output)
    shipped = EmbeddedClassifier(output)
    scored = {each.name: (np.array(each.labels), _probabilities(shipped, each.texts)) for each in channels}
    threshold = choose_threshold(scored)
    scores: dict[str, Any] = {
        "validation": report(scored, threshold),
        "calibration": calibration_report(judged, {each.name: each.texts for each in channels}, temperature),
        "agreement_with_float32": _agreement(judged, scored, temperature, threshold),
    }
    if test:
        scores["test"] = {source: _score_file(shipped, path, labels, threshold) for source, path in test.items()}
    manifest = draft.model_copy(
        update={
            "ade_threshold": threshold,
            "thresholds": choose_thresholds(scored, labels) if len(labels) > PAIR else {},
            "scores": scores,
        }
    )
    _write(manifest, output)
    return manifest


def _metrics(checkpoint: Path) -> dict[str, Any]:
    path = checkpoint / "metrics.json"
    if not path.is_file():
        msg = f"{checkpoint} holds no metrics.json; name what ade train or the training entry point saved"
        raise UsageError(msg)
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _judged(
    checkpoint: Path, channels: list[Channel], max_length: int
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return labels and float32 logits by source."""
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    return {each.name: (np.array(each.labels), predict(model, tokenizer, each.texts, max_length)) for each in channels}


def _probabilities(classifier: EmbeddedClassifier, texts: list[str]) -> NDArray[np.float64]:
    """Return what is stored with a row: the last class's probability as the classify station rounds it."""
    said = classifier.probabilities(texts)
    return np.column_stack([said[:, :-1].astype(np.float64), ade_probability(said)])


def _agreement(judged: Scored, scored: Scored, temperature: float, threshold: float) -> dict[str, Any]:
    """Compare decisions of the shipped arithmetic with those of the checkpoint in float32."""
    equal, lost = {}, {}
    for name, (labels, probabilities) in scored.items():
        reference = softmax(judged[name][1] / temperature)
        equal[name] = (probabilities[:, -1] >= threshold) == (reference[:, -1] >= threshold)
        lost[name] = score(labels, reference, threshold)["f1"] - score(labels, probabilities, threshold)["f1"]
    everything = np.concatenate(list(equal.values()))
    return {
        **{name: float(each.mean()) for name, each in equal.items()},
        "all": float(everything.mean()),
        "n_texts": len(everything),
        "f1_lost": lost,
    }


def _score_file(
    classifier: EmbeddedClassifier, path: Path, labels: tuple[str, ...], threshold: float
) -> dict[str, float]:
    frame = read_labelled(path, labels=labels)
    truth = np.array([labels.index(label) for label in frame["label"]])
    return score(truth, _probabilities(classifier, frame["text"].tolist()), threshold)


def _write(manifest: ModelManifest, output: Path) -> None:
    (output / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
