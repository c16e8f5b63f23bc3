"""From a source to batches of windows: nothing lost, nothing unmasked, nothing owed to the order of rows."""

import json
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adverse_events.errors import ContractError, PermanentServiceError, UsageError
from adverse_events.privacy import IdentityKey, PrivacySettings
from adverse_events.source import sorting
from adverse_events.source.archive import Archive, ArchiveSettings
from adverse_events.source.spool import MAX_WINDOWS_PER_BATCH, Spooled, spool
from adverse_events.staging import REJECTED, TWEETS, read_staged
from adverse_events.windows import Window

START = datetime(2026, 3, 1, tzinfo=UTC)
KEY = IdentityKey(b"k" * 32)


def a_post(number: int, minutes: float = 0, **change: object) -> dict[str, object]:
    created_at = (START + timedelta(minutes=minutes)).isoformat()
    return {
        "id": f"{number}",
        "text": f"tablet {number}, @nurse",
        "created_at": created_at,
        "author_id": "77",
        **change,
    }


def write(path: Path, posts: list) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{post if isinstance(post, str) else json.dumps(post)}\n" for post in posts))
    return path


def run(path: Path, folder: Path, **options: object) -> Spooled:
    options = {"window_minutes": 60, "privacy": PrivacySettings(), "key": KEY, **options}
    return spool(Archive(ArchiveSettings(path=str(path))), folder=folder, **options)


def rows_of(path: Path) -> list[dict[str, object]]:
    return [row for chunk in read_staged(path) for row in chunk.to_pylist()]


def all_rows(spooled: Spooled) -> list[dict[str, object]]:
    return [row for batch in spooled.batches for row in rows_of(batch.rows)]


def all_rejects(spooled: Spooled) -> list[dict[str, object]]:
    return [row for batch in spooled.batches for path in batch.rejects for row in rows_of(path)]


@pytest.fixture
def mixed():
    """Posts over ten hours in no order; one in ten dated but refused, one in fifty without a time."""
    chance = random.Random(7)  # noqa: S311 - a shuffle to repeat
    posts = []
    for number in range(1000):
        change = {"text": None} if number % 10 == 3 else {"created_at": "soon"} if number % 50 == 9 else {}
        posts.append(a_post(number, chance.randrange(600), **change))
    return posts


def test_rows_are_grouped_by_window_and_sorted_inside(tmp_path, mixed):
    spooled = run(write(tmp_path / "posts.jsonl", mixed), tmp_path / "work", rows_per_batch=250)
    rows = all_rows(spooled)
    order = [(r["window_start"], r["created_at"], r["tweet_id"], r["payload_sha256"]) for r in rows]
    assert order == sorted(order)
    for batch in spooled.batches:
        assert {row["window_start"] for row in rows_of(batch.rows)} <= {window.start for window in batch.windows}
    assert all(Window.containing(row["created_at"], 60).start == row["window_start"] for row in rows)
    assert next(read_staged(spooled.batches[0].rows)).schema == TWEETS


def test_every_row_read_is_in_a_batch_a_reject_or_undated(tmp_path, mixed):
    spooled = run(write(tmp_path / "posts.jsonl", mixed), tmp_path / "work", rows_per_batch=250)
    rows, rejects, undated = all_rows(spooled), all_rejects(spooled), rows_of(spooled.undated)
    assert (spooled.rows_read, spooled.n_undated, spooled.rows_out_of_range) == (1000, 20, 0)
    assert (len(rows), len(rejects), len(undated)) == (880, 100, 20)
    accepted = Counter(row["window_start"] for row in rows)
    refused = Counter(row["window_start"] for row in rejects)
    for batch in spooled.batches:
        for window in batch.windows:
            tally = batch.tallies[window]
            tally.check(window, accepted[window.start])
            assert tally.rejected == ({"null_text": refused[window.start]} if refused[window.start] else {})
    assert {(row["reason"], row["window_start"], row["origin"]) for row in undated} == {
        ("bad_created_at", None, "posts.jsonl")
    }
    assert next(read_staged(spooled.undated)).schema == REJECTED


