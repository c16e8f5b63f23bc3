"""What came back from a flight, and how it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, ValidationError

from adverse_events.errors import ContractError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


class Answer(BaseModel, frozen=True, extra="forbid"):
    """What was said of one probe."""

    ade_probability: float | None = Field(description="0-1; null where the model refused it or gave no probability.")
    is_ade: bool = Field(description="At or above the decision limit in force.")
    icd10cm_codes: tuple[str, ...] = Field(description="Codes of the conditions that count as events, sorted.")


class Flight(BaseModel, frozen=True, extra="forbid"):
    """One flight: who answered, what, and how fast."""

    model_version: str
    ade_threshold: float = Field(description="Decision limit in force, 0-1.")
    coder_version: str
    icd10cm_release: str
    lexicon_version: str = Field(description="Of the drug lexicon.")
    classify_s: float = Field(description="Median time of the classifier for one post, s.")
    code_s: float = Field(description="Median time of the coder for one post, s.")
    answers: dict[str, Answer] = Field(description="By name of the probe.")


def read_flight(path: Path) -> Flight:
    """Read a recorded flight.

    Raises:
        UsageError: There is none.
        ContractError: The file is no recorded flight.
    """
    remedy = "record one with ade flight-check --record"
    if not path.is_file():
        msg = f"{path}: no such recorded flight; {remedy}"
        raise UsageError(msg)
    try:
        return Flight.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ContractError(str(path), f"{where}: {first['msg']}; {remedy}") from error
