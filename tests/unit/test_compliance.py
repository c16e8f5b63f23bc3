"""Deletions reach every table of a lake, its accounts stay whole, and nothing comes back."""

import os
import shutil
from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adverse_events.compliance.comply import comply, hashed
from adverse_events.compliance.deletion_list import Deletion
from adverse_events.errors import ContractError, UsageError
from adverse_events.lake import LocalLake, local, suppression
from adverse_events.lake.parts import PartSize
from adverse_events.lake.receipt import settled
from adverse_events.lake.suppression import Suppression, rows_of
from adverse_events.staging import Tally
from tests.deletions import AT, WINDOWS, batch, listed, rejected, row, tweet_hash
from tests.staged_batches import LAKE, PROVENANCE, all_files, data_files, stage, stage_rejects


@pytest.fixture
def lake(tmp_path):
    return LocalLake.open(tmp_path / "lake", **LAKE)


@pytest.fixture
def filled(lake, tmp_path):
    lake.write(batch(tmp_path / "staged"), PROVENANCE)
    return lake


def ids_in(lake, table="assessments"):
    parts = sorted((lake.root / table).rglob("*.parquet"))
    return sorted(name for part in parts for name in pq.ParquetFile(part).read(["tweet_id"])["tweet_id"].to_pylist())


def receipts_of(lake):
    return {row["window_start"]: row for row in lake.receipts().to_pylist()}


def reasons(entries):
    return {entry["reason"]: entry["n_rows"] for entry in entries}


def test_a_deleted_post_leaves_its_window_and_the_receipt_says_why(filled):
    account = comply(filled, listed("a", "d", reason="protected"))

    assert ids_in(filled) == sorted(map(tweet_hash, "bcef"))
    receipt = receipts_of(filled)[WINDOWS[0].start]
    assert (receipt["rows_assessed"], receipt["rows_deleted"], reasons(receipt["deleted"])) == (2, 1, {"protected": 1})
    assert account.by_reason == {"protected": 2}
    assert (account.n_listed, account.n_new, account.n_in_lake, len(account.forgotten)) == (2, 2, 2, 2)


def test_every_receipt_still_balances_after_a_deletion(filled):
    before = {start: row["rows_in"] for start, row in receipts_of(filled).items()}
    comply(filled, listed("a", "b", "b2", "e", "f", "r", "s"))

    for start, row_ in receipts_of(filled).items():
        kept = row_["rows_assessed"] + row_["rows_screened_out"] + row_["rows_rejected"] + row_["rows_deleted"]
        assert row_["rows_in"] == before[start] == kept
        assert row_["rows_rejected"] == sum(reasons(row_["rejected"]).values())


def test_what_is_left_is_byte_for_byte_what_a_run_without_the_post_writes(filled, tmp_path):
    comply(filled, listed("a", "e", "r", "f", "s"))

    other = LocalLake.open(tmp_path / "other", **LAKE)
    other.write(batch(tmp_path / "less", without=["a", "e", "r", "f", "s"]), PROVENANCE)
    left = {key: data for key, data in data_files(filled.root).items() if not key.startswith("_suppressed/")}
    assert left == data_files(other.root)


def test_windows_without_a_deleted_post_are_not_touched(filled):
    before = all_files(filled.root)
    comply(filled, listed("a"))
    after = all_files(filled.root)

    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert {key for key in changed if "event_time=0100" in key or "event_time=0200" in key} == set()


def test_a_deleted_duplicate_is_forgotten_and_its_representative_stays(filled):
    account = comply(filled, listed("b2"))

    (part,) = (filled.root / "assessments").rglob("event_time=0000/*.parquet")
    stored = {row["tweet_id"]: row for row in pq.ParquetFile(part).read().to_pylist()}
    assert stored[tweet_hash("b")]["duplicate_tweet_ids"] == [tweet_hash("b3")]
    assert stored[tweet_hash("b")]["n_duplicates"] == 1
    assert (account.forgotten[0].n_duplicates, account.n_in_lake, account.n_due) == (1, 1, 0)


