"""Turn a trained checkpoint into a model folder: export, choose the threshold, score, write ``model.json``."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from adverse_events.classification.classify import ade_probability
from adverse_events.classification.embedded import GRAPHS, EmbeddedClassifier
from adverse_events.classification.model_folder import MANIFEST, ModelManifest
from adverse_events.training.corpus import read_labelled
from adverse_events.training.entry_point import LABELS, choose_threshold, score
from adverse_events.training.export import export

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

TEXTS_PER_CALL = 32


def release(
    checkpoint: Path, output: Path, *, name: str, corpus: Path, max_length: int, test: Mapping[str, Path] | None = None
) -> ModelManifest:
    """Write the model folder of a trained checkpoint.

    The threshold is chosen with the shipped arithmetic on the validation files of `corpus`, so that what
    is scored is what is served.

    Args:
        checkpoint: What the training entry point saved.
        output: Folder to write; what it holds is replaced.
        name: Short name of the model.
        corpus: Prepared corpus (`corpus.prepare`), for its manifest and validation files.
        max_length: Longest sequence served, tokens.
        test: CSV files by source, scored after everything is chosen, and only to be reported.

    Returns:
        The manifest written.
    """
    shutil.rmtree(output, ignore_errors=True)
    export(checkpoint, output, max_length=max_length)
    shutil.copy(checkpoint / "tokenizer.json", output / "tokenizer.json")
    metrics = json.loads((checkpoint / "metrics.json").read_text())
    draft = ModelManifest(
        name=name,
        labels=LABELS,
        max_length=max_length,
        ade_threshold=0.5,
        sha256={file: _sha256(output / file) for file in (*GRAPHS.values(), "weights.bin", "tokenizer.json")},
        recipe=_portable(metrics["recipe"]),
        data=json.loads((corpus / "manifest.json").read_text()),
        scores={},
    )
    _write(draft, output)
    shipped = EmbeddedClassifier(output)

    frames = {path.stem: read_labelled(path) for path in sorted((corpus / "validation").glob("*.csv"))}
    labels = {source: frame["label"].to_numpy() for source, frame in frames.items()}
    texts = {source: frame["text"].tolist() for source, frame in frames.items()}
    scored = {source: ade_probability(shipped.probabilities(texts[source])) for source in frames}
    threshold = choose_threshold({source: (labels[source], scored[source]) for source in frames})
    scores: dict[str, Any] = {
        "validation": {source: score(labels[source], scored[source], threshold) for source in frames},
        "agreement_with_float32": _agreement(checkpoint, texts, scored, threshold, max_length),
    }
    if test:
        scores["test"] = {source: _score_file(shipped, path, threshold) for source, path in test.items()}
    manifest = draft.model_copy(update={"ade_threshold": threshold, "scores": scores})
    _write(manifest, output)
    return manifest


def reference_probabilities(checkpoint: Path, texts: Sequence[str], max_length: int) -> NDArray[np.float64]:
    """Score `texts` with the checkpoint itself in float32, one probability (0-1) per text, same order."""
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    order = np.argsort([len(text) for text in texts], kind="stable")
    result = np.empty(len(texts))
    with torch.inference_mode():
        for start in range(0, len(order), TEXTS_PER_CALL):
            members = order[start : start + TEXTS_PER_CALL]
            encoded = tokenizer(
                [texts[i] for i in members], truncation=True, max_length=max_length, padding=True, return_tensors="pt"
            )
            result[members] = torch.softmax(model(**encoded).logits, dim=-1)[:, -1].numpy()
    return result


def _agreement(
    checkpoint: Path,
    texts: Mapping[str, Sequence[str]],
    scored: Mapping[str, NDArray[np.float64]],
    threshold: float,
    max_length: int,
) -> dict[str, float]:
    reference = {source: reference_probabilities(checkpoint, texts[source], max_length) for source in texts}
    equal = {s: float(np.mean((scored[s] >= threshold) == (reference[s] >= threshold))) for s in texts}
    everything = np.concatenate([(scored[s] >= threshold) == (reference[s] >= threshold) for s in texts])
    return {**equal, "all": float(np.mean(everything)), "n_texts": float(len(everything))}


def _score_file(classifier: EmbeddedClassifier, path: Path, threshold: float) -> dict[str, float]:
    frame = read_labelled(path)
    probabilities = ade_probability(classifier.probabilities(frame["text"].tolist()))
    return score(frame["label"].to_numpy(), probabilities, threshold)


def _portable(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Name a base checkpoint that is a local folder by the hash of its weights: paths mean nothing elsewhere."""
    weights = Path(recipe["model_name"]) / "model.safetensors"
    return {**recipe, "model_name": f"sha256:{_sha256(weights)}"} if weights.is_file() else dict(recipe)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(manifest: ModelManifest, output: Path) -> None:
    (output / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
