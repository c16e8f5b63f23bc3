"""The landing store in a DynamoDB table: conditional puts side by side, reads through an index by time.

A batch write of DynamoDB takes no condition, and a transaction costs twice a put: so each post is a put of its own,
many at once. An edited post, which is rare, goes in by a transaction together with what it replaces.

Source:
    BatchWriteItem, TransactWriteItems and their capacity units, Amazon DynamoDB Developer Guide, read 2026-11.
"""

from __future__ import annotations

import heapq
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from adverse_events.errors import TransientServiceError, UsageError
from adverse_events.landing import dynamodb_items as items
from adverse_events.landing.dynamodb_items import FORGOTTEN, LANDED, REPLACED
from adverse_events.landing.dynamodb_table import Table
from adverse_events.landing.protocol import (
    ROWS_PER_PAGE,
    Landed,
    LandedPage,
    LandedPost,
    LandedReject,
    differences,
    milliseconds,
    moment_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from adverse_events.aws.session import Cloud
    from adverse_events.landing.dynamodb_items import Item
    from adverse_events.landing.protocol import Mark, StoreFacts

PUTS_AT_ONCE = 32
"""At a few milliseconds each, some thousand posts a second; below the client's 64 connections."""

_KEYS_PER_GET = 100
_SHARDS = tuple(map(str, range(items.SHARDS)))


class DynamoDbLanding:
    """The landing store in one table; get one with `open`.

    Args:
        cloud: The account.
        table: Name of the table, which is there.
        facts: What it is for.
        retention_days: Days until a post expires.
    """

    lag_seconds = 30.0
    """An index follows its table by a moment; half a minute is a wide guess at the longest one."""

    def __init__(self, cloud: Cloud, table: str, facts: StoreFacts, retention_days: int) -> None:
        """Take the table as it is."""
        self._table, self.name = Table(cloud.client("dynamodb"), table), table
        self._facts, self._retention_days = facts, retention_days
        self._puts = ThreadPoolExecutor(PUTS_AT_ONCE, thread_name_prefix="landing")
        self._lock, self._last_stamp = Lock(), 0

    @classmethod
    def open(cls, cloud: Cloud, table: str, facts: StoreFacts, retention_days: int) -> Self:
        """Open the table. It is never made here: infrastructure does, with its backups and its key.

        Raises:
            UsageError: It was made for another privacy mode, key or window length.
            PermanentServiceError: There is no such table, or no permission.
        """
        store = cls(cloud, table, facts, retention_days)
        wanted = items.facts_item(facts)
        made = store._table.put_new(wanted) or wanted
        if unlike := differences(items.facts_of(made), items.facts_of(wanted)):
            store.close()
            msg = f"landing table {table} was made with {'; '.join(unlike)}; give its own settings or another table"
            raise UsageError(msg)
        # A clock that was set back must not give a new post an older stamp than those assessed already.
        store._last_stamp = max(store.mark("assessed"), *store.touched().values(), 0)
        return store

    def put(self, posts: Sequence[LandedPost], rejects: Sequence[LandedReject] = ()) -> Landed:
        """Keep posts and rejects, one request each and many at once.

        Windows are marked as touched before the first and after the last: a reader in between settles neither.
        """
        before, stamp = self._next_stamp(), self._next_stamp()
        windows = {milliseconds(post.created_at) for post in posts} | {milliseconds(r.dated) for r in rejects}
        windows = set(map(self._facts.window_of, windows))
        self._touch(windows, before)
        firsts = {post.tweet_id: at for at, post in reversed(list(enumerate(posts)))}
        once = [(at, posts[at]) for at in sorted(firsts.values())]
        plain = [(at, post) for at, post in once if not post.earlier_ids]
        edited = [(at, post) for at, post in once if post.earlier_ids]
        old: dict[int, Item | None] = dict(
            zip(
                (at for at, _ in plain),
                self._puts.map(
                    self._table.put_new, (items.post_item(post, stamp, self._retention_days) for _, post in plain)
                ),
                strict=True,
            )
        )
        list(
            self._puts.map(self._table.put_new, (items.reject_item(reject, self._retention_days) for reject in rejects))
        )
        n_replaced = 0
        for at, post in edited:
            old[at], replaced = self._put_edited(post, stamp)
            windows |= replaced
            n_replaced += len(replaced)
        self._touch(windows, stamp)
        return _outcome(stamp, old, len(posts) - len(once), n_replaced)

    def read(self, start: datetime, end: datetime) -> Iterator[LandedPage]:
        """Yield the posts of a range, hour by hour; an hour's shards are merged as they are read."""
        start_ms, end_ms = milliseconds(start), milliseconds(end)
        for hour in items.hours(start_ms, end_ms):
            first, last = items.time_key(max(start_ms, hour)), items.time_key(min(end_ms, hour + items.MS_PER_HOUR))
            rejects = tuple(map(items.reject_of, self._table.query(items.bucket(hour, "rejects"), first, last)))
            shards = [
                map(items.post_of, self._table.query(items.bucket(hour, shard), first, last)) for shard in _SHARDS
            ]
            posts = heapq.merge(*shards, key=lambda post: (post.created_at, post.tweet_id))
            while page := tuple(islice(posts, ROWS_PER_PAGE)):
                yield LandedPage(page, rejects)
                rejects = ()
            if rejects:
                yield LandedPage((), rejects)

    def count(self, start: datetime, end: datetime) -> int:
        """Return the number of posts in a range; the index counts, no post travels."""
        start_ms, end_ms = milliseconds(start), milliseconds(end)
        n_posts = 0
        for hour in items.hours(start_ms, end_ms):
            first, last = items.time_key(max(start_ms, hour)), items.time_key(min(end_ms, hour + items.MS_PER_HOUR))
            for shard in _SHARDS:
                pages = self._table.pages(items.bucket(hour, shard), first, last, Select="COUNT")
                n_posts += sum(page["Count"] for page in pages)
        return n_posts

    def forget(self, tweet_ids: Iterable[str]) -> int:
        """Take posts out. Point-in-time recovery can bring them back for 35 days: restore with that in mind."""
        n_forgotten, asked = 0, iter(tweet_ids)
        while some := tuple(islice(asked, _KEYS_PER_GET)):
            found = [item for item in self._table.get(some) if item["state"]["S"] != FORGOTTEN]
            following = [item["replaced_by"]["S"] for item in found if "replaced_by" in item]
            asked = chain(following, asked)
            windows = {self._facts.window_of(int(item["created_ms"]["N"])) for item in found}
            self._touch(windows, self._next_stamp())
            list(self._puts.map(self._table.put, (self._left(item, FORGOTTEN) for item in found)))
            self._touch(windows, self._next_stamp())
            n_forgotten += sum(item["state"]["S"] == LANDED for item in found)
        return n_forgotten

    def touched(self) -> dict[datetime, int]:
        """Return the windows changed since they were settled."""
        stamps = {
            int(name[1:]): int(value["N"])
            for name, value in self._table.item(items.TOUCHED).items()
            if name.startswith("w")
        }
        return {moment_of(window_ms): stamp for window_ms, stamp in sorted(stamps.items())}

    def settle(self, window_start: datetime, stamp: int) -> bool:
        """Take a window off the touched ones, unless it has changed since."""
        return self._table.ask_if(
            "UpdateItem settle",
            lambda: self._table.client.update_item(
                TableName=self.name,
                Key={"tweet_id": {"S": items.TOUCHED}},
                UpdateExpression="REMOVE #w",
                ConditionExpression="#w <= :stamp",
                ExpressionAttributeNames={"#w": f"w{milliseconds(window_start)}"},
                ExpressionAttributeValues={":stamp": {"N": str(stamp)}},
            ),
        )

    def mark(self, name: Mark) -> int:
        """Return a mark."""
        return int(self._table.item(items.FACTS).get(f"mark_{name}", {"N": "0"})["N"])

    def set_mark(self, name: Mark, value: int) -> None:
        """Remember a mark."""
        self._table.update(items.FACTS, {f"mark_{name}": value})

    def expire(self, before: datetime) -> int:
        """Nothing to do: the table deletes by its time-to-live."""
        del before
        return 0

    def close(self) -> None:
        """End the threads that put."""
        self._puts.shutdown()

    def _put_edited(self, post: LandedPost, stamp: int) -> tuple[Item | None, set[int]]:
        """Put a version in place of its earlier ones, all or nothing.

        Returns:
            What stood under its id, and the windows that lost an earlier version.
        """
        earlier = {item["tweet_id"]["S"]: item for item in self._table.get(post.earlier_ids)}
        item = items.post_item(post, stamp, self._retention_days)
        is_forgotten = any(old["state"]["S"] == FORGOTTEN for old in earlier.values())
        if is_forgotten:
            return self._table.put_new(self._left(item, FORGOTTEN)) or self._left(item, FORGOTTEN), set()
        changes: list[dict[str, Any]] = [{"Put": self._table.put_arguments(item)}]
        for tweet_id in post.earlier_ids:
            old = earlier.get(tweet_id, item)
            left = self._left({**old, "tweet_id": {"S": tweet_id}}, REPLACED, post.tweet_id)
            change = {"TableName": self.name, "Item": left}
            if tweet_id in earlier:
                change |= {
                    "ConditionExpression": "#s = :s",
                    "ExpressionAttributeNames": {"#s": "state"},
                    "ExpressionAttributeValues": {":s": old["state"]},
                }
            else:
                change |= {"ConditionExpression": "attribute_not_exists(tweet_id)"}
            changes.append({"Put": change})
        if self._table.ask_if(
            "TransactWriteItems", lambda: self._table.client.transact_write_items(TransactItems=changes)
        ):
            gone = [old for old in earlier.values() if old["state"]["S"] == LANDED]
            return None, {self._facts.window_of(int(old["created_ms"]["N"])) for old in gone}
        standing = self._table.item(post.tweet_id)
        if not standing:
            detail = "another process changed the same post's history; it is asked again"
            raise TransientServiceError("dynamodb", f"TransactWriteItems {self.name}", detail)
        return (None if standing == item else standing), set()

    def _left(self, item: Item, state: str, replaced_by: str = "") -> Item:
        return items.left_of(
            item["tweet_id"]["S"], state, int(item["created_ms"]["N"]), self._retention_days, replaced_by
        )

    def _touch(self, windows: Iterable[int], stamp: int) -> None:
        if windows := list(windows):
            self._table.update(items.TOUCHED, {f"w{window}": stamp for window in windows})

    def _next_stamp(self) -> int:
        with self._lock:
            self._last_stamp = max(self._last_stamp + 1, time.time_ns() // 1_000_000)
            return self._last_stamp


def _outcome(stamp: int, old: dict[int, Item | None], n_repeated: int, n_replaced: int) -> Landed:
    states = [item["state"]["S"] for item in old.values() if item]
    return Landed(
        stamp,
        tuple(sorted(at for at, item in old.items() if item is None)),
        n_duplicates=n_repeated + sum(state != FORGOTTEN for state in states),
        n_replaced=n_replaced,
        n_forgotten=sum(state == FORGOTTEN for state in states),
    )
