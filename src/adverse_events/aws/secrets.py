"""Secrets Manager: one secret's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.aws.errors import translated
from adverse_events.errors import PermanentServiceError

if TYPE_CHECKING:
    from adverse_events.aws.session import Cloud

SERVICE = "secretsmanager"


def secret_text(cloud: Cloud, name: str) -> str:
    """Return the text of the secret `name` (its name or ARN), without surrounding blanks.

    Raises:
        TransientServiceError: Secrets Manager may answer if asked again.
        PermanentServiceError: No such secret, no permission, or a secret that holds no text. No message quotes it.
    """
    with translated(SERVICE, f"GetSecretValue {name}"):
        answer = cloud.client(SERVICE).get_secret_value(SecretId=name)
    text = str(answer.get("SecretString") or "").strip()
    if not text or text.startswith("{"):
        held = "key/value pairs" if text else "no text"
        raise PermanentServiceError(
            SERVICE, f"GetSecretValue {name}", f"the secret holds {held}; store the value itself, as plaintext"
        )
    return text
