"""Settings of a classifier behind a SageMaker endpoint."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from adverse_events.aws.address import Place


class EndpointSettings(BaseModel, frozen=True, extra="forbid"):
    """Which endpoint scores the posts, and how they are sent; unset, the embedded model does."""

    name: str | None = Field(
        None, description="SageMaker endpoint that scores the posts; the embedded model when unset or empty."
    )
    variant: str | None = Field(None, description="Production variant to ask; the endpoint's own choice when unset.")
    ade_label: str | None = Field(
        None, description="Name of the ADE class in the answers; ADE, Adverse_Event and the like are known."
    )
    texts_per_request: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Most posts in one request; when unset 1,024 for this project's container, which scores posts of "
        "like length together, and 256 for another.",
    )
    bytes_per_request: int = Field(
        200_000,
        ge=1_000,
        le=6_291_456,
        description="Most bytes in one request: as much as an instance scores within the minute it is given; "
        "SageMaker takes 6,291,456.",
    )
    requests_in_flight: int = Field(4, ge=1, le=64, description="Requests waiting for their answers at one time.")
    mode: Literal["realtime", "transform", "auto"] = Field(
        "realtime",
        description="realtime asks the endpoint; transform runs a Batch Transform job per batch of windows; auto takes "
        "a job from transform_from_rows posts on.",
    )
    transform_from_rows: int = Field(
        100_000, ge=1, description="Posts in a batch of windows from which auto runs a job; raise rows_per_batch to it."
    )
    transform_path: Place | None = Field(
        None, description="s3:// folder for the input and output of jobs; removed after each."
    )
    transform_instance: str = Field("ml.m5.xlarge", description="Instance type of jobs.")
    transform_instances: int = Field(1, ge=1, le=100, description="Instances of one job.")
    transform_timeout_minutes: int = Field(240, ge=1, description="Longest wait for one job, minutes.")
