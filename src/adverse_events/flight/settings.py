"""Settings of the flight check."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class FlightSettings(BaseModel, frozen=True, extra="forbid"):
    """What a flight check lets pass."""

    baseline: Path | None = Field(
        None, description="Flight recorded earlier (ade flight-check --record): answers must still be these."
    )
    model_version: str | None = Field(None, description="Model that must answer, such as minilm-l6-ade@cccab176d412.")
    least_right: float = Field(0.9, ge=0, le=1, description="Lowest share of probes classified, and coded, right.")
    tolerance: float = Field(
        0.02, ge=0, le=1, description="Largest change of a probability from the baseline; other hardware rounds."
    )
    longest_classify_s: float = Field(2.0, gt=0, description="Longest the classifier may take for a post, s, median.")
    longest_code_s: float = Field(2.0, gt=0, description="Longest the coder may take for a post, s, median.")
