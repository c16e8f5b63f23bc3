"""Keys and tokens, from wherever the settings keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.assembly import live
from adverse_events.assembly.account import remote_parts
from adverse_events.errors import UsageError
from adverse_events.privacy import IdentityKey
from adverse_events.settings import identity_key_path

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adverse_events.settings import Settings


def identity_key_for(settings: Settings) -> IdentityKey:
    """Return the key of keyed hashes: the setting, else the secret it names, else this user's own, created once.

    Raises:
        UsageError: The key is too short, or its file cannot be used.
        ServiceError: The secret cannot be read.
    """
    privacy = settings.privacy
    if privacy.identity_key:
        return IdentityKey.from_secret(privacy.identity_key)
    if privacy.identity_key_secret:
        return remote_parts(settings.aws).identity_key(privacy.identity_key_secret)
    return IdentityKey.load_or_create(identity_key_path())


def token_for(settings: Settings) -> SecretStr:
    """Return X's bearer token: the setting, else the secret it names.

    Raises:
        UsageError: None is set, it is none, or a block that only flows can read.
        ServiceError: The secret cannot be read.
    """
    live.check_token(settings.x)
    if settings.x.bearer_token:
        return settings.x.bearer_token
    if settings.x.bearer_token_secret:
        return live.token_of(remote_parts(settings.aws).secret(settings.x.bearer_token_secret))
    msg = f"x.bearer_token_block {settings.x.bearer_token_block} is read by flows only; set ADE_X__BEARER_TOKEN here"
    raise UsageError(msg)
