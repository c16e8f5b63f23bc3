"""The classify station: score the screened posts of a batch and decide."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, Field

from adverse_events.errors import ContractError
from adverse_events.staging import CLASSIFIED, REJECTED, StagedWriter, read_staged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from adverse_events.classification.protocol import Classifier, Scored
    from adverse_events.staging import Batch

DIGITS = 6
"""Decimals of ade_probability kept: far below any difference that matters, above rounding noise."""

_LEAST_LIMIT = 1e-6
"""A limit of nothing would make its class win always."""


class ClassifierSettings(BaseModel, frozen=True, extra="forbid"):
    """How posts are scored and when one is called an ADE."""

    model: Path | None = Field(
        None,
        description="Exported model folder, or champion, candidate or a version of the registry; the shipped starter "
        "model when unset.",
    )
    arithmetic: Literal["int8", "float32"] = Field(
        "int8", description="Arithmetic of the embedded model: int8 as released, float32 to check it."
    )
    threads: int = Field(0, ge=0, description="Threads for the embedded model; 0 takes every core.")
    ade_threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Lowest ade_probability called an ADE; the model's own limit when unset. Changes no score.",
    )


def classify(batch: Batch, classifier: Classifier, settings: ClassifierSettings) -> Batch:
    """Score every row of `batch` (schema `staging.SCREENED`) and write ``classified.arrow``.

    A row that the model refuses, or whose score is not a probability (NaN, or outside 0-1), goes to the rejects.

    Returns:
        The batch with rows of schema `staging.CLASSIFIED`: the scored rows in the same order.

    Raises:
        ContractError: The classifier returned another number of rows than it was given.
    """
    threshold = decision_limit(classifier, settings)
    path, rejects_path = batch.folder / "classified.arrow", batch.folder / "rejects-classify.arrow"
    refused: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
    with StagedWriter(path, CLASSIFIED) as staged, StagedWriter(rejects_path, REJECTED) as rejects:
        for rows, scored in zip(read_staged(batch.rows), classifier.score(_texts(batch.rows)), strict=True):
            if len(scored.probabilities) != rows.num_rows:
                raise ContractError(
                    classifier.model_version, f"{len(scored.probabilities)} scores came back for {rows.num_rows} posts"
                )
            valid = is_probability(scored.probabilities)
            staged.write(_decided(rows, scored, classifier, threshold).filter(pa.array(valid)))
            rejected = [
                _reject(rows.slice(index, 1).to_pylist()[0], scored.refusals.get(index), classifier.model_version)
                for index in map(int, np.flatnonzero(~valid))
            ]
            rejects.write_rows(rejected)
            for row in rejected:
                refused[row["window_start"]][row["reason"]] += 1
    tallies = {window: tally.plus(rejected=refused.get(window.start)) for window, tally in batch.tallies.items()}
    more = (rejects_path,) if refused else ()
    done = replace(batch, rows=path, rejects=(*batch.rejects, *more), tallies=tallies)
    return done.served("classify", classifier.served_by)


def decision_limit(classifier: Classifier, settings: ClassifierSettings) -> float:
    """Return the decision limit in force, 0-1: the setting, else the model's own."""
    return classifier.ade_threshold if settings.ade_threshold is None else settings.ade_threshold


def is_probability(scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return, per row, whether every class score lies in 0-1 (NaN does not)."""
    return np.asarray(((scores >= 0) & (scores <= 1)).all(axis=1))


def ade_probability(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the probability of the ADE class, the last column, 0-1, rounded to `DIGITS`."""
    return np.asarray(np.round(np.asarray(scores[:, -1], np.float64), DIGITS), np.float64)


def _texts(path: Path) -> Iterator[list[str]]:
    for rows in read_staged(path, counts=False):
        yield rows.column("text").to_pylist()


def choose_classes(
    scores: NDArray[Any], labels: Sequence[str], ade_threshold: float, thresholds: Mapping[str, float]
) -> NDArray[np.int64]:
    """Return the index of the class each text is called.

    The ADE class where its probability is at or above its limit; else, of the others, the one that is furthest above
    its own: the largest probability divided by limit.

    Args:
        scores: Texts x classes, 0-1; the last class is ADE.
        labels: Class names.
        ade_threshold: Decision limit of the ADE class, 0-1.
        thresholds: Limits of the others, 0-1; without one, a class has 1 like every other without.
    """
    limits = np.array([max(thresholds.get(label, 1.0), _LEAST_LIMIT) for label in labels[:-1]])
    others = np.argmax(np.asarray(scores[:, :-1], np.float64) / limits, axis=1)
    return np.asarray(np.where(ade_probability(scores) >= ade_threshold, len(labels) - 1, others), np.int64)


def _decided(rows: pa.RecordBatch, scored: Scored, classifier: Classifier, threshold: float) -> pa.Table:
    labels = classifier.labels
    probabilities = ade_probability(scored.probabilities)
    is_ade = probabilities >= threshold
    chosen = choose_classes(scored.probabilities, labels, threshold, classifier.thresholds)
    named = [labels[index] for index in chosen]
    return (
        pa.Table.from_batches([rows])
        .append_column("ade_probability", pa.array(probabilities))
        .append_column("is_ade", pa.array(is_ade))
        .append_column("label", pa.array(named, pa.string()))
        .append_column("is_truncated", pa.array(scored.is_truncated, pa.bool_()))
    )


def _reject(row: dict[str, Any], refusal: str | None, model_version: str) -> dict[str, Any]:
    kept = ("source", "origin", "row_number", "payload_sha256", "tweet_id", "created_at", "window_start")
    reason = "invalid_probability" if refusal is None else "refused_by_classifier"
    detail = refusal or f"model {model_version} gave no probability for this post"
    remedy = "check the model, then run the window again"
    return {"reason": reason, "detail": f"{detail}; {remedy}", **{name: row[name] for name in kept}}
