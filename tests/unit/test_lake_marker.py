"""A lake says what it was made with, and refuses runs made with something else."""

import json

import pytest

from adverse_events.errors import ContractError, UsageError
from adverse_events.lake import LakeSettings, LocalLake
from adverse_events.lake.marker import Marker
from adverse_events.tables import SCHEMA_VERSION
from tests.staged_batches import LAKE


@pytest.fixture
def marker(tmp_path):
    LocalLake.open(tmp_path / "lake", **LAKE)
    return tmp_path / "lake" / "_lake.json"


def test_a_new_lake_records_what_it_was_made_with(marker):
    stored = json.loads(marker.read_text())

    assert {name: stored[name] for name in LAKE} == LAKE
    assert stored["schema_version"] == SCHEMA_VERSION
    assert stored["created_by"]


def test_opening_again_leaves_the_marker_alone(marker):
    before = marker.read_bytes(), marker.stat().st_mtime_ns

    LocalLake.open(marker.parent, **LAKE)

    assert (marker.read_bytes(), marker.stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    ("other", "both"),
    [
        ({"window_minutes": 30}, "60 there, 30 in this run"),
        ({"privacy_mode": "case"}, "signal there, case in this run"),
        ({"key_fingerprint": "ffff0000"}, "a1b2c3d4 there, ffff0000 in this run"),
    ],
)
def test_a_lake_made_differently_is_refused_naming_both_and_the_remedy(marker, other, both):
    with pytest.raises(UsageError, match=both) as caught:
        LocalLake.open(marker.parent, **{**LAKE, **other})

    assert "use the lake's" in str(caught.value)
    assert "choose another lake folder" in str(caught.value)


def test_all_differences_are_named_at_once(marker):
    with pytest.raises(UsageError) as caught:
        LocalLake.open(marker.parent, window_minutes=15, privacy_mode="case", key_fingerprint="f")

    assert all(name in str(caught.value) for name in ("window length", "privacy mode", "key fingerprint"))


def test_a_newer_schema_is_refused_whatever_else_its_marker_says(marker):
    marker.write_text(json.dumps({"schema_version": SCHEMA_VERSION + 1, "grid": "PT1H"}))

    with pytest.raises(ContractError, match="upgrade adverse_events"):
        LocalLake.open(marker.parent, **LAKE)


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[]", b"{}", b'{"schema_version": "one"}'])
def test_a_damaged_marker_is_named_and_not_replaced(marker, damage):
    marker.write_bytes(damage)

    with pytest.raises(ContractError, match=r"_lake\.json: is damaged"):
        LocalLake.open(marker.parent, **LAKE)

    assert marker.read_bytes() == damage


def test_a_folder_that_holds_something_else_is_not_made_a_lake(tmp_path):
    (tmp_path / "thesis.doc").write_text("chapter 1")

    with pytest.raises(UsageError, match=r"is not a lake.*thesis\.doc"):
        LocalLake.open(tmp_path, **LAKE)

    assert not (tmp_path / "_lake.json").exists()


def test_a_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "lake").write_text("")

    with pytest.raises(UsageError, match="cannot keep a lake in"):
        LocalLake.open(tmp_path / "lake", **LAKE)


def test_settings_refuse_a_cut_that_leaves_short_row_groups():
    with pytest.raises(ValueError, match="rows_per_part 30 is not a multiple of row_group_rows 20"):
        LakeSettings(rows_per_part=30, row_group_rows=20)


def test_a_marker_read_from_elsewhere_names_its_place():
    stored = Marker(schema_version=SCHEMA_VERSION, **LAKE, created_by="0.1.0")

    assert Marker.parse(stored.to_json().encode(), "s3://bucket/lake/_lake.json") == stored
    with pytest.raises(ContractError, match=r"s3://bucket/lake/_lake\.json: is damaged"):
        Marker.parse(b"<html>", "s3://bucket/lake/_lake.json")
