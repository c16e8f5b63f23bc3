"""What a backfill takes up: missing windows before stale ones, and nothing that is up to date."""

from dataclasses import replace

import pyarrow as pa
import pytest

from adverse_events.lake import LocalLake
from adverse_events.planning import narrow, plan
from adverse_events.staging import read_staged
from tests.staged_batches import LAKE, PROVENANCE, coded_row, hours, reject_row, stage

HOURS = hours(6)
RECIPE = PROVENANCE.recipe_sha256


def staged(folder, windows, *, n_rows=2):
    """A batch of `windows`: `n_rows` posts, a reject and two screened out in each but the last, which is empty."""
    rows = {window: [coded_row(window, n) for n in range(n_rows)] for window in windows[:-1]}
    return stage(folder, {**rows, windows[-1]: []}, [reject_row(window, 1) for window in windows[:-1]])


def starts(paths):
    return {start for path in paths for rows in read_staged(path) for start in rows.column("window_start").to_pylist()}


@pytest.fixture
def lake(tmp_path):
    return LocalLake.open(tmp_path / "lake", **LAKE)


@pytest.fixture
def batches(tmp_path):
    return [staged(tmp_path / "first", HOURS[:3]), staged(tmp_path / "second", HOURS[3:])]


def test_an_empty_lake_needs_every_window_and_the_batches_travel_as_they_are(lake, batches):
    work = plan(batches, lake, RECIPE, force=False)
    assert work.batches == tuple(batches)
    assert (work.n_due, work.n_up_to_date, work.rows_not_due) == (6, 0, 0)


def test_a_full_lake_needs_nothing(lake, batches):
    for batch in batches:
        lake.write(batch, PROVENANCE)
    work = plan(batches, lake, RECIPE, force=False)
    rows_in = sum(tally.rows_in for batch in batches for tally in batch.tallies.values())
    assert (work.batches, work.n_due, work.n_up_to_date, work.rows_not_due) == ((), 0, 6, rows_in)


def test_missing_windows_come_before_stale_ones_wherever_they_lie(lake, batches, tmp_path):
    lake.write(batches[0], PROVENANCE)
    stale = replace(PROVENANCE, ade_threshold=0.9)
    lake.write(staged(tmp_path / "old", HOURS[:2]), stale)
    work = plan(batches, lake, RECIPE, force=False)
    assert [batch.windows for batch in work.batches] == [HOURS[3:], HOURS[:2]]
    assert (work.n_due, work.n_up_to_date, work.rows_not_due) == (5, 1, batches[0].tallies[HOURS[2]].rows_in)


def test_a_batch_with_both_is_cut_in_two(lake, tmp_path):
    batch = staged(tmp_path / "all", HOURS)
    lake.write(narrow(batch, HOURS[:2], "old"), replace(PROVENANCE, coder_version="older"))
    lake.write(narrow(batch, HOURS[2:4], "new"), PROVENANCE)
    missing, stale = plan([batch], lake, RECIPE, force=False).batches
    assert (missing.windows, stale.windows) == (HOURS[4:], HOURS[:2])
    assert missing.folder != stale.folder
    assert starts([stale.rows]) == {window.start for window in HOURS[:2]}
    assert starts([missing.rows]) == {HOURS[4].start}


def test_a_window_whose_input_changed_in_number_is_stale(lake, batches, tmp_path):
    for batch in batches:
        lake.write(batch, PROVENANCE)
    lake.write(staged(tmp_path / "more", HOURS[1:3], n_rows=3), PROVENANCE)
    assert [batch.windows for batch in plan(batches, lake, RECIPE, force=False).batches] == [(HOURS[1],)]


def test_a_window_whose_data_were_removed_is_stale(lake, batches):
    for batch in batches:
        lake.write(batch, PROVENANCE)
    (lake.root / f"assessments/{HOURS[4].partition}/part-0000.parquet").unlink()
    assert [batch.windows for batch in plan(batches, lake, RECIPE, force=False).batches] == [(HOURS[4],)]


def test_force_takes_every_window(lake, batches):
    for batch in batches:
        lake.write(batch, PROVENANCE)
    work = plan(batches, lake, RECIPE, force=True)
    assert (work.batches, work.n_up_to_date, work.rows_not_due) == (tuple(batches), 0, 0)


def test_narrowing_keeps_the_chosen_windows_with_their_rows_rejects_and_tallies(tmp_path):
    batch = staged(tmp_path / "all", HOURS)
    chosen = HOURS[1:3]
    kept = narrow(batch, chosen, "some")
    assert kept.windows == chosen
    assert kept.tallies == {window: batch.tallies[window] for window in chosen}
    assert starts([kept.rows]) == starts(kept.rejects) == {window.start for window in chosen}
    before = pa.Table.from_batches(read_staged(batch.rows))
    after = pa.Table.from_batches(read_staged(kept.rows))
    assert after.to_pylist() == [row for row in before.to_pylist() if row["window_start"] in starts([kept.rows])]


def test_narrowing_to_all_or_to_none_copies_no_row(tmp_path):
    batch = staged(tmp_path / "all", HOURS)
    assert narrow(batch, HOURS, "all") is batch
    none = narrow(batch, hours(1, HOURS[-1].end), "none")
    assert (none.windows, none.tallies) == ((), {})
    assert {path.name for path in batch.folder.iterdir()} == {"rows.arrow", "rejects.arrow"}


def test_what_is_narrowed_can_be_written(lake, tmp_path):
    """The account of each window still adds up."""
    batch = staged(tmp_path / "all", HOURS)
    receipts = lake.write(narrow(batch, HOURS[2:], "some"), PROVENANCE)
    assert [receipt.window_start for receipt in receipts] == [window.start for window in HOURS[2:]]
    assert {receipt.rows_rejected for receipt in receipts[:-1]} == {1}
