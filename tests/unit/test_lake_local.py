"""The lake in a folder: windows replaced whole, accounts kept, nothing touched that need not be."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adverse_events.errors import AccountingError, ContractError, UsageError
from adverse_events.lake import LocalLake
from adverse_events.lake.parts import PartSize
from adverse_events.staging import Tally
from adverse_events.tables import ASSESSMENTS, RECEIPTS, REJECTS
from adverse_events.windows import Window
from tests.staged_batches import (
    LAKE,
    PROVENANCE,
    all_files,
    coded_row,
    data_files,
    hours,
    random_batch,
    reject_row,
    stage,
    stage_rejects,
    with_lost_row,
)

RECIPE = PROVENANCE.recipe_sha256
SMALL = PartSize(rows_per_part=10, row_group_rows=5)


@pytest.fixture
def lake(tmp_path):
    return LocalLake.open(tmp_path / "lake", **LAKE)


@pytest.fixture
def cut_lake(tmp_path):
    return LocalLake.open(tmp_path / "lake", **LAKE, part_size=SMALL)


def rows_of(lake, key):
    return pq.ParquetFile(lake.root / key).read()


def test_a_window_becomes_one_partition_of_each_table_and_a_receipt(lake, tmp_path):
    (window,) = hours(1)
    batch = stage(tmp_path / "staged", {window: [coded_row(window, 1)]}, [reject_row(window, 7)])

    (receipt,) = lake.write(batch, PROVENANCE)

    assert list(all_files(lake.root)) == [
        "_lake.json",
        "assessments/event_date=2026-03-01/event_time=0000/part-0000.parquet",
        "receipts/event_date=2026-03-01/event_time=0000/receipt.parquet",
        "rejects/event_date=2026-03-01/event_time=0000/part-0000.parquet",
    ]
    assert (receipt.rows_assessed, receipt.rows_positive, receipt.n_events) == (1, 1, 1)
    assert (receipt.rows_rejected, receipt.rows_screened_out, receipt.is_unchanged) == (1, 2, False)


def test_stored_files_carry_the_tables_schema(lake, tmp_path):
    (window,) = hours(1)
    batch = stage(tmp_path / "staged", {window: [coded_row(window, 1)]}, [reject_row(window, 7)])

    (receipt,) = lake.write(batch, PROVENANCE)

    assert rows_of(lake, receipt.parts[0].key).schema.equals(ASSESSMENTS.schema)
    assert rows_of(lake, receipt.parts[1].key).schema.equals(REJECTS.schema)
    assert rows_of(lake, receipt.key).schema.equals(RECEIPTS.schema)


def test_receipts_list_each_part_with_its_true_size_and_hash(cut_lake, tmp_path):
    (window,) = hours(1)
    batch = stage(tmp_path / "staged", {window: [coded_row(window, n) for n in range(23)]})

    (receipt,) = cut_lake.write(batch, PROVENANCE)

    assert [part.n_rows for part in receipt.parts] == [10, 10, 3]
    for part in receipt.parts:
        assert pq.ParquetFile(cut_lake.root / part.key).metadata.num_rows == part.n_rows
        assert (cut_lake.root / part.key).stat().st_size == part.n_bytes
    assert cut_lake.receipts().column("parts").to_pylist()[0][2]["sha256"] == receipt.parts[2].sha256


def test_the_sum_over_receipts_accounts_for_every_input(lake, tmp_path):
    batch = random_batch(tmp_path / "staged", seed=5, n_windows=12)
    lake.write(batch, PROVENANCE)
    lake.write_undated(stage_rejects(tmp_path / "u", [reject_row(None, n) for n in range(4)]), PROVENANCE)

    sums = {
        name: sum(lake.receipts().column(name).to_pylist())
        for name in ("rows_in", "rows_assessed", "rows_screened_out", "rows_rejected")
    }

    assert sums.pop("rows_in") == sum(sums.values())
    assert sums["rows_screened_out"] == 24


def test_a_rerun_leaves_every_byte_of_the_lake_receipts_included(lake, tmp_path):
    batch = random_batch(tmp_path / "staged", seed=1, n_windows=6)
    lake.write(batch, PROVENANCE)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in lake.root.rglob("*.parquet")}

    receipts = lake.write(batch, PROVENANCE)

    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in lake.root.rglob("*.parquet")} == before
    assert all(receipt.is_unchanged for receipt in receipts)


@pytest.mark.parametrize("rows_per_chunk", [1, 3, 7, 1000])
def test_data_files_do_not_depend_on_how_rows_arrived(tmp_path, rows_per_chunk):
    """Another batch size, or a batch that starts an hour earlier, moves every chunk border."""
    first, second = hours(2)
    rows = {first: [coded_row(first, n) for n in range(8)], second: [coded_row(second, n) for n in range(23)]}
    whole = LocalLake.open(tmp_path / "whole", **LAKE, part_size=SMALL)
    whole.write(stage(tmp_path / "a", rows), PROVENANCE)
    chunked = LocalLake.open(tmp_path / "chunked", **LAKE, part_size=SMALL)

    chunked.write(stage(tmp_path / "b", rows, rows_per_chunk=rows_per_chunk), PROVENANCE)

    assert data_files(chunked.root) == data_files(whole.root)


def test_row_groups_are_all_of_one_size_but_the_last(cut_lake, tmp_path):
    (window,) = hours(1)

    (receipt,) = cut_lake.write(stage(tmp_path / "s", {window: [coded_row(window, n) for n in range(18)]}), PROVENANCE)

    metadata = [pq.ParquetFile(cut_lake.root / part.key).metadata for part in receipt.parts]
    groups = [[part.row_group(n).num_rows for n in range(part.num_row_groups)] for part in metadata]
    assert groups == [[5, 5], [5, 3]]


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=st.lists(st.integers(0, 35), min_size=2, max_size=4))
def test_only_the_last_write_of_a_window_is_left_whatever_came_before(tmp_path_factory, counts):
    """Parts beyond the new count go; an emptied window keeps a receipt of zeros."""
    folder = tmp_path_factory.mktemp("writes")
    lake = LocalLake.open(folder / "lake", **LAKE, part_size=SMALL)
    (window,) = hours(1)

    for turn, count in enumerate(counts):
        batch = stage(folder / str(turn), {window: [coded_row(window, 100 * turn + n) for n in range(count)]})
        (receipt,) = lake.write(batch, PROVENANCE)

    keys = {path.relative_to(lake.root).as_posix() for path in lake.root.glob("assessments/*/*/*")}
    assert keys == {part.key for part in receipt.parts}
    assert receipt.rows_assessed == counts[-1]
    ids = [row_id for part in receipt.parts for row_id in rows_of(lake, part.key).column("tweet_id").to_pylist()]
    assert ids == [coded_row(window, 100 * turn + n)["tweet_id"] for n in range(counts[-1])]


def test_rewriting_one_window_touches_no_other(lake, tmp_path):
    first, second = hours(2)
    lake.write(stage(tmp_path / "a", {window: [coded_row(window, 1)] for window in (first, second)}), PROVENANCE)
    before = all_files(lake.root)

    lake.write(stage(tmp_path / "b", {first: [coded_row(first, 2)]}), PROVENANCE)

    changed = {key for key, data in all_files(lake.root).items() if before[key] != data}
    assert changed
    assert all(first.partition in key for key in changed)


@pytest.mark.parametrize("damage", ["removed", "truncated", "flipped", "extra"])
def test_a_rerun_mends_a_damaged_part(cut_lake, tmp_path, damage):
    (window,) = hours(1)
    batch = stage(tmp_path / "s", {window: [coded_row(window, n) for n in range(12)]})
    (receipt,) = cut_lake.write(batch, PROVENANCE)
    sound = data_files(cut_lake.root)
    part = cut_lake.root / receipt.parts[1].key
    data = part.read_bytes()
    if damage == "removed":
        part.unlink()
    elif damage == "extra":
        part.with_name("part-0002.parquet").write_bytes(data)
    else:
        part.write_bytes(data[:-9] if damage == "truncated" else data[:20] + bytes([data[20] ^ 1]) + data[21:])

    cut_lake.write(batch, PROVENANCE)

    assert data_files(cut_lake.root) == sound


def test_rows_that_went_missing_on_the_way_stop_the_whole_batch(lake, tmp_path):
    lake.write(random_batch(tmp_path / "a", seed=1), PROVENANCE)
    before = all_files(lake.root)

    with pytest.raises(AccountingError, match="rows in, but"):
        lake.write(with_lost_row(random_batch(tmp_path / "b", seed=2)), PROVENANCE)

    assert all_files(lake.root) == before


def test_rejects_that_the_tally_does_not_know_stop_the_whole_batch(lake, tmp_path):
    (window,) = hours(1)
    batch = stage(tmp_path / "s", {window: []}, [reject_row(window, 1)])
    wrong = replace(batch, tallies={window: Tally(1, {}, {"null_text": 1})})

    with pytest.raises(AccountingError, match=r"null_text.*malformed_json"):
        lake.write(wrong, PROVENANCE)

    assert list(all_files(lake.root)) == ["_lake.json"]


def test_rows_of_a_window_outside_the_batch_are_refused(lake, tmp_path):
    first, second = hours(2)
    batch = stage(tmp_path / "s", {first: [coded_row(first, 1)], second: [coded_row(second, 1)]})

    with pytest.raises(ContractError, match=r"not in this batch, such as 2026-03-01 01:00"):
        lake.write(replace(batch, windows=(first,)), PROVENANCE)


def test_rows_in_any_order_of_windows_come_out_right(lake, tmp_path):
    """Stations are asked to keep windows together, and a lake does not depend on it."""
    first, second = hours(2)
    rows = [coded_row((first, second)[n % 2], n) for n in range(9)]
    batch = stage(tmp_path / "s", {first: rows, second: []})
    mixed = replace(batch, tallies={first: Tally(5), second: Tally(4)})

    receipts = lake.write(mixed, PROVENANCE)

    assert [receipt.rows_assessed for receipt in receipts] == [5, 4]
    ids = rows_of(lake, receipts[1].parts[0].key).column("tweet_id").to_pylist()
    assert ids == [coded_row(second, n)["tweet_id"] for n in (1, 3, 5, 7)]


def test_a_batch_of_another_grid_or_mode_is_refused(lake, tmp_path):
    (window,) = hours(1)
    batch = stage(tmp_path / "s", {window: []})
    quarter = Window(window.start, 15)

    with pytest.raises(UsageError, match="windows of 60 minutes, not of 15"):
        lake.write(replace(batch, windows=(quarter,), tallies={}), PROVENANCE)
    with pytest.raises(UsageError, match="signal mode, not of case mode"):
        lake.write(batch, replace(PROVENANCE, privacy_mode="case"))


def test_pending_puts_missing_before_stale_and_leaves_out_the_rest(lake, tmp_path):
    old, new, missing, broken = hours(4)
    old_recipe = replace(PROVENANCE, model_version="toy-0")
    lake.write(stage(tmp_path / "a", {old: [coded_row(old, 1)]}), old_recipe)
    lake.write(stage(tmp_path / "b", {new: [coded_row(new, 1)]}), PROVENANCE)
    (receipt,) = lake.write(stage(tmp_path / "c", {broken: [coded_row(broken, 1)]}), PROVENANCE)
    (lake.root / receipt.parts[0].key).unlink()

    rows_in = dict.fromkeys((old, new, missing, broken), 3)  # one row each, and two screened out
    assert lake.pending(rows_in, RECIPE) == ([missing], [old, broken])


def test_a_receipt_says_how_many_inputs_its_window_held_before(lake, tmp_path):
    (window,) = hours(1)
    rows = [coded_row(window, n) for n in range(4)]
    (first,) = lake.write(stage(tmp_path / "a", {window: rows}), PROVENANCE)
    (second,) = lake.write(stage(tmp_path / "b", {window: rows[:1]}), PROVENANCE)

    assert (first.rows_before, second.rows_before) == (0, first.tally.rows_in)


def test_a_window_whose_source_has_other_inputs_now_is_stale(lake, tmp_path):
    same, more = hours(2)
    lake.write(stage(tmp_path / "a", {w: [coded_row(w, 1)] for w in (same, more)}), PROVENANCE)

    assert lake.pending({same: 3, more: 4}, RECIPE) == ([], [more])


def test_a_part_of_another_size_or_an_unreadable_receipt_is_pending(lake, tmp_path):
    short, torn = hours(2)
    receipts = lake.write(stage(tmp_path / "a", {w: [coded_row(w, 1)] for w in (short, torn)}), PROVENANCE)
    part = lake.root / receipts[0].parts[0].key
    part.write_bytes(part.read_bytes()[:-1])
    (lake.root / receipts[1].key).write_bytes(b"PAR1")

    assert lake.pending({short: 3, torn: 3}, RECIPE) == ([torn], [short])


def test_an_unreadable_receipt_is_named(lake, tmp_path):
    (window,) = hours(1)
    (receipt,) = lake.write(stage(tmp_path / "a", {window: []}), PROVENANCE)
    (lake.root / receipt.key).write_bytes(b"PAR1")

    with pytest.raises(ContractError, match=r"receipt\.parquet.*delete that file"):
        lake.receipts()


def test_a_new_lake_has_no_receipts_and_all_is_pending(lake):
    assert lake.receipts().equals(RECEIPTS.schema.empty_table())
    assert lake.pending(dict.fromkeys(hours(2), 0), RECIPE) == (list(hours(2)), [])


def test_undated_rejects_get_a_part_and_a_receipt_per_source_file(lake, tmp_path):
    rejects = [reject_row(None, n, origin=f"{'ab'[n % 2]}.jsonl") for n in range(5)]

    receipts = lake.write_undated(stage_rejects(tmp_path / "u", rejects), PROVENANCE)

    assert [receipt.rows_rejected for receipt in receipts] == [3, 2]
    assert [receipt.tally.rows_in for receipt in receipts] == [3, 2]
    assert {receipt.window_start for receipt in receipts} == {datetime(1970, 1, 1, tzinfo=UTC)}
    stored = rows_of(lake, receipts[1].parts[0].key)
    assert stored.column("row_number").to_pylist() == [1, 3]
    assert len(list(lake.root.glob("receipts/event_date=1970-01-01/event_time=0000/undated-*.parquet"))) == 2


def test_undated_rejects_are_replaced_and_a_mended_file_loses_its_own(lake, tmp_path):
    both = [reject_row(None, 1, origin="a.jsonl"), reject_row(None, 1, origin="b.jsonl")]
    lake.write_undated(stage_rejects(tmp_path / "1", both), PROVENANCE)

    again = lake.write_undated(stage_rejects(tmp_path / "2", both[:1]), PROVENANCE, ["a.jsonl", "b.jsonl", "c.jsonl"])

    assert [(receipt.rows_rejected, receipt.is_unchanged) for receipt in again] == [(1, True), (0, False)]
    assert sum(lake.receipts().column("rows_in").to_pylist()) == 1
    assert len(list(lake.root.glob("rejects/*/*/*"))) == 1


def test_a_real_window_of_1970_and_undated_input_live_side_by_side(lake, tmp_path):
    window = Window(datetime(1970, 1, 1, tzinfo=UTC))
    lake.write_undated(stage_rejects(tmp_path / "u", [reject_row(None, 1)]), PROVENANCE)

    lake.write(stage(tmp_path / "a", {window: []}, [reject_row(window, 2)]), PROVENANCE)
    lake.write(stage(tmp_path / "b", {window: []}), PROVENANCE)

    assert len(list(lake.root.glob("rejects/*/*/undated-*"))) == 1
    assert not list(lake.root.glob("rejects/*/*/part-*"))


def test_a_dated_reject_is_refused_among_the_undated(lake, tmp_path):
    rejects = stage_rejects(tmp_path / "u", [reject_row(None, 1), reject_row(hours(1)[0], 2)])

    with pytest.raises(ContractError, match="carry a window_start"):
        lake.write_undated(rejects, PROVENANCE)

    assert not list(lake.root.glob("rejects/*/*/*"))


def test_many_rejects_of_one_file_stay_one_part(lake, tmp_path):
    rejects = [reject_row(None, n) for n in range(20_001)]

    (receipt,) = lake.write_undated(stage_rejects(tmp_path / "u", rejects), PROVENANCE)

    assert [part.n_rows for part in receipt.parts] == [20_001]


def test_a_run_leaves_no_staging_behind(lake, tmp_path):
    lake.write(random_batch(tmp_path / "s", seed=1), PROVENANCE)

    assert [entry.name for entry in lake.root.iterdir() if entry.name.startswith(".staging")] == []


def test_a_failed_window_leaves_no_staging_and_an_untouched_lake(lake, tmp_path):
    (window,) = hours(1)
    row = coded_row(window, 1)
    row["events"][0]["end"] = 10_000
    lake.write(stage(tmp_path / "a", {window: [coded_row(window, 1)]}), PROVENANCE)
    before = all_files(lake.root)

    with pytest.raises(ContractError, match="outside its text"):
        lake.write(stage(tmp_path / "b", {window: [row]}), replace(PROVENANCE, keep_text="spans"))

    assert all_files(lake.root) == before
    assert not list(lake.root.glob(".staging-*"))


def test_more_windows_than_reach_the_disk_together_are_all_written(lake, tmp_path):
    windows = hours(150)
    batch = stage(tmp_path / "s", {window: [coded_row(window, 1)] for window in windows})

    receipts = lake.write(batch, PROVENANCE)

    assert [receipt.window_start for receipt in receipts] == [window.start for window in windows]
    assert lake.pending(dict.fromkeys(windows, 3), RECIPE) == ([], [])
    assert pa.types.is_timestamp(lake.receipts().schema.field("written_at").type)
