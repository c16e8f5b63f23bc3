"""botocore's errors as ours, in one place: may asking again help, and what should a person do.

Three kinds: transient (`TransientServiceError`: throttles, 5xx, time-outs, cut answers), permanent
(`PermanentServiceError`: permissions, names, credentials; `RequestRefusedError` where only this request's content was
refused) and contract (`ContractError`: an answer that arrived whole and is wrong; raised by who reads it).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from adverse_events.errors import PermanentServiceError, RequestRefusedError, ServiceError, TransientServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

SEES_POSTS = frozenset({"sagemaker-runtime", "comprehendmedical", "athena"})
"""Services that are sent post text or rows: their messages may quote it and are withheld."""

TRANSIENT_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "InternalDependencyException",
        "InternalError",
        "InternalFailure",
        "InternalServerException",
        "InternalServiceException",
        "LimitExceededException",
        "ModelNotReadyException",
        "OperationTimeoutException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Codes after which the same request may succeed.

Source:
    botocore's retry handlers, and the error lists of InvokeEndpoint, InferICD10CM, S3, Glue and Athena in their API
    references, read 2026-11.
"""

REFUSED_CODES = frozenset(
    {"InvalidEncodingException", "InvalidRequestException", "TextSizeLimitExceededException", "ValidationError"}
)
"""Codes by which a service that is sent posts refuses one request for what it holds."""

REMEDIES = {
    "AccessDenied": "the credentials lack this permission; `ade doctor` lists what is needed",
    "AccessDeniedException": "the credentials lack this permission; `ade doctor` lists what is needed",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set aws.region to the bucket's",
    "EntityNotFoundException": "it does not exist in this account and region; create it or correct the setting",
    "ExpiredToken": "the credentials have expired; renew them and run again: finished windows stand",
    "ExpiredTokenException": "the credentials have expired; renew them and run again: finished windows stand",
    "IllegalLocationConstraintException": "the bucket is in another region; set aws.region to the bucket's",
    "InvalidAccessKeyId": "the access key does not exist; check the credentials in use",
    "InvalidClientTokenId": "the credentials are not valid; check the profile or role in use",
    "InvalidSignatureException": "the request's signature was refused; check the credentials and this machine's clock",
    "KMS.DisabledException": "the KMS key is disabled; enable it or set another aws.kms_key",
    "KMS.NotFoundException": "the KMS key does not exist in this region; correct aws.kms_key",
    "NoSuchBucket": "the bucket does not exist; create it or correct lake.path",
    "PermanentRedirect": "the bucket is in another region; set aws.region to the bucket's",
    "RequestExpired": "this machine's clock differs from AWS's by minutes; set the clock and run again",
    "RequestTimeTooSkewed": "this machine's clock differs from AWS's by minutes; set the clock and run again",
    "SignatureDoesNotMatch": "the secret key does not fit the access key; check the credentials in use",
    "UnrecognizedClientException": "the credentials are not valid in this region; check profile and region",
}
"""What a person should do about a permanent refusal, by AWS error code."""

_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.SSOError,
    boto.TokenRetrievalError,
)
_UNREADABLE = (
    ResponseParserError,
    boto.IncompleteReadError,
    boto.ResponseStreamingError,
    boto.FlexibleChecksumError,
    boto.ChecksumError,
)


@contextmanager
def translated(service: str, operation: str) -> Iterator[None]:
    """Raise botocore's errors of the block as ours.

    Args:
        service: boto3 name of the service, such as ``s3``.
        operation: What was asked, with the name of its object where there is one: ``PutObject receipts/...``.

    Raises:
        TransientServiceError: Asking again may help.
        RequestRefusedError: The service refused what this request holds.
        PermanentServiceError: Anything else, with its remedy where one is known.
    """
    try:
        yield
    except boto.ClientError as error:
        raise _of_answer(error, service, operation) from _cause(error, service)
    except _CREDENTIALS as error:
        detail = f"no usable credentials ({error}); configure the boto3 chain, aws.profile or aws.credentials_block"
        raise PermanentServiceError(service, operation, detail) from error
    except boto.NoRegionError as error:
        detail = "no region is configured; set aws.region or AWS_REGION"
        raise PermanentServiceError(service, operation, detail) from error
    except boto.HTTPClientError as error:
        detail = f"no answer ({type(error).__name__}); check the network, the region and any proxy"
        raise TransientServiceError(service, operation, detail) from _cause(error, service)
    except _UNREADABLE as error:
        detail = f"an answer that is cut short or not AWS's ({type(error).__name__}); is a proxy in between?"
        raise TransientServiceError(service, operation, detail) from _cause(error, service)
    except boto.BotoCoreError as error:
        detail = type(error).__name__ if service in SEES_POSTS else str(error)
        raise PermanentServiceError(service, operation, detail) from _cause(error, service)


def _of_answer(error: boto.ClientError, service: str, operation: str) -> ServiceError:
    answer: dict[str, Any] = dict(error.response)
    code = str(answer.get("Error", {}).get("Code", "Unknown"))
    status = int(answer.get("OriginalStatusCode") or answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    message = "" if service in SEES_POSTS else f": {answer.get('Error', {}).get('Message', '')}"
    detail = f"{code} (HTTP {status}){message}"
    if code in TRANSIENT_CODES or (status >= _SERVER_ERROR and code != "ModelError") or status == _TOO_MANY:
        return TransientServiceError(service, operation, detail)
    if code == "ModelError":
        # The container answered. 5xx: it is overloaded or broken. Others: it refuses what the request holds.
        kind = TransientServiceError if status >= _SERVER_ERROR else RequestRefusedError
        return kind(service, operation, f"the model's container answered HTTP {status}")
    if service in SEES_POSTS and code in REFUSED_CODES:
        return RequestRefusedError(service, operation, detail)
    remedy = REMEDIES.get(code)
    return PermanentServiceError(service, operation, f"{detail}; {remedy}" if remedy else detail)


def _cause(error: Exception, service: str) -> Exception | None:
    """Return the error to chain to; none where its message might quote a post."""
    return None if service in SEES_POSTS else error


_SERVER_ERROR = 500
_TOO_MANY = 429
