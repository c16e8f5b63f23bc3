"""Check of the landing table: it is there, is keyed and indexed as posts need it, and is this deployment's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.aws.doctor.protocol import Check, Permission
from adverse_events.aws.errors import translated
from adverse_events.errors import PermanentServiceError
from adverse_events.landing.dynamodb_items import FACTS, INDEX, table_definition

if TYPE_CHECKING:
    from adverse_events.aws.session import Cloud
    from adverse_events.settings import Settings


def landing_checks(settings: Settings, cloud: Cloud, account: str, needs: tuple[str, ...]) -> list[Check]:
    """Return the check of the landing table; none where posts land in a file."""
    table = settings.landing.table
    if not table:
        return []
    arn = f"arn:aws:dynamodb:{cloud.region}:{account}:table/{table}"
    return [
        Check(
            "landing table",
            f"dynamodb DescribeTable and GetItem {table}",
            lambda: _examined(cloud, table),
            "create the table (deployments/aws/foundation.yaml), or correct landing.table",
            (Permission("dynamodb:DescribeTable", arn), Permission("dynamodb:GetItem", arn)),
            (
                *(Permission(f"dynamodb:{action}", arn) for action in ("BatchGetItem", "PutItem", "UpdateItem")),
                Permission("dynamodb:Query", f"{arn}/index/{INDEX}"),
            ),
            needs=needs,
        )
    ]


def _examined(cloud: Cloud, table: str) -> str:
    client = cloud.client("dynamodb")
    with translated("dynamodb", f"DescribeTable {table}"):
        found = client.describe_table(TableName=table)["Table"]
    wanted = table_definition(table)
    indexes = {index["IndexName"]: index["KeySchema"] for index in found.get("GlobalSecondaryIndexes", ())}
    if (
        found["KeySchema"] != wanted["KeySchema"]
        or indexes.get(INDEX) != wanted["GlobalSecondaryIndexes"][0]["KeySchema"]
    ):
        detail = f"its keys are not those of a landing table with index {INDEX}; make one with the template"
        raise PermanentServiceError("dynamodb", f"DescribeTable {table}", detail)
    with translated("dynamodb", f"GetItem {table}"):
        facts = client.get_item(TableName=table, Key={"tweet_id": {"S": FACTS}}).get("Item")
    whose = f"in use, {facts['privacy_mode']['S']} mode" if facts else "never used"
    return f"{found['TableStatus'].lower()}, {whose}"
