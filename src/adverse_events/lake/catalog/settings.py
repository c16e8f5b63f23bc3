"""Settings of the catalog over a lake on S3."""

from __future__ import annotations

from pydantic import BaseModel, Field

from adverse_events.aws.address import Place


class CatalogSettings(BaseModel, frozen=True, extra="forbid"):
    """Where Glue and Athena find the lake; unset, a lake on S3 is files only."""

    database: str | None = Field(
        None,
        pattern=r"^[a-z0-9_]{0,255}$",
        description="Glue database that holds the lake's tables and views; no catalog when unset or empty.",
    )
    partition_projection: bool = Field(
        default=False, description="Let Athena compute the partitions from their names instead of listing them in Glue."
    )
    projection_start: str = Field(
        "2006-03-21",
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="First date of the projected partitions; of X's first post by default.",
    )
    crawler: str | None = Field(
        None, description="Glue crawler to start after a run and wait for; none when unset, partitions are registered."
    )
    crawl_timeout_minutes: float = Field(30, gt=0, description="Longest wait for the crawler, minutes.")
    poll_seconds: float = Field(5, gt=0, description="Pause between two looks at a crawler or a query, seconds.")
    workgroup: str = Field("primary", description="Athena workgroup of queries.")
    query_output: Place | None = Field(
        None, description="s3:// folder for query results; the workgroup's own when unset."
    )
    query_timeout_minutes: float = Field(10, gt=0, description="Longest wait for a query, minutes.")
