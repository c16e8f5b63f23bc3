"""Evaluate a model folder on labelled texts: the document that the page, the gate and the card are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_curve, precision_recall_fscore_support

from adverse_events.classification.classify import ade_probability, choose_classes
from adverse_events.errors import ContractError
from adverse_events.evaluation.capabilities import score_capabilities
from adverse_events.evaluation.capabilities.cases import LABELS
from adverse_events.evaluation.compare import paired_difference
from adverse_events.evaluation.intervals import DRAWS, intervals
from adverse_events.evaluation.operating import operating_points
from adverse_events.evaluation.scores import BINS, score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from adverse_events.classification.embedded import EmbeddedClassifier
    from adverse_events.evaluation.capabilities import Case

ALL: Final = "all"
FORMAT: Final = 1
_CURVE_POINTS: Final = 200
_SINGLE: Final = "every text has the same label: a score that needs both is not defined"


@dataclass(frozen=True)
class LabelledTexts:
    """What is evaluated on, one item per text in every list.

    Attributes:
        texts: Masked texts.
        labels: Class names.
        sources: Source of each text.
        groups: Document of each text, empty where none is named.
    """

    texts: list[str]
    labels: list[str]
    sources: list[str]
    groups: list[str]


def evaluate(
    model: EmbeddedClassifier,
    data: LabelledTexts,
    facts: Mapping[str, Any],
    *,
    against: EmbeddedClassifier | None = None,
    cases: Sequence[Case] = (),
    n_draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the evaluation of `model` on `data` as a JSON-ready document.

    Args:
        model: What is evaluated, at its own decision limit.
        data: Labelled texts; every label must be one of the model's classes.
        facts: Path, sha256 and n_rows of what `data` was read from, as they go into the document.
        against: Another model of the same classes to compare with, text by text.
        cases: Capability cases to ask too; only a model of the classes NOT_ADE and ADE is asked.
        n_draws: Draws of the bootstrap.
        seed: Of the draws.

    Returns:
        Keys format, model, data, sources (scores by source), all, capabilities and comparison; no text of `data`.

    Raises:
        ContractError: A label that the model does not know, or another model with other classes.
    """
    unknown = sorted(set(data.labels) - set(model.labels))
    if unknown:
        detail = f"{len(unknown)} labels of the data are none of its classes {', '.join(model.labels)}; map them"
        raise ContractError(model.model_version, detail)
    if against is not None and against.labels != model.labels:
        detail = f"its classes are {', '.join(against.labels)}, not {', '.join(model.labels)}; nothing to compare"
        raise ContractError(against.model_version, detail)
    truth = np.array([model.labels.index(label) for label in data.labels])
    mine = _probabilities(model, data.texts)
    theirs = _probabilities(against, data.texts) if against is not None else None
    parts = _parts(data.sources)

    def scored(rows: NDArray[np.int64]) -> dict[str, Any]:
        groups = [data.groups[row] for row in rows]
        return _scores(model, truth[rows], mine[rows], groups, n_draws=n_draws, seed=seed)

    def compared(rows: NDArray[np.int64]) -> dict[str, Any]:
        assert against is not None  # noqa: S101 - for the type checker; asked below
        assert theirs is not None  # noqa: S101 - likewise
        sides = (mine[rows, -1], model.ade_threshold), (theirs[rows, -1], against.ade_threshold)
        groups = [data.groups[row] for row in rows]
        positive = truth[rows] == len(model.labels) - 1
        return paired_difference(positive, *sides, groups, n_draws=n_draws, seed=seed)

    named = {**parts, **({ALL: np.arange(len(truth))} if len(parts) > 1 else {})}
    return {
        "format": FORMAT,
        "model": {
            "version": model.model_version,
            "name": model.manifest.name,
            "labels": list(model.labels),
            "max_length": model.manifest.max_length,
            "ade_threshold": model.ade_threshold,
            "temperature": model.manifest.temperature,
        },
        "data": dict(facts),
        "draws": {"n": n_draws, "seed": seed},
        "sources": {name: scored(rows) for name, rows in parts.items()},
        ALL: scored(np.arange(len(truth))),
        "capabilities": score_capabilities(model, cases) if cases and model.labels == LABELS else None,
        "comparison": {
            "other": against.model_version,
            "sources": {name: compared(rows) for name, rows in named.items()},
        }
        if against is not None
        else None,
    }


def _probabilities(model: EmbeddedClassifier, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return what would be stored with each text: the class looked for rounded as the classify station rounds it."""
    said = model.probabilities(texts)
    return np.column_stack([said[:, :-1].astype(np.float64), ade_probability(said)])


def _parts(sources: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    named = np.array(sources)
    return {str(name): np.flatnonzero(named == name) for name in sorted(set(sources))}


def _scores(
    model: EmbeddedClassifier,
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    groups: Sequence[str],
    *,
    n_draws: int,
    seed: int,
) -> dict[str, Any]:
    threshold = model.ade_threshold
    positive, found = truth == len(model.labels) - 1, probabilities[:, -1]
    counts = {"n": len(truth), "n_positive": int(positive.sum()), "threshold": threshold}
    decided = choose_classes(probabilities, model.labels, threshold, model.thresholds)
    shared: dict[str, Any] = {
        "confusion": {
            "labels": list(model.labels),
            "counts": confusion_matrix(truth, decided, labels=range(len(model.labels))).tolist(),
        },
        "per_class": _per_class(model.labels, truth, decided),
        "operating_points": operating_points(positive, found),
        "curves": {"pr": [], "reliability": _reliability(positive, found)},
    }
    if positive.all() or not positive.any():
        undefined = dict.fromkeys(("precision", "recall", "f1", "best_f1", "average_precision"))
        return {**counts, **undefined, "ece": None, "brier": None, "intervals": {}, "undefined": _SINGLE, **shared}
    shared["curves"]["pr"] = _pr_curve(positive, found)
    bounds = intervals(positive, found, threshold, groups, n_draws=n_draws, seed=seed)
    return {**counts, **score(truth, probabilities, threshold), "intervals": bounds, **shared}


def _per_class(
    labels: Sequence[str], truth: NDArray[np.int64], decided: NDArray[np.int64]
) -> dict[str, dict[str, float]]:
    found = precision_recall_fscore_support(truth, decided, labels=range(len(labels)), zero_division=0.0)
    return {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "n": int(n)}
        for label, p, r, f, n in zip(labels, *found, strict=True)
    }


def _pr_curve(positive: NDArray[np.bool_], found: NDArray[np.float64]) -> list[tuple[float, float]]:
    precision, recall, _ = precision_recall_curve(positive, found)
    kept = np.unique(np.linspace(0, len(recall) - 1, min(_CURVE_POINTS, len(recall))).astype(int))
    return [(round(float(recall[i]), 4), round(float(precision[i]), 4)) for i in kept[::-1]]


def _reliability(positive: NDArray[np.bool_], found: NDArray[np.float64]) -> list[tuple[float, float, int]]:
    order = np.argsort(found, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return [(round(float(found[part].mean()), 4), round(float(positive[part].mean()), 4), len(part)) for part in parts]
