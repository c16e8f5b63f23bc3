"""Landed posts as items of the DynamoDB table, and the table itself.

The partition key is the id of the post, so that a conditional put tells duplicates. Posts are read by time through an
index whose partitions are an hour of posts cut into `SHARDS`: one partition takes a thousand writes a second.

Source of the limits: "Partitions and data distribution" and "Service, account, and table quotas in Amazon DynamoDB",
Amazon DynamoDB Developer Guide, read 2026-11.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from adverse_events.landing.protocol import LandedPost, LandedReject, milliseconds, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.landing.protocol import StoreFacts

INDEX = "by_time"
SHARDS = 4
LANDED, REPLACED, FORGOTTEN = "landed", "replaced", "forgotten"

FACTS, TOUCHED = "#facts", "#touched"
"""Keys of the two items that are no post: what the table is for, and which windows have changed. No id has a #."""

TTL_ATTRIBUTE = "expires_at"

MS_PER_HOUR = 3_600_000
_MS_PER_DAY = 24 * MS_PER_HOUR

TTL_MARGIN_DAYS = 1
"""Days a post stays beyond the retention, so that a window inside the retention is whole."""

_REJECT = "reject#"

Item = dict[str, dict[str, Any]]


def table_definition(table: str) -> dict[str, Any]:
    """Return the arguments of CreateTable; `deployments/aws/foundation.yaml` makes the same one."""
    return {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "tweet_id", "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("tweet_id", "time_bucket", "time_key")
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": INDEX,
                "KeySchema": [
                    {"AttributeName": "time_bucket", "KeyType": "HASH"},
                    {"AttributeName": "time_key", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    }


def post_item(post: LandedPost, stamp: int, retention_days: int) -> Item:
    """Return the item of a post."""
    created_ms = milliseconds(post.created_at)
    optional = {"lang": post.lang, "author_pseudonym": post.author_pseudonym}
    return {
        "tweet_id": {"S": post.tweet_id},
        "state": {"S": LANDED},
        "text": {"S": post.text},
        "created_ms": {"N": str(created_ms)},
        "is_repost": {"BOOL": post.is_repost},
        "payload_sha256": {"S": post.payload_sha256},
        "stamp": {"N": str(stamp)},
        **{name: {"S": value} for name, value in optional.items() if value is not None},
        **_places(created_ms, shard_of(post.tweet_id), post.tweet_id, retention_days),
    }


def reject_item(reject: LandedReject, retention_days: int) -> Item:
    """Return the item of a reject."""
    key = f"{_REJECT}{reject.payload_sha256}"
    optional: Item = {} if reject.tweet_id is None else {"post_id": {"S": reject.tweet_id}}
    if reject.created_at is not None:
        optional["created_ms"] = {"N": str(milliseconds(reject.created_at))}
    return {
        "tweet_id": {"S": key},
        "reason": {"S": reject.reason},
        "detail": {"S": reject.detail},
        "payload_sha256": {"S": reject.payload_sha256},
        "received_ms": {"N": str(milliseconds(reject.received_at))},
        **optional,
        **_places(milliseconds(reject.dated), "rejects", key, retention_days),
    }


def left_of(tweet_id: str, state: str, created_ms: int, retention_days: int, replaced_by: str = "") -> Item:
    """Return what is left of a replaced or forgotten post: its id, so that it cannot come back."""
    left: Item = {
        "tweet_id": {"S": tweet_id},
        "state": {"S": state},
        "created_ms": {"N": str(created_ms)},
        TTL_ATTRIBUTE: {"N": str(_expiry(created_ms, retention_days))},
    }
    return {**left, "replaced_by": {"S": replaced_by}} if replaced_by else left


def post_of(item: Item) -> LandedPost:
    """Return the post of an item."""
    return LandedPost(
        tweet_id=item["tweet_id"]["S"],
        text=item["text"]["S"],
        created_at=moment_of(int(item["created_ms"]["N"])),
        lang=_text(item, "lang"),
        author_pseudonym=_text(item, "author_pseudonym"),
        is_repost=item["is_repost"]["BOOL"],
        payload_sha256=item["payload_sha256"]["S"],
        stamp=int(item["stamp"]["N"]),
    )


def reject_of(item: Item) -> LandedReject:
    """Return the reject of an item."""
    return LandedReject(
        reason=item["reason"]["S"],
        detail=item["detail"]["S"],
        payload_sha256=item["payload_sha256"]["S"],
        received_at=moment_of(int(item["received_ms"]["N"])),
        tweet_id=_text(item, "post_id"),
        created_at=moment_of(int(item["created_ms"]["N"])) if "created_ms" in item else None,
    )


def facts_of(item: Item) -> dict[str, str]:
    """Return what a table is for."""
    return {name: value["S"] for name, value in item.items() if "S" in value and name != "tweet_id"}


def facts_item(facts: StoreFacts) -> Item:
    """Return the item that says what a table is for."""
    return {"tweet_id": {"S": FACTS}, **{name: {"S": str(value)} for name, value in facts._asdict().items()}}


def hours(start_ms: int, end_ms: int) -> Iterator[int]:
    """Yield the hours that ``[start_ms, end_ms)`` touches, by their start."""
    yield from range(start_ms - start_ms % MS_PER_HOUR, end_ms, MS_PER_HOUR)


def shard_of(tweet_id: str) -> str:
    """Return the part of its hour that a post is kept in."""
    return str(zlib.crc32(tweet_id.encode()) % SHARDS)


def bucket(hour_ms: int, shard: str) -> str:
    """Return the index's partition of an hour and a shard: ``rejects`` or a digit."""
    return f"{moment_of(hour_ms):%Y-%m-%dT%H}#{shard}"


def time_key(ms: int) -> str:
    """Return text that sorts as milliseconds since 1970 do."""
    return f"{ms:014d}"


def _places(ms: int, shard: str, key: str, retention_days: int) -> Item:
    return {
        "time_bucket": {"S": bucket(ms - ms % MS_PER_HOUR, shard)},
        "time_key": {"S": f"{time_key(ms)}#{key}"},
        TTL_ATTRIBUTE: {"N": str(_expiry(ms, retention_days))},
    }


def _expiry(ms: int, retention_days: int) -> int:
    return (ms + (retention_days + TTL_MARGIN_DAYS) * _MS_PER_DAY) // 1000


def _text(item: Item, name: str) -> str | None:
    return item[name]["S"] if name in item else None