def test_a_window_that_lost_the_post_which_stood_for_others_is_due_again(filled):
    rows_in = {window: receipts_of(filled)[window.start]["rows_in"] for window in WINDOWS}
    account = comply(filled, listed("b", "b2"))

    assert receipts_of(filled)[WINDOWS[0].start]["rows_unrepresented"] == 1  # b3; b2 went itself
    assert account.n_due == 1
    assert filled.pending(rows_in, PROVENANCE.recipe_sha256) == ([], [WINDOWS[0]])


def test_a_post_the_coder_refused_counts_once_though_it_stands_in_two_tables(lake, tmp_path):
    made = stage(tmp_path / "staged", {WINDOWS[0]: [row(0, "a"), row(0, "c")]}, [{**rejected(0, "a"), "reason": "x"}])
    tally = Tally(4, {"no_drug": 2}, {}, {"x": 1})
    lake.write(replace(made, tallies={WINDOWS[0]: tally}), PROVENANCE)

    comply(lake, listed("a"))

    receipt = receipts_of(lake)[WINDOWS[0].start]
    assert (receipt["rows_in"], receipt["rows_assessed"], receipt["rows_deleted"], receipt["rows_uncoded"]) == (
        4,
        1,
        1,
        0,
    )
    assert ids_in(lake, "rejects") == []


def test_undated_rejects_of_a_deleted_post_go_too(lake, tmp_path):
    rejects = stage_rejects(tmp_path / "undated.arrow", [rejected(None, "u"), rejected(None, "v")])
    lake.write_undated(rejects, PROVENANCE, ["posts.jsonl"])

    comply(lake, listed("u"))

    assert ids_in(lake, "rejects") == [tweet_hash("v")]
    (receipt,) = lake.receipts().to_pylist()
    assert (receipt["rows_in"], receipt["rows_rejected"], receipt["rows_deleted"]) == (2, 1, 1)


def test_writing_a_window_again_never_brings_a_deleted_post_back(filled, tmp_path):
    comply(filled, listed("a", "b2", "r", reason="user_request"))
    after = data_files(filled.root)
    receipts = filled.write(batch(tmp_path / "again"), PROVENANCE)  # a source that still has them all

    assert data_files(filled.root) == after
    assert receipts[0].tally.deleted == {"user_request": 2}
    assert receipts[0].is_unchanged


def test_a_run_that_had_read_its_source_before_the_deletion_does_not_publish_the_post(lake, tmp_path, monkeypatch):
    """The list grows after the files were prepared and before they are put in place."""
    tries = []
    original = LocalLake._try_group

    def interrupted(self, jobs, staging, suppression):
        if not tries:
            tries.append(1)
            LocalLake.open(lake.root, **LAKE).suppress(listed("a"))
        return original(self, jobs, staging, suppression)

    monkeypatch.setattr(LocalLake, "_try_group", interrupted)
    (first, *_) = lake.write(batch(tmp_path / "staged"), PROVENANCE)

    assert tweet_hash("a") not in ids_in(lake)
    assert first.tally.deleted == {"deleted": 1}


def test_a_window_replaced_while_it_was_being_rewritten_is_looked_at_again(filled, tmp_path, monkeypatch):
    """Another run puts a new post into the window between the look and the rewriting."""
    original = LocalLake._try_group

    def interrupted(self, jobs, staging, suppression):
        monkeypatch.setattr(LocalLake, "_try_group", original)
        more = stage(tmp_path / "more", {WINDOWS[1]: [row(1, "e"), row(1, "new")]})
        LocalLake.open(self.root, **LAKE).write(more, PROVENANCE)
        return original(self, jobs, staging, suppression)

    monkeypatch.setattr(LocalLake, "_try_group", interrupted)
    comply(filled, listed("d"))

    assert tweet_hash("d") not in ids_in(filled)
    assert tweet_hash("new") in ids_in(filled)


def test_files_made_from_a_window_that_changed_meanwhile_are_not_put_in_place(filled, tmp_path, monkeypatch):
    filled.suppress(listed("d"))
    (place,) = filled.holding(filled.suppressed())
    ready = local.make_ready

    def interrupted(root, prepared):
        monkeypatch.setattr(local, "make_ready", ready)
        more = stage(tmp_path / "more", {WINDOWS[1]: [row(1, "e"), row(1, "new")]})
        LocalLake.open(root, **LAKE).write(more, PROVENANCE)
        ready(root, prepared)

    monkeypatch.setattr(local, "make_ready", interrupted)
    (receipt,) = filled.forget([place])

    assert receipt.is_skipped
    assert tweet_hash("new") in ids_in(filled)