def test_the_order_of_rows_and_files_leaves_no_trace(tmp_path, mixed, monkeypatch):
    posts = [*mixed, *mixed[:50]]
    one = run(write(tmp_path / "one" / "posts.jsonl", posts), tmp_path / "work-1", rows_per_batch=300)
    monkeypatch.setattr(sorting, "ROWS_PER_RUN", 100)
    random.Random(1).shuffle(posts)  # noqa: S311 - a shuffle to repeat
    for part in range(5):
        write(tmp_path / "five" / f"{part}.jsonl", posts[part::5])
    five = run(tmp_path / "five", tmp_path / "work-2", rows_per_batch=300)

    def told(rows):
        return [{k: v for k, v in row.items() if k not in {"origin", "row_number"}} for row in rows]

    assert told(all_rows(one)) == told(all_rows(five))
    assert told(all_rejects(one)) == told(all_rejects(five))
    assert [(b.windows, b.tallies) for b in one.batches] == [(b.windows, b.tallies) for b in five.batches]


def test_signal_mode_puts_no_id_author_or_mention_on_disk(tmp_path):
    posts = [a_post(1765000000000000001, 5), a_post(1765000000000000002, 6, text=None)]
    spooled = run(write(tmp_path / "posts.jsonl", posts), tmp_path / "work")
    [row], [reject] = all_rows(spooled), all_rejects(spooled)
    assert row["tweet_id"] == KEY.pseudonym("1765000000000000001", "tweet")
    assert reject["tweet_id"] == KEY.pseudonym("1765000000000000002", "tweet")
    assert (row["text"], row["author_pseudonym"]) == ("tablet 1765000000000000001, @user", None)


def test_case_mode_keeps_the_id_and_a_pseudonym_of_the_author(tmp_path):
    path = write(tmp_path / "posts.jsonl", [a_post(1, 5)])
    [row] = all_rows(run(path, tmp_path / "work", privacy=PrivacySettings(mode="case")))
    assert (row["tweet_id"], row["author_pseudonym"]) == ("1", KEY.pseudonym("77", "author"))
    assert row["text"] == "tablet 1, @user"


def test_nothing_unmasked_touches_the_disk_while_the_source_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "ROWS_PER_RUN", 1)
    posts = [a_post(f"id-{n}-secret", 5, text=f"@secret_handle {n}", author_id="secret-author") for n in range(40)]
    path = write(tmp_path / "posts.jsonl", [*posts, '{"text": "secret', a_post("x", text="secret\ud800")])
    seen = []

    def look(_: int) -> None:
        seen.extend(file.read_bytes() for file in (tmp_path / "work").rglob("*") if file.is_file())

    spooled = run(path, tmp_path / "work", progress=look)
    look(0)
    assert spooled.rows_read == 42
    assert len(seen) > 1
    assert not any(b"secret" in content for content in seen)


def test_a_range_has_all_its_windows_and_only_its_rows(tmp_path):
    posts = [a_post(1, -1), a_post(2, 0), a_post(3, 119.99), a_post(4, 120), a_post(5, 30, text=""), "{"]
    path = write(tmp_path / "posts.jsonl", [*posts, a_post(6, 500, text="")])
    spooled = run(path, tmp_path / "work", start=START, end=START + timedelta(hours=2))
    [batch] = spooled.batches
    assert [window.start for window in batch.windows] == [START, START + timedelta(hours=1)]
    assert [batch.tallies[window].rows_in for window in batch.windows] == [2, 1]
    assert (spooled.rows_read, spooled.rows_out_of_range, spooled.n_undated) == (7, 3, 1)


def test_an_empty_window_has_an_empty_file_and_a_tally_of_nothing(tmp_path):
    path = write(tmp_path / "posts.jsonl", [a_post(1, 0)])
    spooled = run(path, tmp_path / "work", start=START + timedelta(days=1), end=START + timedelta(days=1, hours=1))
    [batch] = spooled.batches
    [tally] = batch.tallies.values()
    assert (tally.rows_in, tally.rejected, batch.rejects, rows_of(batch.rows)) == (0, {}, (), [])
    assert spooled.rows_out_of_range == 1


def test_without_a_range_only_windows_with_rows_appear(tmp_path):
    path = write(tmp_path / "posts.jsonl", [a_post(1, 0), a_post(2, 600), a_post(3, 1200, text=None)])
    spooled = run(path, tmp_path / "work")
    assert [window.start.hour for batch in spooled.batches for window in batch.windows] == [0, 10, 20]


def test_a_source_with_nothing_dated_has_no_batch(tmp_path):
    spooled = run(write(tmp_path / "posts.jsonl", ["{"]), tmp_path / "work")
    assert (spooled.batches, spooled.n_undated, spooled.rows_read) == ((), 1, 1)


