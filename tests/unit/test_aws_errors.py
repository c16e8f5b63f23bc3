"""botocore's errors as ours: every branch, with exceptions as botocore makes them."""

import inspect
import json
import traceback

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError, create_parser
from botocore.session import Session

from adverse_events.aws.errors import (
    REFUSED_CODES,
    REMEDIES,
    REMEDIES_OF_SERVICE,
    SEES_POSTS,
    TRANSIENT_CODES,
    translated,
)
from adverse_events.errors import (
    ModelFailedError,
    PermanentServiceError,
    RequestRefusedError,
    ServiceError,
    TransientServiceError,
)

POST = "zanzibarquokka gave me hives"
"""Text of a post that a service sends back; it must come out nowhere."""


def answered(code, status=400, message="no", **more):
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, "Ask")


def ours(error, service="s3"):
    with pytest.raises(ServiceError) as caught, translated(service, "Ask thing"):
        raise error
    return caught.value


def everything_told(error):
    """Return all that an exception says, its whole chain and every traceback included."""
    told, seen = [], []
    while error is not None and error not in seen:
        seen.append(error)
        told += [str(error), repr(error), repr(vars(error)), repr(error.args)]
        told += traceback.format_exception(error)
        error = error.__cause__ or error.__context__
    return "\n".join(told)


def every_boto_error():
    return list(_boto_errors())


def _boto_errors():
    for name, kind in sorted(vars(boto).items()):
        if inspect.isclass(kind) and issubclass(kind, boto.BotoCoreError) and kind is not boto.BotoCoreError:
            yield pytest.param(kind, id=name)


class AnyField(dict):
    """What fills the message of any botocore error."""

    def __missing__(self, key):
        return POST


def made(kind):
    """Make an error of `kind` whose message quotes a post wherever its template takes a value."""
    error = kind.__new__(kind)
    Exception.__init__(error, kind.fmt.format_map(AnyField()))
    error.kwargs = AnyField(error=POST)
    return error


@pytest.mark.parametrize("code", sorted(TRANSIENT_CODES))
def test_a_code_that_passes_is_worth_asking_again(code):
    assert type(ours(answered(code))) is TransientServiceError


@pytest.mark.parametrize(("code", "status"), [("Strange", 500), ("Strange", 503), ("502", 502), ("Strange", 429)])
def test_so_is_any_server_error_or_throttle_whatever_its_code(code, status):
    assert type(ours(answered(code, status), "glue")) is TransientServiceError


@pytest.mark.parametrize(
    ("original", "kind"),
    [
        (400, RequestRefusedError),
        (413, RequestRefusedError),
        (429, TransientServiceError),
        (500, ModelFailedError),
        (503, TransientServiceError),
        (None, RequestRefusedError),
    ],
)
def test_a_container_is_judged_by_its_own_status_not_by_sagemakers_424(original, kind):
    more = {} if original is None else {"OriginalStatusCode": original, "OriginalMessage": POST}
    error = ours(answered("ModelError", 424, POST, **more), "sagemaker-runtime")
    assert type(error) is kind
    assert str(original or 424) in str(error)
    assert POST not in everything_told(error)


@pytest.mark.parametrize("code", sorted(REFUSED_CODES))
def test_comprehend_refuses_one_post_and_other_services_refuse_for_good(code):
    assert type(ours(answered(code), "comprehendmedical")) is RequestRefusedError
    assert type(ours(answered(code), "glue")) is PermanentServiceError


def test_an_endpoint_that_is_gone_is_no_refusal_of_the_posts_it_was_sent():
    """InvokeEndpoint answers ValidationError when the endpoint is deleted; as a refusal it would reject every post."""
    error = ours(answered("ValidationError", 400, "Endpoint ade of account 1 not found."), "sagemaker-runtime")
    assert type(error) is PermanentServiceError
    assert "endpoint.name" in str(error)


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_a_refusal_with_a_known_cause_says_what_to_do(code):
    error = ours(answered(code, 403))
    assert type(error) is PermanentServiceError
    assert str(error).endswith(REMEDIES[code])
    assert str(error).startswith(f"s3 Ask thing: {code} (HTTP 403): no")


@pytest.mark.parametrize(("service", "code"), sorted(REMEDIES_OF_SERVICE))
def test_a_code_that_means_more_to_one_service_has_that_services_remedy(service, code):
    assert str(ours(answered(code), service)).endswith(REMEDIES_OF_SERVICE[service, code])


def test_an_unknown_refusal_is_permanent_and_quoted_where_no_post_can_be_in_it():
    error = ours(answered("BucketAlreadyOwnedByYou", 409, "yours"))
    assert (type(error), error.detail) == (PermanentServiceError, "BucketAlreadyOwnedByYou (HTTP 409): yours")


@pytest.mark.parametrize("service", sorted(SEES_POSTS))
@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ModelError", "Odd"])
def test_what_a_service_that_sees_posts_says_is_withheld_everywhere(service, code):
    error = ours(answered(code, 400, f"bad text: {POST}"), service)
    assert POST not in everything_told(error)
    assert error.__cause__ is None


