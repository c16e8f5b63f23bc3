"""Invented models and evaluations for the registry, its gate and its cards."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from adverse_events.classification.model_folder import MANIFEST, ModelManifest, read_manifest
from adverse_events.registry.evaluation import Evaluation, parse_evaluation

if TYPE_CHECKING:
    from pathlib import Path

LABELS = ("NOT_ADE", "ADE")
DATA = hashlib.sha256(b"texts").hexdigest()


def model_folder(folder: Path, weights: str = "first", **changed: Any) -> Path:
    """Write a model folder whose files hold no model, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"model.onnx": b"graph", "weights.bin": weights.encode()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest: dict[str, Any] = {
        "name": "invented",
        "labels": LABELS,
        "max_length": 64,
        "ade_threshold": 0.5,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "recipe": {"learning_rate": 0.001, "bf16": True, "model_name": "sha256:ab", "source_weights": "a|b=2"},
        "data": {"train/tweets.csv": {"n_rows": 10, "n_positive": 3, "sha256": "cd" * 32}},
        "scores": {"agreement_with_float32": {"all": 0.998, "n_texts": 1000}},
    }
    (folder / MANIFEST).write_text(ModelManifest.model_validate({**manifest, **changed}).model_dump_json())
    return folder


def scores(f1: float | None = 0.7, half: float = 0.05, **changed: Any) -> dict[str, Any]:
    """Return the scores of one source; F1 and average precision are equal, their intervals f1 -+ half."""
    interval = None if f1 is None else [max(f1 - half, 0), min(f1 + half, 1)]
    return {
        "n": 400,
        "n_positive": 0 if f1 is None else 60,
        "precision": f1,
        "recall": f1,
        "f1": f1,
        "average_precision": f1,
        "ece": 0.02,
        "brier": 0.05,
        "threshold": 0.5,
        "intervals": {"f1": interval, "average_precision": interval},
        "confusion": {"labels": LABELS, "counts": [[330, 10], [20, 40]]},
        **changed,
    }


def evaluation(folder: Path, sources: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """Return the evaluation of a model folder as the command writes it."""
    manifest = read_manifest(folder)
    by_source = sources if sources is not None else {"tweets": scores()}
    capability = {"n": 40, "accuracy": 0.9, "interval": [0.77, 0.96]}
    return {
        "format": 1,
        "model": {
            "version": manifest.version,
            "name": manifest.name,
            "labels": manifest.labels,
            "max_length": manifest.max_length,
            "ade_threshold": manifest.ade_threshold,
            "temperature": 1.2,
        },
        "data": {"path": "somewhere/texts.csv", "sha256": DATA, "n_rows": 400},
        "sources": by_source,
        "all": next(iter(by_source.values()), None),
        "capabilities": {"overall": 0.9, "n": 40, "by_capability": {"negation": capability}},
        "comparison": None,
        **changed,
    }


def as_bytes(document: dict[str, Any]) -> bytes:
    """Return an evaluation as it lies in a file."""
    return json.dumps(document).encode()


def parsed(document: dict[str, Any]) -> Evaluation:
    """Return an evaluation as the gate reads it."""
    return parse_evaluation(as_bytes(document), "evaluation")
