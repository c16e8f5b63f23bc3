"""Checks of the services that read posts: endpoint, Batch Transform, Comprehend Medical. Only our words are sent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from adverse_events.aws.doctor.protocol import Check, Permission
from adverse_events.aws.errors import translated
from adverse_events.classification.endpoint.classifier import SageMakerClassifier
from adverse_events.classification.transform.classifier import TransformClassifier
from adverse_events.coding.comprehend.coder import ComprehendCoder
from adverse_events.errors import PermanentServiceError

if TYPE_CHECKING:
    from adverse_events.aws.session import Cloud
    from adverse_events.settings import Settings

_NO_ENDPOINT = "deploy the endpoint, or correct endpoint.name"


def model_checks(settings: Settings, cloud: Cloud, account: str, needs: tuple[str, ...]) -> list[Check]:
    """Return the checks of the endpoint, its jobs and the coder, as far as they are used."""
    checks = _endpoint_checks(settings, cloud, account, needs) if settings.endpoint.name else []
    if settings.coding.service == "comprehend":
        operations = ("InferICD10CM", *(("DetectEntitiesV2",) if settings.comprehend.detect_entities else ()))
        checks.append(
            Check(
                "Comprehend Medical",
                f"{' and '.join(operations)} of two words of our own",
                partial(_comprehend, settings, cloud),
                "set aws.region to one that has the service, or coding.service = embedded",
                tuple(Permission(f"comprehendmedical:{operation}") for operation in operations),
                needs=needs,
            )
        )
    return checks


def _endpoint_checks(settings: Settings, cloud: Cloud, account: str, needs: tuple[str, ...]) -> list[Check]:
    asked = settings.endpoint
    place = f"arn:aws:sagemaker:{cloud.region}:{account}"
    endpoint = f"{place}:endpoint/{str(asked.name).lower()}"
    checks = [
        Check(
            "endpoint",
            f"DescribeEndpoint {asked.name} and its configuration",
            partial(_status, str(asked.name), cloud),
            _NO_ENDPOINT,
            (
                Permission("sagemaker:DescribeEndpoint", endpoint),
                Permission("sagemaker:DescribeEndpointConfig", f"{place}:endpoint-config/*"),
            ),
            needs=needs,
        ),
        Check(
            "endpoint: answer",
            f"InvokeEndpoint {asked.name} with two texts of our own",
            partial(_answer, settings, cloud),
            "see the endpoint's log in CloudWatch; set endpoint.ade_label, or endpoint.name to a text classifier",
            (Permission("sagemaker:InvokeEndpoint", endpoint),),
            needs=("endpoint",),
        ),
    ]
    if asked.mode != "realtime":
        jobs = f"{place}:transform-job/*"
        checks.append(
            Check(
                "Batch Transform",
                f"the model behind {asked.name}",
                partial(_transform, settings, cloud),
                "set endpoint.transform_path and endpoint.variant",
                untried=tuple(
                    Permission(f"sagemaker:{verb}TransformJob", jobs) for verb in ("Create", "Describe", "Stop")
                ),
                needs=("endpoint: answer",),
            )
        )
    return checks


def _status(name: str, cloud: Cloud) -> str:
    client = cloud.client("sagemaker")
    with translated("sagemaker", f"DescribeEndpoint {name}"):
        described = client.describe_endpoint(EndpointName=name)
    status = described["EndpointStatus"]
    if status not in {"InService", "Updating", "SystemUpdating", "RollingBack"}:
        reason = described.get("FailureReason")
        detail = f"it is {status}{f': {reason}' if reason else ''}"
        raise PermanentServiceError("sagemaker", f"DescribeEndpoint {name}", detail)
    config = described["EndpointConfigName"]
    with translated("sagemaker", f"DescribeEndpointConfig {config}"):
        client.describe_endpoint_config(EndpointConfigName=config)
    return f"{status}, configuration {config}"


def _answer(settings: Settings, cloud: Cloud) -> str:
    classifier = SageMakerClassifier.open(cloud, settings.endpoint)
    return f"model {classifier.model_version}, classes {', '.join(classifier.labels)}"


def _transform(settings: Settings, cloud: Cloud) -> str:
    return f"model {TransformClassifier.open(cloud, settings.endpoint).model_name}; starting a job was not tried"


def _comprehend(settings: Settings, cloud: Cloud) -> str:
    # Without the cache, which would answer in the service's place.
    return ComprehendCoder.open(cloud, settings.comprehend.model_copy(update={"cache": None})).coder_version
