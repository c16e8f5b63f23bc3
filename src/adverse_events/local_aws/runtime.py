"""The SageMaker Runtime protocol in front of the model's container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError
from werkzeug.wrappers import Response

from adverse_events.local_aws.wire import ACCOUNT, error, invoked_endpoint
from adverse_events.serving.payload import ATTRIBUTES_HEADER, CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

    from adverse_events.local_aws.container import Container
    from adverse_events.local_aws.inside import Inside

SERVICE = "sagemaker-runtime"
MAX_BYTES = 6_291_456
"""Longest body of InvokeEndpoint (SageMaker API reference, read 2026-11)."""

_SERVER_ERROR = 500
_SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack"})
"""States in which an endpoint answers; in the others AWS says that there is none."""


class Standing(NamedTuple):
    """What an endpoint is at: its status, why it failed, and its variants by name."""

    status: str
    reason: str = ""


class Endpoints:
    """The states of the endpoints that the control plane knows, with those that a test gave them.

    The control plane on this machine has every endpoint InService from the start, and cannot update one.
    """

    def __init__(self) -> None:
        """Leave every endpoint as the control plane has it."""
        self._standings: dict[str, Standing] = {}

    def put(self, name: str, status: str, reason: str = "") -> None:
        """Let endpoint `name` be in `status`, such as ``Creating``, or ``Failed`` with a reason."""
        self._standings[name] = Standing(status, reason)

    def standing(self, name: str, status: str) -> Standing:
        """Return the standing of endpoint `name`, which the control plane has in `status`."""
        return self._standings.get(name, Standing(status))

    def described(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Return a DescribeEndpoint answer with the endpoint's standing in it."""
        standing = self.standing(answer["EndpointName"], answer["EndpointStatus"])
        reason = {"FailureReason": standing.reason} if standing.reason else {}
        return {**answer, "EndpointStatus": standing.status, **reason}


class Runtime:
    """Answers InvokeEndpoint with what the container says.

    Args:
        inside: Where the control plane answers.
        endpoints: The endpoints' states.
        container: Runs the model.
    """

    def __init__(self, inside: Inside, endpoints: Endpoints, container: Container) -> None:
        """Stand in front of `container`."""
        self._inside, self._endpoints, self._container = inside, endpoints, container

    def __call__(self, request: Request) -> Response:
        """Answer one request.

        Source:
            InvokeEndpoint API reference: errors ValidationError and ModelError with its members; read 2026-11.
        """
        name = invoked_endpoint(request)
        described = self._described(name)
        if described is None or self._endpoints.standing(name, described["EndpointStatus"]).status not in _SERVING:
            return error(SERVICE, "ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.", 400)
        variants = [variant["VariantName"] for variant in described["ProductionVariants"]]
        variant = request.headers.get("X-Amzn-SageMaker-Target-Variant", variants[0])
        if variant not in variants:
            detail = f"Variant {variant} not found for Endpoint {name} of account {ACCOUNT}."
            return error(SERVICE, "ValidationError", detail, 400)
        body = request.get_data()
        if len(body) > MAX_BYTES:
            return error(SERVICE, "ValidationError", f"Request body is longer than {MAX_BYTES} bytes", 413)
        accept = request.headers.get("Accept", CONTENT_TYPE)
        answer = self._container.invoke(body, request.headers.get("Content-Type", CONTENT_TYPE), accept)
        if answer.status != Response.default_status:
            return _model_error(name, answer.status, answer.body)
        headers = {"x-Amzn-Invoked-Production-Variant": variant}
        if answer.attributes:
            headers[ATTRIBUTES_HEADER] = answer.attributes
        return Response(answer.body, headers=headers, content_type=answer.content_type)

    def _described(self, name: str) -> dict[str, Any] | None:
        try:
            described: dict[str, Any] = self._inside.client("sagemaker").describe_endpoint(EndpointName=name)
        except ClientError:
            return None
        return described


def _model_error(endpoint: str, status: int, body: bytes) -> Response:
    side = "server" if status >= _SERVER_ERROR else "client"
    original = body.decode("utf-8", "replace")
    log = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/{endpoint}"
    return error(
        SERVICE,
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{original}". See {log} in account {ACCOUNT} for '
        "more information.",
        424,
        {"OriginalStatusCode": status, "OriginalMessage": original, "LogStreamArn": log},
    )
