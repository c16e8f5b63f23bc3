"""One Batch Transform job: its request, the wait for its end, and a stop where nobody waits any more."""

from __future__ import annotations

import logging
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adverse_events.aws.errors import translated
from adverse_events.classification.transform.files import REQUEST_MEGABYTES
from adverse_events.errors import PermanentServiceError, ServiceError
from adverse_events.serving import payload

if TYPE_CHECKING:
    from adverse_events.aws.session import Cloud
    from adverse_events.classification.endpoint.settings import EndpointSettings
    from adverse_events.classification.transform.files import JobFolder

logger = logging.getLogger(__name__)

OUTPUT_FILTER = "$['id','SageMakerOutput']"
"""What a job writes of each record joined with its answer: no text comes back."""


_OF_DATA = ("ClientError", "AlgorithmError", "Bad HTTP status")
"""How a reason begins that blames the model's answer to what a file holds, and not the service or its capacity.

Source:
    "Batch transform for inference", Amazon SageMaker AI Developer Guide: a file with a bad record has no output, other
    files are processed on and their outputs usable; read 2026-11.
"""

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 30.0
_SLOWER = 1.5
_LONGEST_ENDPOINT_NAME = 20


class JobFailedError(PermanentServiceError):
    """A job failed over its data: some of its input files have no output, the others have."""


def job_name(endpoint: str) -> str:
    """Return a new job's name: ``adverse-events-``, the endpoint, the time and a few random digits.

    The name has at most 63 characters; jobs of one second differ.
    """
    short = endpoint[:_LONGEST_ENDPOINT_NAME].rstrip("-")
    return f"adverse-events-{short}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def job_request(
    name: str,
    model_name: str,
    folder: JobFolder,
    settings: EndpointSettings,
    *,
    many_per_request: bool,
    kms_key: str | None,
) -> dict[str, Any]:
    """Return the arguments of CreateTransformJob.

    Args:
        name: The job.
        model_name: SageMaker model that scores.
        folder: Where input lies and output goes.
        settings: Instances.
        many_per_request: Whether the container takes several lines in one request; else it gets one JSON at a time.
        kms_key: Key that encrypts the output; S3's default when None.

    Source:
        CreateTransformJob API reference, and "Associate Prediction Results with Input Records"; read 2026-11.
    """
    content_type = payload.LINES_TYPE if many_per_request else payload.CONTENT_TYPE
    return {
        "TransformJobName": name,
        "ModelName": model_name,
        "BatchStrategy": "MultiRecord" if many_per_request else "SingleRecord",
        "MaxPayloadInMB": REQUEST_MEGABYTES,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": folder.input_url}},
            "ContentType": content_type,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": folder.output_url,
            "Accept": content_type,
            "AssembleWith": "Line",
            **({"KmsKeyId": kms_key} if kms_key else {}),
        },
        "DataProcessing": {"JoinSource": "Input", "OutputFilter": OUTPUT_FILTER},
        "TransformResources": {
            "InstanceType": settings.transform_instance,
            "InstanceCount": settings.transform_instances,
        },
        "Tags": [{"Key": "project", "Value": "adverse-events"}],
    }


def run_job(cloud: Cloud, request: dict[str, Any], timeout_minutes: float) -> None:
    """Start a job and wait until it is completed; stop it when the wait ends in any other way.

    Args:
        cloud: The account.
        request: As `job_request` returns it.
        timeout_minutes: Longest wait.

    Raises:
        JobFailedError: The model refused what some input file holds, or failed on it.
        PermanentServiceError: It failed otherwise, was stopped or took too long.
        TransientServiceError: It could not be asked about.
    """
    client, name = cloud.client("sagemaker"), request["TransformJobName"]
    with translated("sagemaker", f"CreateTransformJob {name}"):
        client.create_transform_job(**request)
    try:
        status, reason = _ended(client, name, timeout_minutes)
    except BaseException:
        # A job that nobody waits for would go on at the account's cost.
        with suppress(ServiceError), translated("sagemaker", f"StopTransformJob {name}"):
            client.stop_transform_job(TransformJobName=name)
        raise
    if status != "Completed":
        detail = f"the job {status.lower()}: {reason or 'no reason given'}; see its log in /aws/sagemaker/TransformJobs"
        kind = JobFailedError if status == "Failed" and reason.startswith(_OF_DATA) else PermanentServiceError
        raise kind("sagemaker", f"transform job {name}", detail)


def _ended(client: Any, name: str, timeout_minutes: float) -> tuple[str, str]:
    """Return the job's last status, and why it failed."""
    started, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
    while True:
        with translated("sagemaker", f"DescribeTransformJob {name}"):
            job = client.describe_transform_job(TransformJobName=name)
        status, seconds = job["TransformJobStatus"], time.monotonic() - started
        logger.info("transform job %s: %s after %.0f s", name, status, seconds)
        if status in {"Completed", "Failed", "Stopped"}:
            return status, job.get("FailureReason", "")
        left = timeout_minutes * 60 - seconds
        if left <= 0:
            detail = (
                f"the job was {status} after {timeout_minutes:g} minutes; raise endpoint.transform_timeout_minutes, or "
                "endpoint.transform_instances"
            )
            raise PermanentServiceError("sagemaker", f"transform job {name}", detail)
        time.sleep(min(pause, left))
        pause = min(pause * _SLOWER, _LONGEST_PAUSE_SECONDS)
