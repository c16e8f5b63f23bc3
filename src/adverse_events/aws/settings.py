"""Settings of the AWS account."""

from __future__ import annotations

from pydantic import BaseModel, Field


class AwsSettings(BaseModel, frozen=True, extra="forbid"):
    """Which account, and how patiently it is asked. No key is ever a setting: the boto3 chain or a block brings it."""

    region: str | None = Field(None, description="AWS region; the boto3 chain's (AWS_REGION, profile) when unset.")
    profile: str | None = Field(None, description="Profile of the AWS configuration files; the chain's when unset.")
    credentials_block: str | None = Field(
        None, description="Name of a Prefect AwsCredentials block to use instead of the boto3 chain."
    )
    kms_key: str | None = Field(
        None,
        description="KMS key (ARN, id or alias) that encrypts what is written to S3; the account's aws/s3 key "
        "when unset.",
    )
    max_attempts: int = Field(
        6, ge=1, le=20, description="Tries per request, the first included, before a run gives up."
    )
    connect_timeout_s: float = Field(10, gt=0, description="Longest wait for a connection, seconds.")
    read_timeout_s: float = Field(70, gt=0, description="Longest wait for an answer, seconds; an endpoint may take 60.")