def test_a_code_that_is_no_code_is_not_repeated():
    error = ours(answered(f"<html>{POST}</html>", 400), "comprehendmedical")
    assert error.detail == "Unknown (HTTP 400)"
    assert POST not in everything_told(error)


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor", "rest-json", "rest-xml"])
@pytest.mark.parametrize("status", [403, 502])
def test_a_proxys_page_in_place_of_an_answer_is_not_repeated(protocol, status):
    """Read by botocore itself, which makes the page the error's message or code, or cannot read it."""
    operation = Session().get_service_model("comprehendmedical").operation_model("InferICD10CM")
    page = f"<html>request blocked: {POST}</html>".encode()
    answer = {"status_code": status, "headers": {}, "body": page}
    with pytest.raises(ServiceError) as caught, translated("comprehendmedical", "InferICD10CM"):
        raise ClientError(create_parser(protocol).parse(answer, operation.output_shape), "InferICD10CM")
    assert POST not in everything_told(caught.value)
    is_unreadable = "cut short" in str(caught.value)
    assert isinstance(caught.value, TransientServiceError) is (is_unreadable or status == 502)


@pytest.mark.parametrize("kind", every_boto_error())
def test_every_error_of_botocore_becomes_ours_and_none_repeats_a_post(kind):
    error = ours(made(kind), "sagemaker-runtime")
    assert type(error) in {TransientServiceError, PermanentServiceError}
    if not str(error.detail).startswith("no usable credentials"):
        assert POST not in everything_told(error)


@pytest.mark.parametrize(
    "error",
    [
        boto.EndpointConnectionError(endpoint_url="https://there"),
        boto.ConnectTimeoutError(endpoint_url="https://there"),
        boto.ReadTimeoutError(endpoint_url="https://there"),
        boto.ConnectionClosedError(endpoint_url="https://there"),
        boto.ProxyConnectionError(proxy_url="http://proxy"),
        boto.SSLError(endpoint_url="https://there", error="handshake"),
        boto.HTTPClientError(error="broken pipe"),
        boto.ResponseStreamingError(error="reset"),
        boto.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        boto.FlexibleChecksumError(error_msg="crc32"),
        ResponseParserError(f"Unable to parse response: {POST}"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer_and_a_cut_answer_are_worth_asking_again(error):
    assert type(ours(error, "athena")) is TransientServiceError


@pytest.mark.parametrize(
    "error",
    [
        boto.NoCredentialsError(),
        boto.PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"),
        boto.ProfileNotFound(profile="nobody"),
        boto.CredentialRetrievalError(provider="role", error_msg="refused"),
        boto.SSOTokenLoadError(error_msg="expired"),
        boto.TokenRetrievalError(provider="sso", error_msg="expired"),
        boto.NoAuthTokenError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_credentials_that_cannot_be_used_are_final_and_say_where_to_put_some(error):
    final = ours(error)
    assert type(final) is PermanentServiceError
    assert "aws.credentials_block" in str(final)
    assert str(error) in str(final)


def test_no_region_says_which_setting():
    assert "set aws.region" in str(ours(boto.NoRegionError()))


def test_another_error_of_botocore_is_final_with_its_words_where_they_quote_nothing():
    report = boto.ParamValidationError(report='Invalid bucket name "Ä"')
    assert "Invalid bucket name" in str(ours(report))
    assert str(ours(boto.ParamValidationError(report=POST), "athena")) == "athena Ask thing: ParamValidationError"


def test_errors_of_our_own_and_defects_pass_untouched():
    with pytest.raises(ValueError, match="a defect"), translated("s3", "Ask"):
        raise ValueError("a defect")
    mine = PermanentServiceError("s3", "Put", "gone")
    with pytest.raises(PermanentServiceError) as caught, translated("athena", "Ask"):
        raise mine
    assert caught.value is mine


def test_a_service_that_sees_no_post_keeps_its_cause():
    cause = answered("AccessDenied", 403)
    assert ours(cause).__cause__ is cause


def test_every_code_is_known_to_botocore_or_to_s3(known_codes):
    """A misspelt code would never match; S3 and STS document theirs outside the service models."""
    undocumented = {
        "301", "403", "404", "AccessDenied", "AccessDeniedException", "AuthorizationHeaderMalformed",
        "BandwidthLimitExceeded", "ExpiredToken", "ExpiredTokenException",
        "IllegalLocationConstraintException", "InternalError", "InternalFailure", "InvalidAccessKeyId",
        "InvalidClientTokenId", "InvalidSignatureException", "KMS.DisabledException",
        "KMS.KMSInvalidStateException", "KMS.NotFoundException", "OperationAborted", "PermanentRedirect",
        "RequestExpired", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "RequestTimeout",
        "RequestTimeTooSkewed", "RequestTimeoutException", "ServiceUnavailable", "SignatureDoesNotMatch", "SlowDown",
        "SubscriptionRequiredException", "Throttling", "ThrottledException", "UnrecognizedClientException",
    }  # fmt: skip
    ours_too = TRANSIENT_CODES | REFUSED_CODES | set(REMEDIES)
    assert ours_too - known_codes - undocumented == set()
    assert undocumented <= ours_too


@pytest.fixture(scope="module")
def known_codes():
    session = Session()
    codes = set()
    for service in ("athena", "comprehendmedical", "dynamodb", "glue", "s3", "sagemaker", "sagemaker-runtime", "kms",
                    "secretsmanager", "sts", "lambda"):  # fmt: skip
        model = session.get_service_model(service)
        for shape in model.error_shapes:
            codes |= {shape.name, shape.metadata.get("error", {}).get("code", shape.name)}
    assert "ThrottlingException" in json.dumps(sorted(codes))
    return codes
