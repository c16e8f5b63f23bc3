"""Checks of the account, and of each part that the settings put on AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3

from adverse_events.aws.doctor.catalog import catalog_checks
from adverse_events.aws.doctor.models import model_checks
from adverse_events.aws.doctor.protocol import Check, Doubt, Permission
from adverse_events.aws.doctor.storage import storage_checks
from adverse_events.aws.errors import translated
from adverse_events.aws.secrets import secret_text
from adverse_events.aws.session import Cloud
from adverse_events.errors import PermanentServiceError, ServiceError, UsageError
from adverse_events.privacy import IdentityKey

if TYPE_CHECKING:
    from adverse_events.settings import Settings

CREDENTIALS, REGION = "credentials", "region"

SKEW_SECONDS = 240
"""Largest difference of clocks that is called fine: AWS refuses signatures from 5 minutes on, S3 from 15."""


def cloud_checks(settings: Settings) -> list[Check]:
    """Return the checks of the account and of what stands in it.

    Raises:
        UsageError: A credentials block that cannot be read.
        PermanentServiceError: A profile that does not exist.
    """
    cloud = Cloud(settings.aws)
    account = _account(cloud)
    needs = (CREDENTIALS, REGION)
    checks = [
        Check(
            REGION,
            "aws.region, AWS_REGION or the profile",
            partial(_region, cloud),
            "set aws.region; a region newer than boto3 works all the same",
        ),
        Check(
            CREDENTIALS,
            "sts GetCallerIdentity",
            partial(_caller, cloud),
            "configure the boto3 chain (role, profile, environment), aws.profile or aws.credentials_block",
            needs=(REGION,),
        ),
        Check(
            "clock",
            "the date of an answer of sts",
            partial(_clock, cloud),
            "mend the credentials first; if they are fine, set this machine's clock",
            needs=(REGION,),
        ),
    ]
    if settings.privacy.identity_key_secret and not settings.privacy.identity_key:
        checks.append(_secret_check(settings, cloud, account, needs))
    return [
        *checks,
        *storage_checks(settings, cloud, account, needs),
        *model_checks(settings, cloud, account, needs),
        *catalog_checks(settings, cloud, account, needs),
    ]


def _account(cloud: Cloud) -> str:
    """Return the account's number; a star where nobody says, since the permissions can be named all the same."""
    try:
        return str(_identity(cloud)["Account"])
    except ServiceError:
        return "*"


def _identity(cloud: Cloud) -> dict[str, Any]:
    with translated("sts", "GetCallerIdentity"):
        return dict(cloud.client("sts").get_caller_identity())


def _caller(cloud: Cloud) -> str:
    identity = _identity(cloud)
    return f"{identity['Arn']} in account {identity['Account']}"


def _region(cloud: Cloud) -> str | Doubt:
    region = cloud.region
    if not region:
        msg = "no region is configured"
        raise UsageError(msg)
    partitions = cloud.session.get_available_partitions()
    known = {name for partition in partitions for name in cloud.session.get_available_regions("ec2", partition)}
    if region in known:
        return region
    alike = ", ".join(get_close_matches(region, sorted(known), n=2))
    meant = f"; is it {alike}?" if alike else ""
    return Doubt(f"{region} is no region that boto3 {boto3.__version__} knows of{meant}")


def _clock(cloud: Cloud) -> str:
    try:
        headers = _identity(cloud)["ResponseMetadata"]["HTTPHeaders"]
    except ServiceError as error:
        # A refusal carries the date too, and a wrong clock is one reason for it.
        headers = getattr(error.__cause__, "response", {}).get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if "date" not in headers:
            raise
    # The form of RFC 9110, section 5.6.7, has this length; a proxy may append a date of its own.
    there = parsedate_to_datetime(headers["date"][:29])
    seconds = (datetime.now(UTC) - there).total_seconds()
    if abs(seconds) > SKEW_SECONDS:
        detail = f"this machine's clock is {abs(seconds) / 60:.0f} minutes {'ahead' if seconds > 0 else 'behind'}"
        raise PermanentServiceError("sts", "GetCallerIdentity", detail)
    return f"{abs(seconds):.0f} s from AWS's"


def _secret_check(settings: Settings, cloud: Cloud, account: str, needs: tuple[str, ...]) -> Check:
    name = str(settings.privacy.identity_key_secret)
    arn = name if name.startswith("arn:") else f"arn:aws:secretsmanager:{cloud.region}:{account}:secret:{name}-*"

    def examine() -> str:
        return f"fingerprint {IdentityKey.from_store(secret_text(cloud, name), name).fingerprint}"

    return Check(
        "identity key",
        f"secretsmanager GetSecretValue {name}",
        examine,
        "create the secret as plaintext of 32 characters or more, or correct privacy.identity_key_secret",
        (Permission("secretsmanager:GetSecretValue", arn),),
        needs=needs,
    )
