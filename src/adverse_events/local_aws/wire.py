"""AWS's wire protocols, as far as one machine needs them: which operation a request asks for, and how errors look.

Source:
    Smithy documentation, AWS protocols awsJson1_1, restJson1, restXml and awsQuery; SigV4 credential scope in the
    Authorization header, AWS General Reference; read 2026-11.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Request

    Handler = Callable[[Request], Response]

ACCOUNT = "123456789012"
"""The account every request belongs to: moto's own."""

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]*/([^/]+)/aws4_request")
_INVOCATION = re.compile(r"^/endpoints/(?P<endpoint>[^/]+)/invocations$")
_S3_SUBRESOURCES = {
    "acl": "Acl",
    "delete": "Objects",
    "encryption": "BucketEncryption",
    "location": "BucketLocation",
    "policy": "BucketPolicy",
    "publicAccessBlock": "PublicAccessBlock",
    "uploads": "MultipartUploads",
    "uploadId": "MultipartUpload",
    "versioning": "BucketVersioning",
}
_S3_VERBS = {"GET": "Get", "PUT": "Put", "HEAD": "Head", "DELETE": "Delete", "POST": "Post"}


class Call(NamedTuple):
    """What a request asks for: boto3's name of the service (``s3``) and the operation (``PutObject``)."""

    service: str
    operation: str


def call_of(request: Request) -> Call:
    """Return what `request` asks for; service ``unknown`` where it is not signed."""
    signed = _SCOPE.search(request.headers.get("Authorization", ""))
    service = signed[1] if signed else "unknown"
    if service == "sagemaker" and _INVOCATION.match(request.path):
        return Call("sagemaker-runtime", "InvokeEndpoint")
    if service == "s3":
        return Call(service, _s3_operation(request))
    if target := request.headers.get("X-Amz-Target"):
        return Call(service, target.rpartition(".")[2])
    form = parse_qs(request.get_data(as_text=True)) if request.mimetype.endswith("x-www-form-urlencoded") else {}
    return Call(service, form.get("Action", [request.method])[0])


def invoked_endpoint(request: Request) -> str:
    """Return the name of the endpoint an InvokeEndpoint request is for."""
    found = _INVOCATION.match(request.path)
    return found["endpoint"] if found else ""


def json_answer(body: Any, *, status: int = 200) -> Response:
    """Return an answer of the AWS JSON protocol."""
    return Response(json.dumps(body), status, content_type="application/x-amz-json-1.1")


def error(service: str, code: str, message: str, status: int, more: Mapping[str, Any] | None = None) -> Response:
    """Return an error as `service` words it.

    Args:
        service: boto3's name of the service.
        code: AWS's error code, such as ``ThrottlingException``.
        message: What it says.
        status: HTTP status.
        more: Further members of the error, where its protocol is JSON.
    """
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message><RequestId>local</RequestId></Error>"
        return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', status, content_type="application/xml")
    if service in {"sts", "iam"}:
        body = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        return Response(f"<ErrorResponse>{body}</ErrorResponse>", status, content_type="text/xml")
    answer = json_answer({"__type": code, "message": message, "Message": message, **(more or {})}, status=status)
    answer.headers["x-amzn-ErrorType"] = code
    return answer


def _s3_operation(request: Request) -> str:
    verb = _S3_VERBS.get(request.method, request.method)
    key = request.path.strip("/").partition("/")[2]
    for parameter, name in _S3_SUBRESOURCES.items():
        if parameter in request.args:
            return f"{verb}{name}"
    if key:
        return "CopyObject" if "X-Amz-Copy-Source" in request.headers else f"{verb}Object"
    if request.method == "GET":
        return "ListObjectsV2" if request.path.strip("/") else "ListBuckets"
    return {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}.get(request.method, verb)
