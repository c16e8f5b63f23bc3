"""Settings of the landing store."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class LandingSettings(BaseModel, frozen=True, extra="forbid"):
    """Where posts from a stream land before anything else happens to them."""

    path: Path = Field(
        Path("landing.sqlite"), description="File of the landing store on this machine; unused where a table is named."
    )
    table: str | None = Field(
        None,
        min_length=3,
        max_length=255,
        pattern=r"^[a-zA-Z0-9_.-]+$",
        description="DynamoDB table of the landing store, such as ae_tweets; a file of this machine when unset.",
    )
    retention_days: int = Field(
        30,
        ge=1,
        le=3650,
        description="Days a landed post is kept, counted from when it was posted. Windows older than that are never "
        "written again from the landing store.",
    )
