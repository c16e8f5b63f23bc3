"""Landing stores for tests: the same store behind the protocol, in a file or in a table over the wire."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from adverse_events.landing.dynamodb import DynamoDbLanding
from adverse_events.landing.dynamodb_items import table_definition
from adverse_events.landing.protocol import LandedPost, LandedReject, StoreFacts
from adverse_events.landing.sqlite import SqliteLanding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adverse_events.aws.session import Cloud
    from adverse_events.landing.protocol import LandingStore

FACTS = StoreFacts("signal", "0a1b2c3d", 60)
TABLE = "ae_tweets"
NINE = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=2)
"""A morning two days ago: an item that expired is one that DynamoDB may delete."""


@contextmanager
def sqlite_store(folder: Path, facts: StoreFacts = FACTS) -> Iterator[SqliteLanding]:
    """Provide a store in a file of `folder`."""
    store = SqliteLanding.open(folder / "landing.sqlite", facts)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def dynamodb_store(cloud: Cloud, facts: StoreFacts = FACTS) -> Iterator[DynamoDbLanding]:
    """Provide a store in a table of `cloud`, made when missing."""
    client = cloud.client("dynamodb")
    if TABLE not in client.list_tables()["TableNames"]:
        client.create_table(**table_definition(TABLE))
    store = DynamoDbLanding.open(cloud, TABLE, facts, 30)
    try:
        yield store
    finally:
        store.close()


def post(number: int, **changes: Any) -> LandedPost:
    """Return the post `number` minutes after `NINE`."""
    values: dict[str, Any] = {
        "tweet_id": f"{number:032x}",
        "text": f"Invented post {number} about a drug",
        "created_at": NINE + timedelta(minutes=number),
        "lang": "en",
        "author_pseudonym": None,
        "is_repost": False,
        "payload_sha256": f"{number:064x}",
    }
    return LandedPost(**{**values, **changes})


def reject(number: int, **changes: Any) -> LandedReject:
    """Return a reject that came in `number` minutes after `NINE`."""
    values: dict[str, Any] = {
        "reason": "malformed_json",
        "detail": "cut short",
        "payload_sha256": f"{number:064x}",
        "received_at": NINE + timedelta(minutes=number),
    }
    return LandedReject(**{**values, **changes})


def posts_in(store: LandingStore, start: datetime = NINE, hours: int = 24) -> list[LandedPost]:
    """Return what a store holds of a range."""
    return [post for page in store.read(start, start + timedelta(hours=hours)) for post in page.posts]


def ids_in(store: LandingStore, start: datetime = NINE, hours: int = 24) -> list[int]:
    """Return the numbers of the posts a store holds of a range, in the order it reads them."""
    return [int(post.tweet_id, 16) for post in posts_in(store, start, hours)]
