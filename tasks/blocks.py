"""Prefect blocks named in the settings: the account's credentials, the lake's bucket, X's bearer token.

prefect-aws is imported when a block is named and not before: the embedded default runs without it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import httpx
from prefect.blocks.system import Secret
from pydantic import ValidationError

from adverse_events.assembly import live
from adverse_events.aws.source import sessions_from
from adverse_events.errors import TransientServiceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from adverse_events.aws.settings import AwsSettings
    from adverse_events.settings import Settings

Kind = Literal["AwsCredentials", "S3Bucket", "Secret"]


@contextmanager
def aws_sessions() -> Iterator[None]:
    """Let aws.credentials_block be read while the block runs; entered in each flow and, threads apart, each task."""
    with sessions_from(session_of_block):
        yield


def resolve(settings: Settings) -> Settings:
    """Return `settings` with what blocks say: the place of the lake, and the bearer token of X, where they decide it.

    Raises:
        UsageError: No such block, or one that holds credentials which no other service could be given.
        TransientServiceError: The Prefect server does not answer.
    """
    return _with_lake(_with_token(settings))


def _with_token(settings: Settings) -> Settings:
    if not settings.x.needs_block:
        return settings
    name = str(settings.x.bearer_token_block)
    held = _load("Secret", name).get()
    if not isinstance(held, str):
        msg = f"Prefect Secret block {name} holds no text; save the bearer token itself in it"
        raise UsageError(msg)
    return settings.model_copy(
        update={"x": settings.x.model_copy(update={"bearer_token": live.token_of(held), "bearer_token_block": None})}
    )


def _with_lake(settings: Settings) -> Settings:
    if not settings.lake.needs_block:
        return settings
    name = str(settings.lake.bucket_block)
    bucket = _load("S3Bucket", name)
    path = f"s3://{bucket.bucket_name}/{bucket.bucket_folder}".rstrip("/")
    lake = settings.lake.model_copy(update={"path": path, "bucket_block": None})
    block = settings.aws.credentials_block or _saved_credentials(bucket.credentials, name)
    return settings.model_copy(
        update={"lake": lake, "aws": settings.aws.model_copy(update={"credentials_block": block})}
    )


def session_of_block(settings: AwsSettings) -> boto3.Session:
    """Return a session with the credentials of aws.credentials_block; aws.region wins over the block's.

    Raises:
        UsageError: No such block, or one that points at a server of its own.
        TransientServiceError: The Prefect server does not answer.
    """
    name = str(settings.credentials_block)
    block = _load("AwsCredentials", name)
    if block.aws_client_parameters.endpoint_url:
        msg = f"AwsCredentials block {name} sets an endpoint_url; set AWS_ENDPOINT_URL for this process instead"
        raise UsageError(msg)
    session: boto3.Session = block.model_copy(
        update={"region_name": settings.region or block.region_name}
    ).get_boto3_session()
    return session


def _saved_credentials(credentials: Any, name: str) -> str | None:
    """Return the name under which the credentials of an S3Bucket block are saved; None where it has none."""
    if saved := credentials._block_document_name:  # noqa: SLF001 - Prefect keeps it nowhere else
        return str(saved)
    if any(
        value
        for field, value in credentials
        if field.startswith(("aws_access", "aws_secret", "profile", "assume_role_arn", "minio"))
    ):
        msg = f"S3Bucket block {name} holds keys of its own; save them as an AwsCredentials block and choose that in it"
        raise UsageError(msg)
    return None


def _load(kind: Kind, name: str) -> Any:
    try:
        return _block_type(kind).load(name)
    except ValidationError:
        # Its message quotes the block's values, keys among them.
        msg = f"Prefect {kind} block {name} does not fit the installed libraries; save it again"
        raise UsageError(msg) from None
    except ValueError as error:
        register = "" if kind == "Secret" else " (after: prefect block register -m prefect_aws)"
        msg = (
            f"there is no Prefect {kind} block {name}; create it in the Prefect UI under Blocks{register}, or correct "
            "the setting"
        )
        raise UsageError(msg) from error
    except (httpx.HTTPError, RuntimeError) as error:
        detail = f"no answer ({type(error).__name__}); check PREFECT_API_URL and that the server runs"
        raise TransientServiceError("Prefect server", f"load {kind} block {name}", detail) from error


def _block_type(kind: Kind) -> Any:
    if kind == "Secret":
        return Secret
    try:
        import prefect_aws  # noqa: PLC0415 - an extra, needed by those who name a block
    except ImportError as error:
        msg = f"{error.name} is not installed; a Prefect {kind} block needs: pip install -c constraints.txt -e '.[aws]'"
        raise UsageError(msg) from error
    return getattr(prefect_aws, kind)
