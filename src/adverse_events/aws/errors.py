"""botocore's errors as ours, in one place: may asking again help, and what should a person do.

Three kinds: transient (`TransientServiceError`: throttles, 5xx, time-outs, cut answers), permanent
(`PermanentServiceError`: permissions, names, credentials; `RequestRefusedError` where only this request's content was
refused) and contract (`ContractError`: an answer that arrived whole and is wrong; raised by who reads it).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from adverse_events.errors import (
    ModelFailedError,
    PermanentServiceError,
    RequestRefusedError,
    ServiceError,
    TransientServiceError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SEES_POSTS = frozenset({"sagemaker-runtime", "comprehendmedical", "athena"})
"""Services that are sent post text or rows: their messages may quote it, and are withheld and wiped."""

TRANSIENT_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "ConcurrentModificationException",
        "InternalDependencyException",
        "InternalError",
        "InternalFailure",
        "InternalServerException",
        "InternalServiceException",
        "LimitExceededException",
        "ModelNotReadyException",
        "OperationAborted",
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

REFUSED_CODES = frozenset({"InvalidEncodingException", "InvalidRequestException", "TextSizeLimitExceededException"})
"""Codes by which Comprehend Medical refuses one request for what it holds. InvokeEndpoint has none: its
ValidationError means the endpoint or variant does not exist, and would put every post among the rejects."""

REMEDIES = {
    "301": "the bucket is in another region; set aws.region to the bucket's",
    "403": "the credentials lack this permission; `ade doctor` lists what is needed",
    "404": "it does not exist in this account and region; create it or correct the setting",
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
    "KMS.KMSInvalidStateException": "the KMS key is being deleted; restore it or set another aws.kms_key",
    "KMSAccessDeniedException": "the credentials may not use the KMS key; `ade doctor` lists what is needed",
    "NoSuchBucket": "the bucket does not exist; create it or correct the s3:// path",
    "NotFoundException": "it does not exist in this account and region; create it or correct the setting",
    "PermanentRedirect": "the bucket is in another region; set aws.region to the bucket's",
    "RequestExpired": "this machine's clock differs from AWS's by minutes; set the clock and run again",
    "RequestTimeTooSkewed": "this machine's clock differs from AWS's by minutes; set the clock and run again",
    "ResourceNotFound": "it does not exist in this account and region; create it or correct the setting",
    "ResourceNotFoundException": "it does not exist in this account and region; create it or correct the setting",
    "SignatureDoesNotMatch": "the secret key does not fit the access key; check the credentials in use",
    "SubscriptionRequiredException": "this account has not been opened for the service; open its console page once",
    "UnrecognizedClientException": "the credentials are not valid in this region; check profile and region",
}
"""What a person should do about a permanent refusal, by AWS error code; numbers are answers to HEAD, without a body."""

REMEDIES_OF_SERVICE = {
    ("sagemaker-runtime", "ValidationError"): "the endpoint or its variant is not there, is not InService, or takes no "
    "request of this size; check endpoint.name and endpoint.variant with `ade doctor`",
    ("athena", "InvalidRequestException"): "Athena refuses the SQL, or catalog.workgroup or its output location; "
    "`ade doctor` tells which",
}
"""Remedies where a code means something of its own to one service."""

_CREDENTIALS = (
    boto.CredentialRetrievalError,
    boto.LoginError,
    boto.NoAuthTokenError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.UnknownCredentialError,
)
_NO_ANSWER = (boto.ConnectionError, boto.HTTPClientError)
_UNREADABLE = (
    ResponseParserError,
    boto.IncompleteReadError,
    boto.ResponseStreamingError,
    boto.FlexibleChecksumError,
    boto.ChecksumError,
)
_CODE = re.compile(r"[A-Za-z0-9._:-]{1,80}")


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
    except (boto.BotoCoreError, boto.ClientError, ResponseParserError) as error:
        ours = _ours(error, service, operation)
        if service in SEES_POSTS:
            _wipe(error)
            raise ours from None
        raise ours from error


def _ours(error: Exception, service: str, operation: str) -> ServiceError:
    if isinstance(error, boto.ClientError):
        return _of_answer(error, service, operation)
    kind = type(error).__name__
    if isinstance(error, _CREDENTIALS):
        detail = f"no usable credentials ({error}); configure the boto3 chain, aws.profile or aws.credentials_block"
        return PermanentServiceError(service, operation, detail)
    if isinstance(error, boto.NoRegionError):
        return PermanentServiceError(service, operation, "no region is configured; set aws.region or AWS_REGION")
    if isinstance(error, _UNREADABLE):
        detail = f"an answer that is cut short or not AWS's ({kind}); is a proxy in between?"
        return TransientServiceError(service, operation, detail)
    if isinstance(error, _NO_ANSWER):
        detail = f"no answer ({kind}); check the network, the region and any proxy"
        return TransientServiceError(service, operation, detail)
    return PermanentServiceError(service, operation, kind if service in SEES_POSTS else f"{kind}: {error}")


def _of_answer(error: boto.ClientError, service: str, operation: str) -> ServiceError:
    answer: dict[str, Any] = dict(error.response)
    said: dict[str, Any] = answer.get("Error", {})
    # A proxy's page can stand where the code belongs.
    code = found.group() if (found := _CODE.fullmatch(str(said.get("Code", "")))) else "Unknown"
    status = answer.get("OriginalStatusCode") or answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0
    message = "" if service in SEES_POSTS else f": {said.get('Message', '')}"
    detail = f"{code} (HTTP {status}){message}"
    if code == "ModelError" and status != _TOO_MANY:
        # The container answered. 500: it failed on this request. Higher: it is overloaded or broken. Others: it refuses
        # what the request holds.
        kinds = {_SERVER_ERROR: ModelFailedError}
        kind = kinds.get(status, TransientServiceError) if status >= _SERVER_ERROR else RequestRefusedError
        return kind(service, operation, f"the model's container answered HTTP {status}")
    if code in TRANSIENT_CODES or status >= _SERVER_ERROR or status == _TOO_MANY:
        return TransientServiceError(service, operation, detail)
    if service == "comprehendmedical" and code in REFUSED_CODES:
        return RequestRefusedError(service, operation, detail)
    remedy = REMEDIES_OF_SERVICE.get((service, code)) or REMEDIES.get(code)
    return PermanentServiceError(service, operation, f"{detail}; {remedy}" if remedy else detail)


def _wipe(error: Exception) -> None:
    """Empty an error that might quote a post: ours keeps it as its context, whatever it is raised from."""
    error.args = ("withheld",)
    error.__cause__ = error.__context__ = None
    if isinstance(error, boto.ClientError):
        error.response = {}
    elif isinstance(error, boto.BotoCoreError):
        error.kwargs = {}


_SERVER_ERROR = 500
_TOO_MANY = 429
