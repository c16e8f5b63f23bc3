"""The classify station: score the screened posts of a batch and decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, Field

from adverse_events.errors import ContractError
from adverse_events.staging import CLASSIFIED, REJECTED, StagedWriter, read_staged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from adverse_events.classification.protocol import Classifier
    from adverse_events.staging import Batch

DIGITS = 6
"""Decimals of ade_probability kept: far below any difference that matters, above rounding noise."""


class ClassifierSettings(BaseModel, frozen=True, extra="forbid"):
    """How posts are scored and when one is called an ADE."""

    model: Path | None = Field(None, description="Exported model folder; the shipped starter model when unset.")
    arithmetic: Literal["int8", "float32"] = Field(
        "int8", description="Arithmetic of the embedded model: int8 as released, float32 to check it."
    )
    threads: int = Field(0, ge=0, description="Threads for the embedded model; 0 takes every core.")
    ade_threshold: float | None = Field(
        None, ge=0, le=1, description="Lowest ade_probability called an ADE; the model's own limit when unset."
    )


def classify(batch: Batch, classifier: Classifier, settings: ClassifierSettings) -> Batch:
    """Score every row of `batch` (schema `staging.SCREENED`) and write ``classified.arrow``.

    A row whose score is not a probability (NaN, or outside 0-1) goes to the rejects.

    Returns:
        The batch with rows of schema `staging.CLASSIFIED`: the scored rows in the same order.

    Raises:
        ContractError: The classifier returned another number of rows than it was given.
    """
    threshold = decision_limit(classifier, settings)
    path, rejects_path = batch.folder / "classified.arrow", batch.folder / "rejects-classify.arrow"
    refused: Counter[datetime] = Counter()
    with StagedWriter(path, CLASSIFIED) as staged, StagedWriter(rejects_path, REJECTED) as rejects:
        for rows in read_staged(batch.rows):
            scores = classifier.probabilities(rows.column("text").to_pylist())
            if len(scores) != rows.num_rows:
                raise ContractError(
                    classifier.model_version, f"{len(scores)} scores came back for {rows.num_rows} posts"
                )
            valid = is_probability(scores)
            staged.write(_decided(rows.filter(pa.array(valid)), scores[valid], classifier.labels, threshold))
            rejected = rows.filter(pa.array(~valid))
            rejects.write_rows([_reject(row, classifier.model_version) for row in rejected.to_pylist()])
            refused.update(rejected.column("window_start").to_pylist())
    tallies = {
        window: tally.plus(rejected={"invalid_probability": refused[window.start]} if refused[window.start] else {})
        for window, tally in batch.tallies.items()
    }
    more = (rejects_path,) if refused else ()
    return replace(batch, rows=path, rejects=(*batch.rejects, *more), tallies=tallies)


def decision_limit(classifier: Classifier, settings: ClassifierSettings) -> float:
    """Return the decision limit in force, 0-1: the setting, else the model's own."""
    return classifier.ade_threshold if settings.ade_threshold is None else settings.ade_threshold


def is_probability(scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return, per row, whether every class score lies in 0-1 (NaN does not)."""
    return np.asarray(((scores >= 0) & (scores <= 1)).all(axis=1))


def ade_probability(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the probability of the ADE class, the last column, 0-1, rounded to `DIGITS`."""
    return np.asarray(np.round(np.asarray(scores[:, -1], np.float64), DIGITS), np.float64)


def _decided(rows: pa.RecordBatch, scores: NDArray[np.float32], labels: Sequence[str], threshold: float) -> pa.Table:
    probabilities = ade_probability(scores)
    is_ade = probabilities >= threshold
    others = np.argmax(scores[:, :-1], axis=1)
    named = [labels[-1] if positive else labels[other] for positive, other in zip(is_ade, others, strict=True)]
    return (
        pa.Table.from_batches([rows])
        .append_column("ade_probability", pa.array(probabilities))
        .append_column("is_ade", pa.array(is_ade))
        .append_column("label", pa.array(named, pa.string()))
    )


def _reject(row: dict[str, object], model_version: str) -> dict[str, object]:
    kept = ("source", "origin", "row_number", "payload_sha256", "tweet_id", "created_at", "window_start")
    detail = f"model {model_version} gave no probability for this post; check the model, then run the window again"
    return {"reason": "invalid_probability", "detail": detail, **{name: row[name] for name in kept}}
