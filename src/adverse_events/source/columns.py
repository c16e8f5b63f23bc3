"""Which column of a file holds what: asked for, or found by its usual names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from adverse_events.errors import UsageError
from adverse_events.source.rows import check_column, listed

TEXT_NAMES = ("text", "full_text", "tweet_text", "tweet", "content", "body", "message", "post")
ID_NAMES = ("id", "tweet_id", "id_str", "post_id", "status_id", "message_id")
TIME_NAMES = ("created_at", "timestamp", "datetime", "date", "time", "posted_at", "published_at")
LANG_NAMES = ("lang", "language")
LOCATION_NAMES = ("author_location", "user_location", "profile_location")
AUTHOR_NAMES = ("author_id", "user_id", "author", "username", "user_name", "screen_name", "user")


@dataclass(frozen=True)
class Columns:
    """Which column of a file holds what; None where none does.

    Attributes:
        tweet_id: None: an id is derived from each post's time and text.
        created_at: None: every post is of the time assumed.
    """

    text: str
    tweet_id: str | None
    created_at: str | None
    lang: str | None
    author: str | None
    location: str | None = None
    channel: str | None = None

    @classmethod
    def of(
        cls,
        columns: tuple[str, ...],
        origin: str,
        *,
        text: str | None = None,
        tweet_id: str | None = None,
        created_at: str | None = None,
        lang: str | None = None,
        author: str | None = None,
        location: str | None = None,
        channel: str | None = None,
        needs_time: bool = True,
    ) -> Self:
        """Find the columns of a file.

        Args:
            columns: Names the file has.
            origin: Name of the file, for messages.
            text: Column asked for; None looks for the usual names. So for the others.
            tweet_id: As `text`.
            created_at: As `text`.
            lang: As `text`.
            author: As `text`.
            location: As `text`.
            channel: Column asked for; not looked for by itself.
            needs_time: No time is assumed for posts without one.

        Raises:
            UsageError: A column asked for is missing, or no text or time is to be found.
        """

        def find(asked: str | None, usual: tuple[str, ...]) -> str | None:
            if not columns:  # JSON of which no row could be read: each will be refused for its own reason
                return asked or next(iter(usual), None)
            if asked is not None:
                return check_column(asked, columns, origin)
            by_name = {name.lower(): name for name in reversed(columns)}
            return next((by_name[name] for name in usual if name in by_name), None)

        found_text, found_time = find(text, TEXT_NAMES), find(created_at, TIME_NAMES)
        if found_text is None:
            msg = f"{origin}: no column of text among {listed(columns)}; name it with text_column"
            raise UsageError(msg)
        if found_time is None and needs_time:
            msg = (
                f"{origin}: no column of times among {listed(columns)}; name it with time_column, or give assume_time "
                "to take all posts as of one moment"
            )
            raise UsageError(msg)
        return cls(
            found_text,
            find(tweet_id, ID_NAMES),
            found_time,
            find(lang, LANG_NAMES),
            find(author, AUTHOR_NAMES),
            find(location, LOCATION_NAMES),
            None if channel is None else find(channel, ()),
        )
