"""What is asked for of each post: in signal mode nothing about its author, who would be paid for besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adverse_events.privacy import PrivacySettings

POST = ("created_at", "edit_history_tweet_ids", "lang", "note_tweet", "referenced_tweets", "withheld")

SIGNAL: Mapping[str, str] = {"tweet.fields": ",".join(POST)}

CASE: Mapping[str, str] = {
    "tweet.fields": ",".join(sorted((*POST, "author_id", "geo"))),
    "expansions": "author_id,geo.place_id",
    "user.fields": "location",
    "place.fields": "country,country_code,full_name,name,place_type",
}
"""With the author, and where they say they are."""


def fields_for(privacy: PrivacySettings) -> Mapping[str, str]:
    """Return the parameters that say which fields and expansions are wanted."""
    return CASE if privacy.mode == "case" else SIGNAL