def test_running_the_same_list_again_changes_nothing(filled):
    comply(filled, listed("a", "b"))
    before = all_files(filled.root)
    account = comply(filled, listed("a", "b"))

    assert all_files(filled.root) == before
    assert (account.n_new, account.forgotten, account.n_suppressed) == (0, (), 2)


def test_a_dry_run_says_what_would_go_and_changes_nothing(filled):
    before = all_files(filled.root)
    dry = comply(filled, listed("a", "b2", "r", "unknown"), dry_run=True)

    assert all_files(filled.root) == before
    assert (dry.n_listed, dry.n_in_lake, dry.n_new) == (4, 3, 4)
    wet = comply(filled, listed("a", "b2", "r", "unknown"))
    assert wet.forgotten == dry.forgotten
    assert wet.by_reason == dry.by_reason == {"deleted": 1}


def test_parts_left_without_a_receipt_are_cleaned_too(filled):
    """A killed run leaves parts that readers see and no receipt vouches for."""
    (receipt,) = (filled.root / "receipts").rglob("event_time=0100/*.parquet")
    receipt.unlink()
    comply(filled, listed("d"))

    assert tweet_hash("d") not in ids_in(filled)
    assert tweet_hash("e") in ids_in(filled)
    assert not receipt.exists()


def test_rows_that_an_older_version_wrote_keep_their_columns(filled):
    part = next((filled.root / "assessments").rglob("event_time=0000/*.parquet"))
    older = pq.ParquetFile(part).read().drop_columns(["author_country", "author_region", "author_city"])
    pq.write_table(older, part)
    comply(filled, listed("a"))

    left = pq.ParquetFile(part).read()
    assert left.column_names == older.column_names
    assert left.num_rows == older.num_rows - 1


def test_rows_are_cut_into_parts_as_a_run_cuts_them(tmp_path):
    size = PartSize(rows_per_part=4, row_group_rows=2)
    lake = LocalLake.open(tmp_path / "lake", **LAKE, part_size=size)
    names = [f"p{number:02d}" for number in range(11)]
    lake.write(stage(tmp_path / "staged", {WINDOWS[0]: [row(0, name) for name in names]}), PROVENANCE)
    comply(lake, listed("p01", "p05", "p06", "p09"))

    parts = sorted((lake.root / "assessments").rglob("*.parquet"))
    assert [pq.ParquetFile(part).metadata.num_rows for part in parts] == [4, 3]
    assert [part.name for part in parts] == ["part-0000.parquet", "part-0001.parquet"]


def test_in_case_mode_ids_are_matched_by_their_hash_and_the_list_holds_no_id(tmp_path):
    case = {**LAKE, "privacy_mode": "case"}
    lake = LocalLake.open(tmp_path / "lake", **case, hash_of=tweet_hash)
    plain = {**row(0, "a"), "tweet_id": "1901", "duplicate_tweet_ids": ["1902"], "n_duplicates": 1}
    made = stage(tmp_path / "staged", {WINDOWS[0]: [plain, {**row(0, "b"), "tweet_id": "1903"}]})
    lake.write(made, replace(PROVENANCE, privacy_mode="case"))

    comply(lake, listed("1901"))

    assert ids_in(lake) == ["1903"]
    stored = b"".join(path.read_bytes() for path in (lake.root / "_suppressed").iterdir())
    assert b"1901" not in stored
    with pytest.raises(UsageError, match="with the key"):
        LocalLake.open(lake.root, **case).write(made, replace(PROVENANCE, privacy_mode="case"))


def test_ids_can_be_given_as_a_signal_lake_stores_them(filled):
    given = hashed([Deletion(tweet_hash("a"), "deleted")], tweet_hash, as_stored=True)
    assert comply(filled, given).n_in_lake == 1


def test_many_small_lists_become_one_file_that_holds_them_all(lake, monkeypatch):
    monkeypatch.setattr(suppression, "MOST_FILES", 3)
    for number in range(5):
        lake.suppress(listed(f"n{number}"))

    assert len(list((lake.root / "_suppressed").iterdir())) == 2
    assert (lake.suppressed().positions_of([tweet_hash(f"n{number}") for number in range(5)]) >= 0).all()


