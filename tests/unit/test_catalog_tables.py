"""What the tables of a lake look like in Glue, and which tables that stand there can be theirs."""

import copy

import pytest

from adverse_events.dictionary import athena_types
from adverse_events.lake.catalog.partitions import partitions_of
from adverse_events.lake.catalog.tables import differences, projection, table_input, updated
from adverse_events.lake.layout import part_key, receipt_key, undated_part_key, undated_receipt_key
from adverse_events.lake.receipt import Part, Receipt
from adverse_events.staging import Tally
from adverse_events.tables import ASSESSMENTS, TABLES
from tests.staged_batches import hours

URL = "s3://bucket/lake"


@pytest.fixture
def wanted():
    return table_input(ASSESSMENTS, URL, {})


@pytest.fixture
def stands(wanted):
    return copy.deepcopy(wanted)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_columns_types_and_comments_are_the_declared_ones(table):
    given = table_input(table, f"{URL}/", {})
    columns = given["StorageDescriptor"]["Columns"]

    assert {column["Name"]: column["Type"] for column in columns} == athena_types(table.columns)
    assert all(0 < len(column["Comment"]) <= 255 for column in (*columns, *given["PartitionKeys"]))
    assert [(key["Name"], key["Type"]) for key in given["PartitionKeys"]] == [
        ("event_date", "date"),
        ("event_time", "string"),
    ]
    assert given["StorageDescriptor"]["Location"] == f"{URL}/{table.name}/"


def test_a_table_that_is_ours_does_not_differ(stands, wanted):
    assert differences(stands, wanted) == []
    assert updated(stands, wanted) is None


def test_order_of_columns_spaces_in_types_and_a_slash_are_no_difference(stands, wanted):
    storage = stands["StorageDescriptor"]
    storage["Columns"].reverse()
    storage["Location"] = storage["Location"].rstrip("/")
    for column in storage["Columns"]:
        column["Type"] = column["Type"].replace(",", ", ").upper()

    assert differences(stands, wanted) == []


def test_every_difference_is_named(stands, wanted):
    storage = stands["StorageDescriptor"]
    storage["Columns"][0]["Type"] = "bigint"
    storage["Columns"].append({"Name": "user_id", "Type": "string"})
    storage["Location"] = "s3://other/place/"
    stands["PartitionKeys"] = [{"Name": "event_date", "Type": "string"}]

    assert differences(stands, wanted) == [
        "location s3://other/place/, not s3://bucket/lake/assessments/",
        "column tweet_id is bigint, not string",
        "unknown column user_id string",
        "partition keys event_date string, not event_date date, event_time string",
    ]


def test_a_table_of_somebody_elses_is_not_described_at_length(stands, wanted):
    stands["StorageDescriptor"]["Columns"] = [{"Name": f"c{n}", "Type": "string"} for n in range(40)]

    assert len(differences(stands, wanted)) == 11
    assert differences(stands, wanted)[-1] == "30 more"


def test_a_column_that_older_code_did_not_have_is_added(stands, wanted):
    stands["StorageDescriptor"]["Columns"] = stands["StorageDescriptor"]["Columns"][:-1]

    assert differences(stands, wanted) == []
    assert updated(stands, wanted)["StorageDescriptor"] == wanted["StorageDescriptor"]


def test_what_others_keep_on_the_table_stays_and_a_projection_that_is_off_goes(stands, wanted):
    stands["Parameters"] |= {"recordCount": "12", "UPDATED_BY_CRAWLER": "lake", **projection("2026-01-01", 60)}

    assert updated(stands, wanted)["Parameters"] == {
        **wanted["Parameters"],
        "recordCount": "12",
        "UPDATED_BY_CRAWLER": "lake",
    }


@pytest.mark.parametrize(("minutes", "times"), [(1440, "0000"), (360, "0000,0600,1200,1800"), (720, "0000,1200")])
def test_projected_times_are_the_starts_of_the_lakes_windows(minutes, times):
    given = projection("2026-01-01", minutes)

    assert given["projection.event_time.values"] == times
    assert given["projection.event_date.range"] == "2026-01-01,NOW"


def test_projected_times_are_spelt_as_in_the_keys():
    times = projection("2026-01-01", 60)["projection.event_time.values"].split(",")

    assert [f"event_time={time}" for time in times] == [w.partition.rpartition("/")[2] for w in hours(24)]


def test_partitions_are_those_that_hold_an_object():
    first, second = hours(2)
    full = (Part(part_key("assessments", first, 0), 1, 1, ""), Part(part_key("assessments", first, 1), 1, 1, ""))
    receipts = [
        Receipt(receipt_key(second), second.start, second.end, Tally()),
        Receipt(receipt_key(first), first.start, first.end, Tally(), parts=full),
        Receipt(
            undated_receipt_key("a.csv"),
            first.start,
            first.end,
            Tally(),
            parts=(Part(undated_part_key("a.csv"), 1, 1, ""),),
        ),
    ]

    assert partitions_of(receipts) == {
        "assessments": [("2026-03-01", "0000")],
        "receipts": [("1970-01-01", "0000"), ("2026-03-01", "0000"), ("2026-03-01", "0100")],
        "rejects": [("1970-01-01", "0000")],
    }


def test_a_struct_that_lacks_its_last_members_is_older_and_not_another(stands, wanted):
    """Schema version 2 had no body_system and is_serious in events."""
    column = next(c for c in stands["StorageDescriptor"]["Columns"] if c["Name"] == "events")
    column["Type"] = column["Type"].replace(",body_system:string,is_serious:boolean", "")
    assert differences(stands, wanted) == []
    assert updated(stands, wanted) is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("role:string", "role:int"),
        ("begin:int,end:int", "end:int,begin:int"),
        ("is_serious:boolean>>", "is_serious:boolean,more:string>>"),
        ("traits:array<struct<name:string,score:double>>", "traits:array<string>"),
    ],
)
def test_a_struct_with_other_members_is_another(stands, wanted, old, new):
    column = next(c for c in stands["StorageDescriptor"]["Columns"] if c["Name"] == "events")
    assert old in column["Type"]
    column["Type"] = column["Type"].replace(old, new)
    assert [found.partition(" is ")[0] for found in differences(stands, wanted)] == ["column events"]


def test_members_may_be_missing_at_any_depth(stands, wanted):
    column = next(c for c in stands["StorageDescriptor"]["Columns"] if c["Name"] == "events")
    column["Type"] = column["Type"].replace("struct<name:string,score:double>", "struct<name:string>")
    assert differences(stands, wanted) == []
