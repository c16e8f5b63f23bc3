"""Settings of the listener."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class ListenSettings(BaseModel, frozen=True, extra="forbid"):
    """How a stream is listened to."""

    rule_tag: str = Field(
        "ade",
        pattern=r"^[a-z0-9-]{1,32}$",
        description="Begins the tag of this listener's rules. Rules with another tag are never touched; two "
        "listeners of one account need two tags.",
    )
    rule_characters: int = Field(
        512, ge=128, le=4096, description="Longest rule the account's plan allows, characters: 512 or 1,024."
    )
    silence_seconds: float = Field(
        25,
        gt=0,
        description="Quiet after which a stream counts as dead; X sends a heartbeat at least every 20 seconds.",
    )
    recovery: Literal["search", "stream", "none"] = Field(
        "search",
        description="How posts missed between two connections are fetched: search reads the gap by recent search (up "
        "to seven days, and pays per post); stream asks the stream for up to five minutes, which not every plan has.",
    )
    settle_seconds: float = Field(
        120, ge=0, description="Wait after a window's end before it is written; posts that come later are added later."
    )
    rewrite_seconds: float = Field(
        600, ge=0, description="Least time between two writings of a window for posts that came late, seconds."
    )
    assess_seconds: float = Field(
        1.0, gt=0, le=60, description="Longest a landed post waits for others to be assessed with it, seconds."
    )
    assess_posts: int = Field(256, ge=1, description="Most posts that are assessed together.")
    waiting_posts: int = Field(
        20_000,
        ge=100,
        description="Most posts that wait in memory, each, to be landed and to be assessed. Beyond, the stream is read "
        "no further, and assessing catches up from the landing store.",
    )
    patience_seconds: float = Field(
        600, ge=0, description="How long a landing store that does not answer is asked again before the listener ends."
    )
    pause_scale: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Multiplies the pauses X prescribes between two tries to connect. Below 1 only for a server of "
        "your own.",
    )
