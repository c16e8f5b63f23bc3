"""Settings of the coder that asks Comprehend Medical."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class ComprehendSettings(BaseModel, frozen=True, extra="forbid"):
    """How Comprehend Medical is asked when coding.service is comprehend."""

    detect_entities: bool = Field(
        default=False,
        description="Ask DetectEntitiesV2 too, and take each condition's category and type from it; about doubles the "
        "requests.",
    )
    requests_per_second: float = Field(
        40,
        gt=0,
        description="Most requests per second and operation of one process; several share the account's quota.",
    )
    characters_per_second: int = Field(
        40_000,
        ge=10_000,
        description="Most characters per second and operation of one process; several share the account's quota.",
    )
    requests_in_flight: int = Field(8, ge=1, le=64, description="Requests waiting for their answers at one time.")
    cache: Path | None = Field(
        None,
        description="SQLite file that remembers answers by a hash of the text, so that no text is paid for twice; none "
        "when unset.",
    )
    posts_per_request: int = Field(
        1,
        ge=1,
        le=100,
        description="Short posts packed into one request; above 1 saves units, and lets one post's words colour "
        "the next one's answer.",
    )
    icd10cm_release: str = Field(
        "2026-04",
        pattern=r"^\d{4}-\d{2}$",
        description="ICD-10-CM release the service's codes belong to, YYYY-MM; the service does not say.",
    )
