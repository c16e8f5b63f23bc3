"""Which service and operation a request asks for, and how each protocol words an error."""

import json

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from adverse_events.local_aws.wire import Call, call_of, error


def request(service, method="GET", path="/", **more):
    headers = more.pop("headers", {})
    if service:
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential=local/20260301/eu-west-1/{service}/aws4_request, Signature=0"
        )
    return Request(EnvironBuilder(method=method, path=path, headers=headers, **more).get_environ())


@pytest.mark.parametrize(
    ("asked", "call"),
    [
        (request("s3", "PUT", "/bucket/lake/part"), Call("s3", "PutObject")),
        (request("s3", "GET", "/bucket/lake/part"), Call("s3", "GetObject")),
        (request("s3", "PUT", "/bucket/b", headers={"X-Amz-Copy-Source": "bucket/a"}), Call("s3", "CopyObject")),
        (request("s3", "GET", "/bucket", query_string="list-type=2"), Call("s3", "ListObjectsV2")),
        (request("s3", "POST", "/bucket", query_string="delete"), Call("s3", "PostObjects")),
        (request("s3", "GET", "/"), Call("s3", "ListBuckets")),
        (request("s3", "PUT", "/bucket"), Call("s3", "CreateBucket")),
        (request("glue", "POST", headers={"X-Amz-Target": "AWSGlue.GetTables"}), Call("glue", "GetTables")),
        (request("sagemaker", "POST", "/endpoints/e-1/invocations"), Call("sagemaker-runtime", "InvokeEndpoint")),
        (
            request("sagemaker", "POST", headers={"X-Amz-Target": "SageMaker.CreateModel"}),
            Call("sagemaker", "CreateModel"),
        ),
        (request("sts", "POST", data={"Action": "GetCallerIdentity"}), Call("sts", "GetCallerIdentity")),
        (request(None, "GET", "/bucket/key"), Call("unknown", "GET")),
    ],
)
def test_a_request_is_counted_under_its_service_and_operation(asked, call):
    assert call_of(asked) == call


def test_an_error_is_worded_in_the_services_protocol():
    glue = error("glue", "ThrottlingException", "Rate exceeded", 400)
    assert json.loads(glue.get_data())["__type"] == glue.headers["x-amzn-ErrorType"] == "ThrottlingException"
    assert (
        b"<Error><Code>SlowDown</Code><Message>a &lt; b</Message>" in error("s3", "SlowDown", "a < b", 503).get_data()
    )
    assert b"<ErrorResponse><Error>" in error("sts", "Throttling", "Rate exceeded", 400).get_data()
