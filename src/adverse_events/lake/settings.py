"""Settings of the lake."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, model_validator

from adverse_events.aws.address import Place
from adverse_events.lake.parts import PartSize


class LakeSettings(BaseModel, frozen=True, extra="forbid"):
    """Where the lake is and how its files are cut."""

    path: Place = Field(
        "lake", min_length=1, description="Folder of the lake, created when missing, or s3://bucket/folder."
    )
    bucket_block: str | None = Field(
        None,
        description="Name of a Prefect S3Bucket block whose bucket and folder hold the lake, where lake.path is not "
        "given; its credentials are used where aws.credentials_block is not given.",
    )
    rows_per_part: int = Field(
        200_000, ge=1, description="Most rows in one Parquet file; a multiple of row_group_rows."
    )
    row_group_rows: int = Field(20_000, ge=1, description="Rows in a Parquet row group: what a write holds in memory.")

    @model_validator(mode="after")
    def _can_be_cut(self) -> Self:
        self.part_size  # noqa: B018 - its own check is the validation
        return self

    @property
    def is_s3(self) -> bool:
        """Whether the lake is kept in a bucket."""
        return self.path.startswith("s3://")

    @property
    def needs_block(self) -> bool:
        """Whether the lake's place is in a Prefect block, not read yet."""
        return self.bucket_block is not None and "path" not in self.model_fields_set

    @property
    def part_size(self) -> PartSize:
        """The two row counts, as the lake takes them."""
        return PartSize(self.rows_per_part, self.row_group_rows)
