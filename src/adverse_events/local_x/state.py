"""What the server knows: posts by time and id, which of them are gone, its clock, its limits and who may ask."""

from __future__ import annotations

import html
import json
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any

from adverse_events.local_x.clock import Clock
from adverse_events.local_x.faults import Faults
from adverse_events.local_x.query import Document, candidates, words_of
from adverse_events.sample.clock import snowflake
from adverse_events.sample.week import DAYS, START
from adverse_events.sample.wire import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from adverse_events.local_x.query import Query
    from adverse_events.sample.post import GeneratedPost

TOKEN = "local-x-token"  # noqa: S105 - opens nothing but this server
PRODUCTS = frozenset({"recent", "all"})

X_LIMITS = {
    "search/recent": 450,
    "search/all": 300,
    "counts/recent": 300,
    "counts/all": 300,
    "lookup": 3500,
}
"""Requests per 15 minutes and App. Source: "Rate limits", X API v2 documentation, read 2026-11."""

PERIOD_S = 900


@dataclass(frozen=True, slots=True)
class HeldPost:
    """One post.

    Attributes:
        tweet_id: As a number; its order is that of time.
        body: JSON of ``{"data": Tweet, "includes": ...}``.
        document: What queries match.
    """

    tweet_id: int
    body: bytes
    document: Document

    def load(self) -> dict[str, Any]:
        """Return the post with its includes."""
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


