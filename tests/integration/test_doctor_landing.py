"""`ade doctor` on the landing table."""

import pytest

from adverse_events.aws.doctor.examination import checks_for, examine
from adverse_events.landing.dynamodb_items import table_definition
from adverse_events.settings import load_settings
from tests.landing_stores import TABLE, dynamodb_store
from tests.moto_server import cloud_at, moto_server


@pytest.fixture
def cloud(monkeypatch):
    with moto_server() as url:
        yield cloud_at(url, monkeypatch)


def found():
    checks = checks_for(load_settings({"landing.table": TABLE}))
    return next(finding for finding in examine(checks) if finding.name == "landing table")


def test_a_table_that_is_there_is_fine_and_left_as_it_is(cloud):
    cloud.client("dynamodb").create_table(**table_definition(TABLE))
    assert (found().status, found().found) == ("ok", "active, never used")
    assert cloud.client("dynamodb").scan(TableName=TABLE)["Count"] == 0
    with dynamodb_store(cloud):
        assert found().found == "active, in use, signal mode"


def test_a_table_that_is_not_there_is_missing_with_the_remedy(cloud):
    assert found().status == "missing"
    assert "landing.table" in found().remedy


def test_a_table_with_other_keys_is_told(cloud):
    wanted = table_definition(TABLE)
    del wanted["GlobalSecondaryIndexes"]
    wanted["AttributeDefinitions"] = wanted["AttributeDefinitions"][:1]
    cloud.client("dynamodb").create_table(**wanted)
    assert "index by_time" in found().found