def test_batches_are_cut_between_windows_never_inside_one(tmp_path):
    posts = [a_post(hour * 1000 + n, hour * 60) for hour, size in enumerate([4, 4, 4, 30, 1]) for n in range(size)]
    spooled = run(write(tmp_path / "posts.jsonl", posts), tmp_path / "work", rows_per_batch=10)
    assert [sum(tally.rows_in for tally in batch.tallies.values()) for batch in spooled.batches] == [8, 4, 30, 1]
    assert [batch.folder.name for batch in spooled.batches] == ["batch-0000", "batch-0001", "batch-0002", "batch-0003"]


def test_a_long_range_without_posts_is_cut_too(tmp_path):
    path = write(tmp_path / "posts.jsonl", [a_post(1, 0)])
    n_windows = 2 * MAX_WINDOWS_PER_BATCH + 1
    spooled = run(path, tmp_path / "work", start=START, end=START + timedelta(hours=n_windows))
    assert [len(batch.windows) for batch in spooled.batches] == [MAX_WINDOWS_PER_BATCH, MAX_WINDOWS_PER_BATCH, 1]


def test_a_range_is_checked_before_anything_is_read(tmp_path):
    path = tmp_path / "gone.jsonl"
    for start, end, message in [
        (START, None, "both a start and an end"),
        (START, START, "not after start"),
        (START + timedelta(minutes=5), START + timedelta(hours=1), "off the grid"),
        (START.replace(tzinfo=None), START, "no time zone"),
    ]:
        with pytest.raises(UsageError, match=message):
            run(path, tmp_path / "work", start=start, end=end)
    with pytest.raises(UsageError, match="does not divide a day"):
        run(path, tmp_path / "work", window_minutes=7)
    assert not (tmp_path / "work").exists()


def test_a_file_cut_short_after_good_ones_stages_no_batch(tmp_path):
    write(tmp_path / "in" / "a.jsonl", [a_post(1)])
    (tmp_path / "in" / "b.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00torn")
    with pytest.raises(ContractError, match=r"b\.jsonl\.gz"):
        run(tmp_path / "in", tmp_path / "work")
    assert list((tmp_path / "work").glob("batch-*")) == []


def test_progress_adds_up_to_the_rows_read(tmp_path, mixed):
    told: list[int] = []
    write(tmp_path / "posts.jsonl", mixed * 10)
    spooled = run(tmp_path / "posts.jsonl", tmp_path / "work", progress=told.append)
    assert len(told) > 1
    assert sum(told) == spooled.rows_read == 10_000


def test_only_batches_and_undated_rejects_stay_in_the_folder(tmp_path, mixed):
    run(write(tmp_path / "posts.jsonl", mixed), tmp_path / "work")
    files = sorted(file.relative_to(tmp_path / "work").as_posix() for file in (tmp_path / "work").rglob("*.*"))
    assert files == ["batch-0000/rejects-source.arrow", "batch-0000/tweets.arrow", "undated.arrow"]


def test_the_channel_is_written_beside_posts_and_rejects(tmp_path):
    path = write(tmp_path / "posts.jsonl", [a_post(1), a_post(2, text=None)])
    source = Archive(ArchiveSettings(path=str(path), channel="forum"))
    spooled = spool(source, folder=tmp_path / "w", window_minutes=60, privacy=PrivacySettings(), key=KEY)
    assert {row["source"] for row in [*all_rows(spooled), *all_rejects(spooled)]} == {"forum"}


FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from adverse_events.errors import PermanentServiceError
from adverse_events.privacy import IdentityKey, PrivacySettings
from adverse_events.source.archive import Archive, ArchiveSettings
from adverse_events.source.spool import spool
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
source, folder = Archive(ArchiveSettings(path=sys.argv[1])), Path(sys.argv[2])
try:
    spool(source, folder=folder, window_minutes=60, privacy=PrivacySettings(), key=IdentityKey(b"k" * 32))
except PermanentServiceError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files there")
def test_a_full_disk_says_where_and_what_to_do(tmp_path):
    path = write(tmp_path / "posts.jsonl", [a_post(n) for n in range(2000)])
    command = [sys.executable, "-c", FILL_THE_DISK, str(path), str(tmp_path / "work")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{tmp_path / 'work'} cannot take the rows" in done.stdout
    assert "free space" in done.stdout


def test_a_folder_that_cannot_be_made_says_where(tmp_path):
    (tmp_path / "file").write_text("")
    path = write(tmp_path / "posts.jsonl", [a_post(1)])
    with pytest.raises(PermanentServiceError, match="cannot take the rows"):
        run(path, tmp_path / "file" / "work")