class State:
    """Everything that can be asked or switched; safe to change while requests are under way.

    Attributes:
        clock: The server's time; at the end of the sample week unless given.
        faults: What goes wrong.
        asked: Requests by route, whatever came of them.
        served: Posts sent.
        limits: Requests per 15 minutes by route; a route that is not named has none. `X_LIMITS` are X's.
        token: What a request must bring.
        is_enrolled: Whether the App belongs to a Project.
        products: Searches that the plan includes.
        posts_left: Posts until the monthly cap; None: no cap.
        token_lifetime_s: How long a page token is good, by the server's clock; None: for ever.
    """

    def __init__(self, *, clock: Clock | None = None, seed: int = 0) -> None:
        """Start without posts."""
        self.clock = clock or Clock(START + timedelta(days=DAYS))
        self.faults = Faults(seed)
        self.asked: Counter[str] = Counter()
        self.served = 0
        self.limits: dict[str, int] = {}
        self.token, self.is_enrolled, self.products = TOKEN, True, PRODUCTS
        self.posts_left: int | None = None
        self.token_lifetime_s: float | None = None
        self.lock = RLock()
        self._posts: dict[int, HeldPost] = {}
        self._ids: list[int] = []
        self._holders: defaultdict[str, set[int]] = defaultdict(set)
        self._hidden: dict[int, str] = {}
        self._periods: dict[str, tuple[float, int]] = {}

    def add_sample(self, posts: Iterable[GeneratedPost]) -> None:
        """Take generated posts."""
        for post in posts:
            sent = page([post])
            self.add(sent["data"][0], sent["includes"])

    def add(self, tweet: dict[str, Any], includes: dict[str, Any] | None = None) -> HeldPost:
        """Take one post; one with a known id takes its place.

        Args:
            tweet: Tweet object of X API v2, with every field a request might ask for. The id agrees with its time.
            includes: Users, places and posts it refers to.
        """
        includes = includes or {}
        users = {user["id"]: user for user in includes.get("users", ())}
        document = _document(tweet, users.get(tweet.get("author_id"), {}).get("username", ""))
        body = json.dumps({"data": tweet, "includes": includes}, ensure_ascii=False, separators=(",", ":")).encode()
        held = HeldPost(int(tweet["id"]), body, document)
        with self.lock:
            if held.tweet_id not in self._posts:
                insort(self._ids, held.tweet_id)
            self._posts[held.tweet_id] = held
            for word in set(document.words.split()):
                self._holders[word].add(held.tweet_id)
        return held

    def edit(self, tweet_id: str, new_id: str, text: str) -> None:
        """Let a post's author change its text: a post with a new id, which search and stream send from now on."""
        old = self._posts[int(tweet_id)].load()
        history = [*old["data"]["edit_history_tweet_ids"], new_id]
        tweet = {**old["data"], "id": new_id, "text": text, "edit_history_tweet_ids": history}
        tweet.pop("note_tweet", None)
        with self.lock:
            self.add(tweet, old["includes"])
            self._hidden[int(tweet_id)] = "edited"

    def delete(self, *tweet_ids: str) -> None:
        """Let posts be deleted."""
        with self.lock:
            self._hidden.update(dict.fromkeys(map(int, tweet_ids), "deleted"))

    def protect(self, *tweet_ids: str) -> None:
        """Let the authors of posts protect them, or be suspended."""
        with self.lock:
            self._hidden.update(dict.fromkeys(map(int, tweet_ids), "protected"))

    def why_hidden(self, tweet_id: int) -> str | None:
        """Return deleted, protected or edited; None for a post that is shown."""
        return self._hidden.get(tweet_id)

    def post(self, tweet_id: int) -> HeldPost | None:
        """Return a post, hidden or not."""
        return self._posts.get(tweet_id)

    def posts(self) -> Iterator[HeldPost]:
        """Yield every post that is shown, oldest first."""
        with self.lock:
            ids = [each for each in self._ids if each not in self._hidden]
        for tweet_id in ids:
            yield self._posts[tweet_id]

    def matching(self, query: Query, start: datetime, end: datetime, before: int | None = None) -> Iterator[HeldPost]:
        """Yield the posts of ``[start, end)`` that `query` asks for, newest first.

        Args:
            query: What is asked for.
            start: Aware.
            end: Aware.
            before: Only ids below this one.
        """
        first, last = snowflake(start, 0), snowflake(end, 0)
        last = min(last, before) if before is not None else last
        with self.lock:
            among = candidates(query, self._holders)
            if among is None:
                ids = self._ids[bisect_left(self._ids, first) : bisect_left(self._ids, last)]
            else:
                ids = sorted(each for each in among if first <= each < last)
            held = [self._posts[each] for each in reversed(ids) if each not in self._hidden]
        return (post for post in held if query.matches(post.document))

    def take_request(self, route: str) -> tuple[bool, dict[str, str]]:
        """Count one request and return whether the rate limit lets it in, with the headers that tell of it."""
        with self.lock:
            self.asked[route] += 1
            limit = self.limits.get(route)
            if limit is None:
                return True, {}
            now = self.clock.seconds()
            end, n_used = self._periods.get(route, (0.0, 0))
            if now >= end:
                end, n_used = now + PERIOD_S, 0
            self._periods[route] = end, n_used + 1
            headers = {
                "x-rate-limit-limit": str(limit),
                "x-rate-limit-remaining": str(max(0, limit - n_used - 1)),
                "x-rate-limit-reset": str(int(end)),
            }
            return n_used < limit, headers

    def take_posts(self, n_posts: int) -> None:
        """Count posts sent."""
        with self.lock:
            self.served += n_posts
            if self.posts_left is not None:
                self.posts_left = max(0, self.posts_left - n_posts)


def _document(tweet: dict[str, Any], username: str) -> Document:
    text = html.unescape(tweet.get("note_tweet", {}).get("text") or tweet.get("text") or "")
    kinds = {
        f"is:{name}"
        for reference in tweet.get("referenced_tweets", ())
        if (name := {"retweeted": "retweet", "replied_to": "reply", "quoted": "quote"}.get(reference["type"]))
    }
    kinds |= {f"has:{name}" for name in ("hashtags", "mentions") if tweet.get("entities", {}).get(name)}
    if tweet.get("entities", {}).get("urls"):
        kinds.add("has:links")
    return Document(words_of(text), tweet.get("lang") or "und", frozenset(kinds), username.casefold())
