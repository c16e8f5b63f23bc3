"""Settings of X API v2: who asks, how patiently, and what it may cost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BaseModel, Field, SecretStr

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_SCHEME = re.compile(r"^Bearer(\s+|$)")
_TOKEN = re.compile(r"[\x21-\x7e]+")


def _address(url: str) -> str:
    """Return `url` without its last slash; the token must not travel in the clear."""
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment or not parts.hostname:
        msg = "write only scheme and host, such as https://api.x.com"
        raise ValueError(msg)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        msg = "must begin with https://; http:// is for a server on this machine"
        raise ValueError(msg)
    return url.rstrip("/")


def checked_token(secret: SecretStr) -> SecretStr:
    """Return the token alone.

    Raises:
        ValueError: It can be none; the message does not quote it.
    """
    text = _SCHEME.sub("", secret.get_secret_value().strip())
    if not _TOKEN.fullmatch(text):
        msg = "is no bearer token: a token is one word of ASCII characters; copy it again from the developer console"
        raise ValueError(msg)
    return SecretStr(text)


Token = Annotated[SecretStr, AfterValidator(checked_token)]


class XSettings(BaseModel, frozen=True, extra="forbid"):
    """Who asks X API v2, how patiently, and what it may cost."""

    base_url: Annotated[str, AfterValidator(_address)] = Field(
        "https://api.x.com", description="Where X API v2 is; another one for a server of your own on this machine."
    )
    bearer_token: Token | None = Field(
        None, description="App-only bearer token, from the developer console; never a flag."
    )
    bearer_token_secret: str | None = Field(
        None,
        description="Name or ARN of the Secrets Manager secret that holds the token as plaintext, where x.bearer_token "
        "is not given.",
    )
    bearer_token_block: str | None = Field(
        None, description="Name of the Prefect Secret block that holds the token, where neither of these is given."
    )
    max_attempts: int = Field(
        6, ge=1, le=20, description="Tries per request, the first included, before a run gives up."
    )
    connect_timeout_s: float = Field(10, gt=0, description="Longest wait for a connection, seconds.")
    read_timeout_s: float = Field(30, gt=0, description="Longest wait for the next bytes of an answer, seconds.")
    longest_wait_s: float = Field(
        1000, ge=0, description="Longest wait for a rate limit to be reset, seconds; X's periods last 900."
    )
    state_folder: Path | None = Field(
        None,
        description="Folder of what is half fetched and of what was spent, on a disk that outlives a run; your state "
        "folder when unset.",
    )
    max_posts_per_run: int = Field(
        10_000, ge=0, description="Posts one run may read before it stops; 0 sets no limit. See `ade estimate`."
    )
    max_posts_per_month: int = Field(
        0,
        ge=0,
        description="Posts that may be read in a calendar month (UTC), as counted in x.state_folder; 0: no limit.",
    )
    price_per_post: float = Field(0.005, ge=0, description="Price of a post read, US dollars, for estimates.")
    price_per_user: float = Field(
        0.010, ge=0, description="Price of an author's profile read, US dollars; profiles are read in case mode only."
    )
    price_per_count: float = Field(
        0.005, ge=0, description="Price of a request for counts, US dollars, for estimates; a guess."
    )

    @property
    def needs_block(self) -> bool:
        """Whether the token stands in a Prefect block, which only flows can read."""
        return bool(self.bearer_token_block and not self.bearer_token and not self.bearer_token_secret)

    @property
    def state_place(self) -> Path:
        """Folder of what outlives a run."""
        return self.state_folder or Path(platformdirs.user_state_dir("adverse_events"))
