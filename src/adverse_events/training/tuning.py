"""A search over hyperparameters: what is searched, who searches, and what came out beside the baseline.

The objective is the mean F1 over the sources of the validation channel, at the best limit of each; a trial is given no
other texts. `Tuner` is what a search on SageMaker offers too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from pydantic import BaseModel, Field, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OBJECTIVE: Final = "best_f1"
"""Score of the validation channel that is searched for; see `training.metrics`."""

BIOMEDICAL: Final = (
    "dmis-lab/biobert-v1.1",
    "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext",
    "emilyalsentzer/Bio_ClinicalBERT",
    "allenai/scibert_scivocab_uncased",
    "monologg/biobert_v1.1_pubmed",
)
"""Public checkpoints of the BioBERT family, by their names on the hub."""

LENGTHS: Final = (16, 32, 64, 128, 256)
BATCHES: Final = (16, 32, 64, 128, 256)


class SearchSpace(BaseModel, frozen=True, extra="forbid"):
    """What a search may choose from."""

    learning_rate: tuple[float, float] = Field((5e-6, 5e-4), description="Lowest and highest, searched by logarithm.")
    max_length: tuple[int, ...] = Field(LENGTHS, min_length=1, description="Tokens.")
    batch_size: tuple[int, ...] = Field(BATCHES, min_length=1)
    model_name: tuple[str, ...] = Field(
        BIOMEDICAL, min_length=1, description="Pretrained checkpoints: hub names or folders."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.learning_rate
        if not 0 < low <= high:
            msg = f"learning_rate {low:g},{high:g}: the lowest must be above 0 and not above the highest"
            raise ValueError(msg)
        if min(*self.max_length, *self.batch_size, 10**9) < 1:
            msg = "lengths and batch sizes must be 1 or more"
            raise ValueError(msg)
        return self


class Budget(BaseModel, frozen=True, extra="forbid"):
    """When a search ends: at whichever comes first."""

    trials: int = Field(20, ge=1, description="Trials, those of an interrupted search included.")
    hours: float = Field(8.0, gt=0, description="Hours of this call; the trial under way is finished.")
    seed: int = Field(13, ge=0, description="Of the search; the same trials in the same order.")


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes:
        number: Place in the search, from 0.
        parameters: What was tried, as arguments of the entry point.
        objective: Mean F1 on validation, 0-1; None where the trial did not end.
        state: complete, pruned (stopped early because it was falling behind) or failed.
        seconds: How long it took.
        reason: Why it failed; empty otherwise.
    """

    number: int
    parameters: Mapping[str, Any]
    objective: float | None
    state: str
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class TuningResult:
    """What came out of a search.

    Attributes:
        trials: Every trial, in order; the baseline is the first.
        best: The best of those that ended.
        baseline: What the search was to beat.
    """

    trials: Sequence[Trial]
    best: Trial
    baseline: Trial
    objective: str = field(default=OBJECTIVE)

    @property
    def arguments(self) -> dict[str, Any]:
        """The best trial's hyperparameters, by the name that ``ade train --set`` takes."""
        return {name.replace("_", "-"): value for name, value in self.best.parameters.items()}


class Tuner(Protocol):
    """Searches: on this machine, or as a SageMaker tuning job."""

    def search(self, corpus: Path, space: SearchSpace, baseline: Mapping[str, Any], budget: Budget) -> TuningResult:
        """Try the baseline, then what looks promising, until the budget is spent.

        Args:
            corpus: Prepared corpus; its train and validation channels are used and nothing else of it.
            space: What to choose from.
            baseline: Hyperparameters to beat, as in a trial; also tried first.
            budget: When to end.

        Raises:
            PermanentServiceError: No trial ended.
        """
