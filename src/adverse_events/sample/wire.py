"""Synthetic posts in the shape of X API v2.

Source:
    X API v2 data dictionary: Tweet, User and Place objects, ``note_tweet``, expansions,
    https://docs.x.com/x-api/fundamentals/data-dictionary, read 2026-11.
"""

from __future__ import annotations

import html
import re
import zlib
from typing import TYPE_CHECKING, Any

from adverse_events.sample.clock import iso_milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.sample.post import Author, GeneratedPost

LONGEST_TEXT = 280
LINK_CHARACTERS = 23
"""A link counts as 23 characters, whatever its length."""

_HASHTAG = re.compile(r"(?<!\w)#(\w+)")
_MENTION = re.compile(r"(?<![\w@])@(\w+)")
_LINK = re.compile(r"https://t\.co/\w+")
PLACE_EVERY = 40


def tweet(post: GeneratedPost) -> dict[str, Any]:
    """Return the Tweet object of `post`; ``text`` is cut at 280 characters and then ``note_tweet`` is whole."""
    whole = html.escape(post.text, quote=False)
    text = whole
    is_long = len(post.text) > LONGEST_TEXT
    if is_long:
        link = f"https://t.co/x{_digest(post.tweet_id):09x}"[: LINK_CHARACTERS + 1]
        text = f"{html.escape(post.text[: LONGEST_TEXT - LINK_CHARACTERS - 3], quote=False)}… {link}"
    fields: dict[str, Any] = {
        "id": post.tweet_id,
        "edit_history_tweet_ids": [post.tweet_id],
        "text": text,
        "created_at": iso_milliseconds(post.created_at),
        "author_id": post.author.author_id,
        "conversation_id": _conversation(post),
        "public_metrics": _metrics(post.tweet_id),
    }
    if post.lang is not None:
        fields["lang"] = post.lang
    if entities := _entities(text):
        fields["entities"] = entities
    if is_long:
        fields["note_tweet"] = {"text": whole}
    if post.reference:
        fields["referenced_tweets"] = [{"type": post.reference.kind, "id": post.reference.tweet_id}]
    if _has_place(post):
        fields["geo"] = {"place_id": _place(post)["id"]}
    return fields


def single(post: GeneratedPost) -> dict[str, Any]:
    """Return `post` as one line: bare, or as ``data`` with its ``includes``, as a stream sends it."""
    if _digest(post.tweet_id) % 3 == 0:
        return tweet(post)
    return {"data": tweet(post), "includes": _includes([post])}


def page(posts: Sequence[GeneratedPost]) -> dict[str, Any]:
    """Return a page of search results; `posts` newest first, as the API sends them."""
    if not posts:
        return {"meta": {"result_count": 0}}
    meta = {"newest_id": posts[0].tweet_id, "oldest_id": posts[-1].tweet_id, "result_count": len(posts)}
    return {"data": [tweet(post) for post in posts], "includes": _includes(posts), "meta": meta}


def _includes(posts: Sequence[GeneratedPost]) -> dict[str, Any]:
    originals = [post.reference.post for post in posts if post.reference and post.reference.post]
    authors = {post.author.author_id: post.author for post in [*posts, *originals]}
    includes: dict[str, Any] = {"users": [_user(author) for author in authors.values()]}
    if originals:
        includes["tweets"] = [tweet(post) for post in {post.tweet_id: post for post in originals}.values()]
    if places := [_place(post) for post in posts if _has_place(post)]:
        includes["places"] = places
    return includes


def _user(author: Author) -> dict[str, Any]:
    user = {"id": author.author_id, "name": author.name, "username": author.username}
    return {**user, "location": author.location} if author.location else user


def _place(post: GeneratedPost) -> dict[str, Any]:
    return {"id": f"fake{_digest(post.tweet_id) % 16**8:08x}", "full_name": "Sampleton, OH", "country_code": "US"}


def _has_place(post: GeneratedPost) -> bool:
    return _digest(post.tweet_id) % PLACE_EVERY == 0


def _conversation(post: GeneratedPost) -> str:
    replies = post.reference and post.reference.kind == "replied_to"
    return post.reference.tweet_id if post.reference and replies else post.tweet_id


def _entities(text: str) -> dict[str, list[dict[str, Any]]]:
    entities = {
        "hashtags": [{"start": m.start(), "end": m.end(), "tag": m[1]} for m in _HASHTAG.finditer(text)],
        "mentions": [{"start": m.start(), "end": m.end(), "username": m[1]} for m in _MENTION.finditer(text)],
        "urls": [
            {"start": m.start(), "end": m.end(), "url": m[0], "expanded_url": f"https://example.com/{m[0][-6:]}"}
            for m in _LINK.finditer(text)
        ],
    }
    return {name: found for name, found in entities.items() if found}


def _metrics(tweet_id: str) -> dict[str, int]:
    popularity = _digest(tweet_id)
    return {
        "retweet_count": popularity % 7 // 4,
        "reply_count": popularity // 7 % 5,
        "like_count": popularity // 35 % 23,
        "quote_count": popularity // 805 % 11 // 10,
        "bookmark_count": popularity // 8855 % 9 // 8,
        "impression_count": 20 + popularity % 900,
    }


def _digest(tweet_id: str) -> int:
    return zlib.crc32(tweet_id.encode())
