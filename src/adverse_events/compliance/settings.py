"""Settings of compliance."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ComplianceSettings(BaseModel, frozen=True, extra="forbid"):
    """How X is asked which posts are gone."""

    poll_s: float = Field(30, gt=0, description="Seconds between two looks at a batch compliance job.")
    patience_s: float = Field(
        3600, gt=0, description="Longest wait for a batch compliance job, seconds; a later run goes on with it."
    )
