"""Which fields and expansions an answer holds: those asked for, as X sends no others.

Source:
    Parameters ``tweet.fields``, ``user.fields``, ``place.fields`` and ``expansions``, X API v2 documentation, read
    2026-11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from adverse_events.local_x.problems import missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adverse_events.local_x.state import State

_TWEET = """
id text edit_history_tweet_ids created_at lang author_id conversation_id public_metrics entities geo note_tweet
referenced_tweets in_reply_to_user_id possibly_sensitive withheld edit_controls source attachments
"""
_USER = "id name username location created_at description protected public_metrics verified url"
_PLACE = "id full_name country country_code contained_within geo name place_type"
_EXPANSIONS = "author_id geo.place_id referenced_tweets.id edit_history_tweet_ids"

KNOWN = {
    "tweet.fields": frozenset(_TWEET.split()),
    "user.fields": frozenset(_USER.split()),
    "place.fields": frozenset(_PLACE.split()),
    "expansions": frozenset(_EXPANSIONS.split()),
}

_ALWAYS = {
    "tweet.fields": ("id", "text", "edit_history_tweet_ids"),
    "user.fields": ("id", "name", "username"),
    "place.fields": ("id", "full_name"),
}


class UnknownFieldError(ValueError):
    """A field that X does not have; its parameter and value."""

    def __init__(self, parameter: str, value: str) -> None:
        """Name the `parameter` and the `value`."""
        super().__init__(parameter, value)
        self.parameter, self.value = parameter, value


@dataclass(frozen=True)
class Wanted:
    """What a request wants of each post.

    Attributes:
        fields: Parameter to the fields of that kind of object.
        expansions: Objects wanted beside the posts.
    """

    fields: Mapping[str, tuple[str, ...]]
    expansions: tuple[str, ...]

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Self:
        """Read a request's parameters.

        Raises:
            UnknownFieldError: It asks for what is not there.
        """
        asked: dict[str, tuple[str, ...]] = {}
        for parameter, known in KNOWN.items():
            asked[parameter] = tuple(filter(None, params.get(parameter, "").split(",")))
            for value in asked[parameter]:
                if value not in known:
                    raise UnknownFieldError(parameter, value)
        fields = {name: (*always, *asked[name]) for name, always in _ALWAYS.items()}
        return cls(fields, asked["expansions"])

    def answer(self, posts: Iterable[Mapping[str, Any]], state: State) -> dict[str, Any]:
        """Return ``data``, and ``includes`` and ``errors`` where there are any.

        Args:
            posts: Each with ``data`` and ``includes``, whole.
            state: Knows which posts are gone.
        """
        held = list(posts)
        includes: dict[str, dict[str, Any]] = {"users": {}, "places": {}, "tweets": {}}
        errors: dict[str, dict[str, Any]] = {}
        for post in held:
            self._expand(post, includes, errors, state)
        answer: dict[str, Any] = {"data": [self._tweet(post["data"]) for post in held]} if held else {}
        if found := {name: list(objects.values()) for name, objects in includes.items() if objects}:
            answer["includes"] = found
        if errors:
            answer["errors"] = list(errors.values())
        return answer

    def _expand(
        self,
        post: Mapping[str, Any],
        includes: dict[str, dict[str, Any]],
        errors: dict[str, dict[str, Any]],
        state: State,
    ) -> None:
        tweet, beside = post["data"], post["includes"]
        if "author_id" in self.expansions:
            users = {user["id"]: user for user in beside.get("users", ())}
            if author := users.get(tweet.get("author_id")):
                includes["users"][author["id"]] = self._only("user.fields", author)
        if "geo.place_id" in self.expansions:
            for place in beside.get("places", ()):
                includes["places"][place["id"]] = self._only("place.fields", place)
        if "referenced_tweets.id" in self.expansions:
            for reference in tweet.get("referenced_tweets", ()):
                other = state.post(int(reference["id"]))
                if other and not state.why_hidden(other.tweet_id):
                    includes["tweets"][reference["id"]] = self._tweet(other.load()["data"])
                else:
                    gone = {**missing(reference["id"]), "parameter": "referenced_tweets.id"}
                    errors[reference["id"]] = gone

    def _tweet(self, tweet: Mapping[str, Any]) -> dict[str, Any]:
        return self._only("tweet.fields", tweet)

    def _only(self, parameter: str, whole: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in whole.items() if name in self.fields[parameter]}
