"""Requests to the landing table: each translated, each asked until it is answered."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from adverse_events.aws.errors import translated
from adverse_events.landing.dynamodb_items import INDEX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from adverse_events.landing.dynamodb_items import Item


class Table:
    """One table; safe to share between threads.

    Args:
        client: boto3's client of DynamoDB.
        name: Of the table.
    """

    def __init__(self, client: Any, name: str) -> None:
        """Take the table as it is."""
        self.client, self.name = client, name

    def put_new(self, item: Item) -> Item | None:
        """Put an item unless its key is there; returns what is there, None when the item went in."""
        with translated("dynamodb", f"PutItem {self.name}"):
            try:
                self.client.put_item(**self.put_arguments(item), ReturnValuesOnConditionCheckFailure="ALL_OLD")
            except self.client.exceptions.ConditionalCheckFailedException as error:
                old: Item = error.response.get("Item") or self.item(item["tweet_id"]["S"])
                # A put that was repeated after its answer got lost meets itself.
                return None if old == item else old
        return None

    def put(self, item: Item) -> None:
        """Put an item, whatever is there."""
        with translated("dynamodb", f"PutItem {self.name}"):
            self.client.put_item(TableName=self.name, Item=item)

    def put_arguments(self, item: Item) -> dict[str, Any]:
        """Return the arguments of a put on condition that its key is not there."""
        return {
            "TableName": self.name,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(tweet_id)",
        }

    def update(self, key: str, values: dict[str, int]) -> None:
        """Set numbers of an item, made when missing."""
        names = {f"#n{at}": name for at, name in enumerate(values)}
        with translated("dynamodb", f"UpdateItem {self.name}"):
            self.client.update_item(
                TableName=self.name,
                Key={"tweet_id": {"S": key}},
                UpdateExpression="SET " + ", ".join(f"#n{at} = :v{at}" for at in range(len(values))),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={f":v{at}": {"N": str(v)} for at, v in enumerate(values.values())},
            )

    def ask_if(self, operation: str, ask: Callable[[], object]) -> bool:
        """Make a conditional request; returns whether its condition held."""
        with translated("dynamodb", f"{operation} {self.name}"):
            try:
                ask()
            except self.client.exceptions.ConditionalCheckFailedException:
                return False
            except self.client.exceptions.TransactionCanceledException as error:
                reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
                if "ConditionalCheckFailed" in reasons:
                    return False
                raise
        return True

    def item(self, key: str) -> Item:
        """Return an item as it is now; empty where there is none."""
        with translated("dynamodb", f"GetItem {self.name}"):
            answer = self.client.get_item(TableName=self.name, Key={"tweet_id": {"S": key}}, ConsistentRead=True)
        item: Item = answer.get("Item", {})
        return item

    def get(self, tweet_ids: Iterable[str]) -> list[Item]:
        """Return the items of at most `_KEYS_PER_GET` ids, those there are."""
        keys: list[Item] = [{"tweet_id": {"S": tweet_id}} for tweet_id in dict.fromkeys(tweet_ids)]
        found: list[Item] = []
        while keys:
            with translated("dynamodb", f"BatchGetItem {self.name}"):
                answer = self.client.batch_get_item(RequestItems={self.name: {"Keys": keys, "ConsistentRead": True}})
            found += answer["Responses"].get(self.name, [])
            keys = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
        return found

    def query(self, bucket: str, first: str, last: str) -> Iterator[Item]:
        """Yield the items of a bucket of the index with keys from `first` to `last`."""
        for page in self.pages(bucket, first, last):
            yield from page["Items"]

    def pages(self, bucket: str, first: str, last: str, **more: str) -> Iterator[dict[str, Any]]:
        """Yield the answers of such a query, `more` in its arguments."""
        ask = partial(
            self.client.query,
            TableName=self.name,
            IndexName=INDEX,
            # A key begins with the time and goes on: below `last` means before that millisecond.
            KeyConditionExpression="time_bucket = :bucket AND time_key BETWEEN :first AND :last",
            ExpressionAttributeValues={":bucket": {"S": bucket}, ":first": {"S": first}, ":last": {"S": last}},
            **more,
        )
        position: dict[str, Any] = {}
        while True:
            with translated("dynamodb", f"Query {self.name}"):
                page = ask(**position)
            yield page
            if not page.get("LastEvaluatedKey"):
                return
            position = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
