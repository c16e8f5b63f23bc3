"""What every source of posts hands over: posts, refused inputs, and nothing lost in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

ROWS_PER_CHUNK = 4096
CHARACTERS_PER_CHUNK = 4_000_000
"""A chunk is handed over at whichever limit comes first: long posts must not widen a run's memory."""


@dataclass(frozen=True, slots=True)
class Tweet:
    """One post as its source gives it: not yet masked, so never stored or logged in this form.

    Attributes:
        tweet_id: The source's id, as text.
        text: Whole text.
        created_at: Aware.
        lang: ISO 639 code the source gives; None when it gives none or says "undetermined".
        author_id: The source's name or id of the author.
        is_repost: Repeats another post without adding to it.
        origin: File, relative to the source, or landing key.
        row_number: Line or row in that file, from 1; None where it has none.
        payload_sha256: Hash of the bytes it was read from, hex.
        is_masked: The text is masked, and id and author are what may be stored already.
    """

    tweet_id: str
    text: str = field(repr=False)
    created_at: datetime
    lang: str | None
    author_id: str | None = field(repr=False)
    is_repost: bool
    origin: str
    row_number: int | None
    payload_sha256: str
    is_masked: bool = False


@dataclass(frozen=True, slots=True)
class Reject:
    """One input that broke the contract.

    Attributes:
        reason: Short code, such as `malformed_json`.
        detail: What was wrong and how to mend it; never post text.
        origin: As in `Tweet`.
        row_number: As in `Tweet`.
        payload_sha256: As in `Tweet`.
        tweet_id: The source's id, where it could be read.
        created_at: Aware, where it could be read.
        is_masked: As in `Tweet`.
    """

    reason: str
    detail: str
    origin: str
    row_number: int | None
    payload_sha256: str
    tweet_id: str | None = None
    created_at: datetime | None = None
    is_masked: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of the range asked for that a source did not read; its windows are not touched.

    Attributes:
        start: First instant, on the window grid.
        end: First instant after.
        why: What stopped the reading and how to go on; None where there was no need to read, for the lake is up to
            date.
    """

    start: datetime
    end: datetime
    why: str | None


@dataclass(frozen=True, slots=True)
class SourceChunk:
    """The next few thousand inputs of a source, in the order it holds them.

    Attributes:
        origins: Files, or landing keys, that this chunk was read from, also those without a row.
        left_out: What the source did not read of the range. No row of it is in any chunk.
    """

    origins: tuple[str, ...]
    tweets: tuple[Tweet, ...]
    rejects: tuple[Reject, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def n_rows(self) -> int:
        """Inputs accounted for by this chunk."""
        return len(self.tweets) + len(self.rejects)


class TweetSource(Protocol):
    """Anything posts can be read from."""

    @property
    def name(self) -> str:
        """Channel written to column `source`, such as `x`."""
        ...

    def read(self) -> Iterator[SourceChunk]:
        """Yield every input once, as a post or as a reject, in bounded memory.

        Raises:
            UsageError: The source does not exist or is not what the settings say.
            ContractError: It cannot be read to its end; what was yielded so far must not be written.
        """
        ...
