"""Settings of a drop folder."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, field_validator


class DropSettings(BaseModel, frozen=True, extra="forbid"):
    """How files that others drop are read (source.kind = drop)."""

    settle_seconds: float = Field(
        60, ge=0, description="A file that was changed more recently is left for the next run: it may still grow."
    )
    time_zone: str | None = Field(
        None, description="Zone of times in file names that give none, such as UTC or Europe/Berlin. Empty: refused."
    )
    time_format: str | None = Field(
        None,
        description="Where the time stands in the name of a note, in strptime's letters, such as call-%Y%m%d-%H%M. "
        "Empty: an ISO 8601 date and time anywhere in the name.",
    )
    time_from_file: bool = Field(
        default=False,
        description="Take a note's time from when its file was last changed, where its name gives none: only where "
        "files are written when the words were, and never copied.",
    )
    encoding: str = Field("utf-8", description="Encoding of notes without a mark of their own, such as cp1252.")
    keep_quotes: bool = Field(
        default=False,
        description="Keep what an e-mail quotes, replies to and signs, instead of its writer's own words only.",
    )
    channel_from_folder: bool = Field(
        default=True, description="The first folder of a file's path names its channel, such as calls/ or mail/."
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                msg = f"{name!r} is no time zone; write one such as UTC or Europe/Berlin"
                raise ValueError(msg) from error
        return name

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            b"a".decode(name, "replace")
        except LookupError as error:
            msg = f"{name!r} is no encoding; write one such as utf-8 or cp1252"
            raise ValueError(msg) from error
        return name
