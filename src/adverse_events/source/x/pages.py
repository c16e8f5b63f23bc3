"""One answer of X read into rows: masked, each told apart by the first version of its post."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adverse_events.errors import AnswerError
from adverse_events.privacy import mask_text, stored_author, stored_id
from adverse_events.source.columns import Columns
from adverse_events.source.json_rows import posts_of
from adverse_events.source.posts import PostReader
from adverse_events.source.protocol import Reject, Tweet
from adverse_events.source.x.state import StoredRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from adverse_events.privacy import IdentityKey, PrivacySettings

COLUMNS = Columns(text="text", tweet_id="id", created_at="created_at", lang="lang", author="author_id")

_WORDS = ("resource_type", "parameter", "title")


@dataclass(frozen=True)
class PageReader:
    """Reads answers into rows that may lie on a disk.

    Attributes:
        origin: Name of the source in rejects.
        privacy: Says what becomes of ids and authors.
        key: Key of the pseudonyms.
        bounds: Half-open range of times that was asked for; a post of another time is refused, for it would be counted
            in a window that was not read.
    """

    origin: str
    privacy: PrivacySettings
    key: IdentityKey
    bounds: tuple[datetime, datetime]

    def read(self, page: Mapping[str, Any]) -> Iterator[StoredRow]:
        """Yield the posts of `page`, and a reject for each partial error in it."""
        reader = PostReader(COLUMNS, self.origin)
        if page.get("data"):
            for row in posts_of({"data": page["data"], "includes": page.get("includes", {})}, 1, None):
                outcome = self._inside(replace(reader.read(row), row_number=None))
                history = row.values.get("edit_history_tweet_ids")
                versions = history if isinstance(history, list) else []
                if isinstance(outcome, Reject):  # never takes the place of a post, whatever it says it is a version of
                    yield StoredRow(f"reject {outcome.payload_sha256}", 0, self._masked(outcome))
                else:
                    root = str(versions[0]) if versions else outcome.tweet_id
                    yield StoredRow(self._id(root), len(versions), self._masked(outcome))
        for error in page.get("errors") or ():
            yield self._partial(error)

    def _inside(self, outcome: Tweet | Reject) -> Tweet | Reject:
        start, end = self.bounds
        if outcome.created_at is None or start <= outcome.created_at < end:
            return outcome
        if isinstance(outcome, Reject):
            return replace(outcome, created_at=None)
        detail = "X answered with a post of another time than it was asked for"
        return Reject("wrong_time", detail, self.origin, None, outcome.payload_sha256, outcome.tweet_id)

    def _masked(self, outcome: Tweet | Reject) -> Tweet | Reject:
        if isinstance(outcome, Reject):
            return replace(outcome, tweet_id=outcome.tweet_id and self._id(outcome.tweet_id), is_masked=True)
        return replace(
            outcome,
            tweet_id=self._id(outcome.tweet_id),
            text=mask_text(outcome.text),
            author_id=stored_author(outcome.author_id, self.key, keeps_ids=self._keeps_ids),
            is_masked=True,
        )

    def _partial(self, error: Any) -> StoredRow:
        """Return the reject of one entry of ``errors``: something beside the posts could not be had."""
        words = [str(error.get(word, "")) for word in _WORDS] if isinstance(error, dict) else []
        detail = "X left something out of its answer" + (f" ({', '.join(filter(None, words))})" if any(words) else "")
        sha256 = hashlib.sha256(json.dumps(error, sort_keys=True).encode()).hexdigest()
        reject = Reject("partial_error", detail[:300], self.origin, None, sha256, is_masked=True)
        return StoredRow(f"error {sha256}", 0, reject)

    @property
    def _keeps_ids(self) -> bool:
        return self.privacy.mode == "case"

    def _id(self, tweet_id: str) -> str:
        return stored_id(tweet_id, self.key, keeps_ids=self._keeps_ids)


def check_page(page: Mapping[str, Any]) -> None:
    """Refuse what is no page of posts.

    Raises:
        AnswerError: Its posts are no list, or it does not say whether another page follows: taking it for the last one
            would lose posts.
    """
    data, meta = page.get("data", []), page.get("meta")
    if not isinstance(data, list) or not isinstance(meta, dict):
        raise AnswerError("X API page", "the answer is no page of posts")
