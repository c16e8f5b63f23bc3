"""Settings of the lake."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, model_validator

from adverse_events.lake.parts import PartSize


class LakeSettings(BaseModel, frozen=True, extra="forbid"):
    """Where the lake is and how its files are cut."""

    path: Path = Field(Path("lake"), description="Folder of the lake; created when missing.")
    rows_per_part: int = Field(
        200_000, ge=1, description="Most rows in one Parquet file; a multiple of row_group_rows."
    )
    row_group_rows: int = Field(20_000, ge=1, description="Rows in a Parquet row group: what a write holds in memory.")

    @model_validator(mode="after")
    def _can_be_cut(self) -> Self:
        self.part_size  # noqa: B018 - its own check is the validation
        return self

    @property
    def part_size(self) -> PartSize:
        """The two row counts, as the lake takes them."""
        return PartSize(self.rows_per_part, self.row_group_rows)
