"""From a post as its source gives it to one that may be kept, before it touches a disk or a network."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from adverse_events.landing.protocol import LandedPost, LandedReject
from adverse_events.privacy import mask_text, stored_author, stored_id

if TYPE_CHECKING:
    from adverse_events.privacy import IdentityKey
    from adverse_events.source.protocol import Reject, Tweet


class Masker:
    """Does to a post what `source.intake` does to one of an archive, so that both give the lake the same rows.

    Args:
        key: Key of the pseudonyms.
        keeps_ids: True in case mode: ids stay as they are, and authors get a pseudonym.
    """

    def __init__(self, key: IdentityKey, *, keeps_ids: bool) -> None:
        """Take the key."""
        self._key, self._keeps_ids = key, keeps_ids

    def post(self, tweet: Tweet) -> LandedPost:
        """Return `tweet` masked."""
        return LandedPost(
            tweet_id=self.id(tweet.tweet_id),
            text=mask_text(tweet.text),
            created_at=tweet.created_at,
            lang=tweet.lang,
            author_pseudonym=stored_author(tweet.author_id, self._key, keeps_ids=self._keeps_ids),
            is_repost=tweet.is_repost,
            payload_sha256=tweet.payload_sha256,
            earlier_ids=tuple(map(self.id, tweet.earlier_ids)),
        )

    def reject(self, reject: Reject, received_at: datetime | None = None) -> LandedReject:
        """Return `reject` masked, received now if no other moment is given."""
        return LandedReject(
            reason=reject.reason,
            detail=reject.detail,
            payload_sha256=reject.payload_sha256,
            received_at=received_at or datetime.now(UTC),
            tweet_id=None if reject.tweet_id is None else self.id(reject.tweet_id),
            created_at=reject.created_at,
        )

    def id(self, tweet_id: str) -> str:
        """Return an id of the source as the lake keeps it."""
        return stored_id(tweet_id, self._key, keeps_ids=self._keeps_ids)
