"""Bounds of the monitor."""

from __future__ import annotations

from pydantic import BaseModel, Field


class MonitorSettings(BaseModel, frozen=True, extra="forbid"):
    """How far the last days may be from the reference before somebody is told."""

    days: int = Field(7, ge=1, le=366, description="Length of the stretch that is watched, days.")
    reference_days: int = Field(28, ge=1, le=3660, description="Length of the stretch before it, days.")
    least_posts: int = Field(
        500, ge=1, description="Assessed posts either stretch needs before shares and distributions are compared."
    )
    max_psi: float = Field(
        0.2, gt=0, description="Largest population stability index of scores, languages and drugs; 0.2 is usual."
    )
    max_rate_change: float = Field(
        1.5, gt=1, description="Largest factor between the shares of positives, if it is beyond chance too."
    )
    max_volume_change: float = Field(3.0, gt=1, description="Largest factor between the inputs of a day.")
    max_rejected: float = Field(0.05, ge=0, le=1, description="Largest share of inputs rejected.")
    max_slower: float = Field(2.0, gt=1, description="Largest factor between the times that 1,000 inputs take.")
    usd_per_unit: float = Field(
        0.0005, ge=0, description="Price of a unit billed, USD: InferICD10CM, us-east-1; not verified."
    )
    max_usd: float | None = Field(None, gt=0, description="Largest cost of coding 1,000 inputs, USD; unset: any.")