def test_a_damaged_list_stops_a_run_instead_of_letting_posts_back(filled, tmp_path):
    filled.suppress(listed("a"))
    (part,) = (filled.root / "_suppressed").iterdir()
    damaged = part.read_bytes()[:-20]
    part.unlink()
    part.with_name("part-0.parquet").write_bytes(damaged)

    with pytest.raises(ContractError, match=r"part-0\.parquet is damaged"):
        filled.write(batch(tmp_path / "again"), PROVENANCE)


def test_the_first_reason_given_for_a_post_stands():
    rows = pa.concat_tables([listed("a", reason="withheld", at=AT.replace(month=5)), listed("a", reason="protected")])
    made = Suppression().with_more(rows)
    assert made.reasons_at(made.positions_of([tweet_hash("a")])) == ["protected"]


def test_hashes_are_told_apart_whatever_bytes_they_end_in():
    """numpy drops zero bytes at the end of a byte string; a comparison must not mind."""
    hashes = ["11" * 15 + "00", "11" * 14 + "0000", "11" * 15 + "01", "00" * 15 + "01"]
    made = Suppression().with_more(rows_of([(hashes[1], "x"), (hashes[3], "y")], AT))
    assert (made.positions_of(hashes) >= 0).tolist() == [False, True, False, True]
    assert made.positions_of([None, "", "zz" * 16, "11"]).tolist() == [-1] * 4


def test_counts_of_events_follow_the_rows(filled):
    comply(filled, listed("a"))
    receipt = receipts_of(filled)[WINDOWS[0].start]
    assert (receipt["rows_positive"], receipt["n_events"]) == (1, 1)
    assert Counter(ids_in(filled))[tweet_hash("c")] == 1


def test_a_process_killed_at_any_change_of_a_name_is_finished_by_the_same_command(tmp_path):
    names = ("a", "b2", "e", "f", "r", "s")
    whole = LocalLake.open(tmp_path / "whole", **LAKE, part_size=SMALL)
    whole.write(batch(tmp_path / "staged"), PROVENANCE)
    shutil.copytree(whole.root, tmp_path / "before")
    comply(whole, listed(*names))
    n_killed = 0
    for n_changes in count(0, 3):
        root = tmp_path / f"lake{n_changes}"
        shutil.copytree(tmp_path / "before", root)
        if not killed_after(n_changes, root, names):
            break
        n_killed += 1
        lake = LocalLake.open(root, **LAKE, part_size=SMALL)
        comply(lake, listed(*names))
        assert data_of(lake) == data_of(whole)
        assert not list((root / "_rewriting").iterdir())
        shutil.rmtree(root)
    assert n_killed > 5


SMALL = PartSize(rows_per_part=2, row_group_rows=1)
"""Windows of several parts: rows move from one part to another when some of them go."""


def killed_after(n_changes, root, names):
    """Comply in a process that ends, as if killed, at the `n_changes`-th change of a name; tell whether it was."""
    child = os.fork()
    if child == 0:
        left = [n_changes]
        for name in ("replace", "unlink", "hardlink_to"):
            original = getattr(Path, name)

            def counted(self, *args, _original=original, **options):
                if not left[0]:
                    os._exit(9)
                left[0] -= 1
                return _original(self, *args, **options)

            setattr(Path, name, counted)
        comply(LocalLake.open(root, **LAKE, part_size=SMALL), listed(*names))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def data_of(lake):
    """Return the data files byte for byte, and what the receipts say of them."""
    receipts = lake.receipts()
    rows = [settled(receipts.slice(number, 1)) for number in range(receipts.num_rows)]
    return {key: data for key, data in data_files(lake.root).items() if not key.startswith("_")}, rows


def test_a_receipt_that_an_older_version_wrote_is_restated_whole(filled):
    (path,) = (filled.root / "receipts").rglob("event_time=0000/*.parquet")
    newer = ("rows_deleted", "deleted", "rows_unrepresented", "served_by", "rows_uncoded", "uncoded")
    older = pq.ParquetFile(path).read().drop_columns(list(newer))
    pq.write_table(older, path)
    comply(filled, listed("a"))

    receipt = receipts_of(filled)[WINDOWS[0].start]
    assert (receipt["rows_in"], receipt["rows_deleted"], receipt["rows_uncoded"]) == (6, 1, 0)
