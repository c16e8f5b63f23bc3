"""What lands, and what is asked of a store of it.

A landed post is masked already: its id is a keyed hash in signal mode, and no author is kept there. What a store
holds can be read by window, forgotten by id, and is gone after the retention.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROWS_PER_PAGE = 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_PER_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class LandedPost:
    """One post as it is kept: masked.

    Attributes:
        tweet_id: As the lake keeps it: a keyed hash in signal mode, the source's id in case mode.
        text: Whole text, masked.
        created_at: Aware, to the millisecond.
        lang: ISO 639 code the source gives, None where it gives none.
        author_pseudonym: Keyed hash in case mode, None in signal mode.
        is_repost: Repeats another post without adding to it.
        payload_sha256: Hash of the bytes it was read from, hex.
        earlier_ids: Ids, as kept, of the versions that this one replaces, first to last; empty for a post that was
            never edited.
        stamp: When it landed, see `Landed.stamp`; 0 before it has.
    """

    tweet_id: str
    text: str = field(repr=False)
    created_at: datetime
    lang: str | None
    author_pseudonym: str | None
    is_repost: bool
    payload_sha256: str
    earlier_ids: tuple[str, ...] = ()
    stamp: int = 0


@dataclass(frozen=True, slots=True)
class LandedReject:
    """One delivery that is no post: what was wrong with it, and never what it said.

    Attributes:
        reason: Short code, such as `malformed_json`.
        detail: What was wrong.
        payload_sha256: Hash of what was delivered, hex; one hash is kept once.
        received_at: Aware.
        tweet_id: As the lake keeps ids, where one could be read.
        created_at: Aware, where it could be read.
    """

    reason: str
    detail: str
    payload_sha256: str
    received_at: datetime
    tweet_id: str | None = None
    created_at: datetime | None = None

    @property
    def dated(self) -> datetime:
        """The moment it is filed under: that of the post, else that of its delivery."""
        return self.created_at or self.received_at


Mark = Literal["assessed", "heard"]
"""What a listener leaves to the next one.

assessed: the stamp through which posts have been assessed. heard: milliseconds since 1970 through which everything that
was published has landed.
"""


class Landed(NamedTuple):
    """What one `put` came to.

    Attributes:
        stamp: Grows with every `put` of a store; milliseconds since 1970, about.
        new: Which of the posts were not there before, by position.
        n_duplicates: Posts that were there already, or whose later version was: nothing was changed for them.
        n_replaced: Earlier versions of edited posts that were taken out.
        n_forgotten: Posts that had been forgotten, and stay so.
    """

    stamp: int
    new: tuple[int, ...] = ()
    n_duplicates: int = 0
    n_replaced: int = 0
    n_forgotten: int = 0


class LandedPage(NamedTuple):
    """The next rows of a range: posts in the order of created_at and tweet_id, and rejects in any."""

    posts: tuple[LandedPost, ...]
    rejects: tuple[LandedReject, ...]


class StoreFacts(NamedTuple):
    """What a store is for; one opened for something else is refused.

    Attributes:
        privacy_mode: signal or case.
        key_fingerprint: Names the key of its ids, see `privacy.IdentityKey.fingerprint`.
        window_minutes: Length of the windows whose changes it keeps track of.
    """

    privacy_mode: str
    key_fingerprint: str
    window_minutes: int

    def window_of(self, created_ms: int) -> int:
        """Return the start of the window that holds a moment, both in milliseconds since 1970."""
        length = self.window_minutes * _MS_PER_MINUTE
        return created_ms - created_ms % length


class LandingStore(Protocol):
    """A durable place for posts; safe for several threads and processes.

    Every method raises `TransientServiceError` where asking again may help and `PermanentServiceError` where a person
    has to: the table or file is not there, or access to it is refused. Neither leaves half of a post.
    """

    @property
    def name(self) -> str:
        """The store in messages."""
        ...

    @property
    def lag_seconds(self) -> float:
        """How long after a `put` a `read` may still miss its posts; 0 where never."""
        ...

    def put(self, posts: Sequence[LandedPost], rejects: Sequence[LandedReject] = ()) -> Landed:
        """Keep `posts`; once this returns they survive a crash.

        A post that is there already is left as it is. An edited post takes the place of its earlier versions, whichever
        comes first, and never the other way round.
        """
        ...

    def read(self, start: datetime, end: datetime) -> Iterator[LandedPage]:
        """Yield what was posted in ``[start, end)``, a page at a time, in an order that depends on nothing else."""
        ...

    def count(self, start: datetime, end: datetime) -> int:
        """Return the number of posts in ``[start, end)``."""
        ...

    def forget(self, tweet_ids: Iterable[str]) -> int:
        """Take posts out for good: text, author and all; delivered again, they stay out.

        Args:
            tweet_ids: As the lake keeps them. The id of any version takes out the version that is kept.

        Returns:
            How many posts were taken out; ids that were never here count for nothing.
        """
        ...

    def touched(self) -> dict[datetime, int]:
        """Return the windows changed since they were last settled, by start, each with the stamp of its last change."""
        ...

    def settle(self, window_start: datetime, stamp: int) -> bool:
        """Take a window off the touched ones, unless it has changed since `stamp`; returns whether it was taken off."""
        ...

    def mark(self, name: Mark) -> int:
        """Return a mark, 0 where it was never set."""
        ...

    def set_mark(self, name: Mark, value: int) -> None:
        """Remember a mark; the processes that follow find it."""
        ...

    def expire(self, before: datetime) -> int:
        """Delete what was posted before a moment; returns how many rows went. 0 where the service does it itself."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def milliseconds(moment: datetime) -> int:
    """Return an aware moment as whole milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment_of(ms: int) -> datetime:
    """Return milliseconds since 1970 as an aware moment, UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def differences(made: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Return in which facts a store differs from what is wanted, each as words."""
    return [f"{name} {made[name]} and not {value}" for name, value in wanted.items() if made.get(name) != value]
