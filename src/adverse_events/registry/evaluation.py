"""What an evaluation of a model says, as far as the gate and the card go by it: the JSON of ``ade evaluate``."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adverse_events.errors import ContractError, UsageError

Share = Annotated[float, Field(ge=0, le=1)]
Change = Annotated[float, Field(ge=-1, le=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Interval = tuple[Finite, Finite]
"""Not held to 0-1: a Brier score of many classes may be above 1."""

ALL = "all"
"""Every row together, whatever its source."""


class _Part(BaseModel):
    """A part of the document; what it holds beyond the fields here is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class EvaluatedModel(_Part):
    """The model that was evaluated."""

    version: str
    labels: tuple[str, ...] = Field(min_length=2)
    ade_threshold: float
    temperature: float | None = None


class EvaluatedData(_Part):
    """The labelled texts it was evaluated on."""

    path: str
    sha256: str = Field(min_length=12)
    n_rows: int = Field(ge=0)

    @property
    def name(self) -> str:
        """Name of the file without its folders, which mean nothing elsewhere."""
        return PurePath(self.path).name


class OperatingPoint(_Part):
    """What a reviewer's load would be at one recall.

    Attributes:
        load_per_1000: Posts flagged among 1,000, by the share of positives there are (as text, such as ``0.07``).
    """

    recall: Share
    threshold: float | None = None
    precision: Share | None = None
    load_per_1000: dict[str, float | None] = {}


class Scores(_Part):
    """Scores on one source, 0-1; None where a score is not defined, as F1 without positives."""

    n: int = Field(ge=0)
    n_positive: int = Field(ge=0)
    precision: Share | None = None
    recall: Share | None = None
    f1: Share | None = None
    average_precision: Share | None = None
    ece: Share | None = None
    brier: Finite | None = None
    threshold: Finite | None = None
    intervals: dict[str, Interval | None] = {}
    operating_points: tuple[OperatingPoint, ...] = ()


class CapabilityScore(_Part):
    """How a model did on the cases of one capability."""

    n: int = Field(ge=0)
    accuracy: Share
    interval: Interval | None = None


class Capabilities(_Part):
    """How a model did on the behavioural cases."""

    overall: Share
    n: int = Field(ge=0)
    by_capability: dict[str, CapabilityScore]


class PairedDifference(_Part):
    """This model's score minus the other's, on the same texts.

    Attributes:
        f1_difference: Difference of F1; None where either is not defined.
        interval: Its 95 % interval, from a bootstrap that draws the same texts for both.
        p_worse: Share of the draws in which this model is the worse one, 0-1.
    """

    f1_difference: Change | None = None
    interval: tuple[Change, Change] | None = None
    p_worse: Share | None = None
    average_precision_difference: Change | None = None
    average_precision_interval: tuple[Change, Change] | None = None
    average_precision_p_worse: Share | None = None

    def of(self, metric: str) -> tuple[float | None, tuple[float, float] | None, float | None]:
        """Return difference, interval and probability of being worse, of f1 or of average_precision."""
        if metric == "f1":
            return self.f1_difference, self.interval, self.p_worse
        return self.average_precision_difference, self.average_precision_interval, self.average_precision_p_worse


class Comparison(_Part):
    """This model against another, text by text."""

    other: str
    sources: dict[str, PairedDifference]


class Evaluation(_Part):
    """One model on one file of labelled texts."""

    format: Literal[1]
    model: EvaluatedModel
    data: EvaluatedData
    sources: dict[str, Scores] = Field(min_length=1)
    all: Scores | None = None
    capabilities: Capabilities | None = None
    comparison: Comparison | None = None

    @model_validator(mode="after")
    def _reserves_all(self) -> Self:
        if ALL in self.sources and len(self.sources) > 1:
            msg = f"a source may not be called {ALL}: that is every source together"
            raise ValueError(msg)
        return self

    @property
    def groups(self) -> dict[str, Scores]:
        """Scores by source, and of all together where that is more than one source."""
        together = {ALL: self.all} if self.all is not None and len(self.sources) > 1 else {}
        return {**self.sources, **together}


def read_evaluation(path: Path) -> Evaluation:
    """Read what ``ade evaluate --json`` printed.

    Raises:
        UsageError: There is no such file.
        ContractError: It is no evaluation, or of another format.
    """
    return parse_evaluation(_bytes_of(path), str(path))


def parse_evaluation(content: bytes, name: str) -> Evaluation:
    """As `read_evaluation`, of the bytes of the document called `name`."""
    try:
        return Evaluation.model_validate_json(content)
    except ValidationError as error:
        first: Any = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        detail = f"{where}: {first['msg']}; write it with ade evaluate MODEL DATA --json"
        raise ContractError(name, detail) from error


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of `content`, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _bytes_of(path: Path) -> bytes:
    if not path.is_file():
        msg = f"{path}: no such evaluation; write it with ade evaluate MODEL DATA --json"
        raise UsageError(msg)
    return path.read_bytes()
