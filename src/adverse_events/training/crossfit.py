"""Cross-validation by document: every training text is scored by a model that has seen nothing of its document.

The scores say how good a recipe is without spending evaluation texts, and they teach: a model learns from them what is
doubtful about a label, where scores of a model that was trained on a text only repeat its label.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from adverse_events.corpus.keys import text_key
from adverse_events.corpus.manifest import verify
from adverse_events.corpus.overlap import clusters
from adverse_events.corpus.reading import read_labelled
from adverse_events.corpus.split import folds as folds_of
from adverse_events.errors import UsageError
from adverse_events.evaluation.intervals import intervals
from adverse_events.training import entry_point
from adverse_events.training.metrics import report
from adverse_events.training.options import parse
from adverse_events.training.predicting import predict, softmax
from adverse_events.training.run import data_of, recipe_of
from adverse_events.training.thresholds import choose_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SCORES: Final = "scores.npz"
REPORT: Final = "cross_validation.json"
LEAST: Final = 2


def cross_validate(
    corpus: Path, output: Path, arguments: Sequence[str], *, folds: int, seed: int = 0
) -> dict[str, Any]:
    """Train `folds` models, each without one part of the documents, and score the part that it has not seen.

    A fold that is finished is not trained again; one under way goes on from its last checkpoint.

    Args:
        corpus: A prepared corpus; its validation texts are where a fold's training stops early, if asked to.
        output: Folder to write: ``scores.npz``, as ``--teacher-scores`` takes it, and ``cross_validation.json``.
        arguments: Further arguments of the training entry point: ``--model-name`` and hyperparameters.
        folds: How many parts, 2 or more.
        seed: Chooses other parts.

    Returns:
        What ``cross_validation.json`` holds: scores by source with 95 % intervals, over all parts together, at the
        limit that is best for them (which flatters a little).

    Raises:
        UsageError: Too few folds, or an `output` of another cross-validation.
        ContractError: A corpus that changed, or a part without some class.
    """
    if folds < LEAST:
        msg = f"{folds} folds leave nothing to train on; choose {LEAST} or more"
        raise UsageError(msg)
    frozen = verify(corpus)
    frame = _texts(corpus, frozen.labels)
    frame["fold"] = folds_of(clusters(frame, threshold=frozen.near_duplicate), folds, seed=seed)
    asked = {**_asked(corpus, output, frozen.labels, arguments), "folds": folds, "seed": seed}
    _claim(output, asked)
    logits = np.full((len(frame), len(frozen.labels)), np.nan)
    for fold in range(folds):
        is_held = (frame["fold"] == fold).to_numpy()
        path = output / f"fold-{fold}.npy"
        if not path.is_file():
            held = _train_without(
                frame[~is_held], frame[is_held], corpus, output / f"fold-{fold}", frozen.labels, arguments
            )
            draft = output / "draft.npy"
            np.save(draft, held, allow_pickle=False)
            draft.replace(path)
            shutil.rmtree(output / f"fold-{fold}")
        logits[is_held] = np.load(path, allow_pickle=False)
    _write_scores(output / SCORES, frame["text"].tolist(), logits)
    result = {**asked, **_scores(frame, softmax(logits), frozen.labels)}
    (output / REPORT).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def _texts(corpus: Path, labels: Sequence[str]) -> pd.DataFrame:
    named = {label: label for label in labels}
    parts = [
        read_labelled(path, labels=labels, label_map=named, group_column="group").assign(source=path.stem)
        for path in sorted((corpus / "train").glob("*.csv"))
    ]
    return pd.concat(parts, ignore_index=True)


def _asked(corpus: Path, work: Path, labels: Sequence[str], arguments: Sequence[str]) -> dict[str, Any]:
    """Return what makes this cross-validation: recipe and data as of a run on all texts, by content, not by path."""
    options = parse([*_paths(corpus / "train", corpus, work, labels), *arguments], {})
    return {"recipe": recipe_of(options), "data": data_of(options)}


def _paths(train: Path, corpus: Path, work: Path, labels: Sequence[str]) -> list[str]:
    """Return the arguments of the entry point that the recipe does not give."""
    paths = {
        "--train": train,
        "--validation": corpus / "validation",
        "--model-dir": work / "model",
        "--checkpoint-dir": work / "checkpoints",
        "--labels": ",".join(labels),
    }
    return [str(part) for pair in paths.items() for part in pair]


def _claim(output: Path, asked: dict[str, Any]) -> None:
    path = output / "run.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != asked:
        msg = f"{output} holds a cross-validation of other texts or arguments; remove it, or name another folder"
        raise UsageError(msg)
    output.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asked, indent=2) + "\n", encoding="utf-8")


def _train_without(
    frame: pd.DataFrame, held: pd.DataFrame, corpus: Path, work: Path, labels: Sequence[str], arguments: Sequence[str]
) -> NDArray[np.float64]:
    """Train on `frame` and return the logits of `held`."""
    channel = work / "train"
    channel.mkdir(parents=True, exist_ok=True)
    for source, rows in frame.groupby("source"):
        rows[["text", "label"]].to_csv(channel / f"{source}.csv", index=False, lineterminator="\n")
    metrics = entry_point.main([*_paths(channel, corpus, work, labels), *arguments])
    model = AutoModelForSequenceClassification.from_pretrained(work / "model")
    tokenizer = AutoTokenizer.from_pretrained(work / "model")
    return predict(model, tokenizer, held["text"].tolist(), int(metrics["recipe"]["max_length"]))


def _write_scores(path: Path, texts: Sequence[str], logits: NDArray[np.float64]) -> None:
    keys = np.array([int(text_key(text), 16) for text in texts], np.uint64)
    keys, first = np.unique(keys, return_index=True)
    np.savez_compressed(path, keys=keys, logits=logits[first].astype(np.float16))


def _scores(frame: pd.DataFrame, probabilities: NDArray[np.float64], labels: Sequence[str]) -> dict[str, Any]:
    truth = frame["label"].map(list(labels).index).to_numpy()
    places = {str(source): np.flatnonzero(frame["source"] == source) for source in sorted(set(frame["source"]))}
    scored = {source: (truth[rows], probabilities[rows]) for source, rows in places.items()}
    threshold = choose_threshold(scored)
    spread = {
        source: intervals(
            truth[rows] == len(labels) - 1, probabilities[rows, -1], threshold, frame["group"].iloc[rows].tolist()
        )
        for source, rows in places.items()
    }
    return {
        "threshold": threshold,
        "scores": report(scored, threshold),
        "intervals": spread,
        "n_texts": {source: len(rows) for source, rows in places.items()},
    }
