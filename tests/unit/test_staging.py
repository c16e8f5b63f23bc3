"""What stands between two stations: tallies, staged files, and the workspace they live in."""

import os
import stat
import time

import pyarrow as pa
import pytest

from adverse_events import progress
from adverse_events.errors import AccountingError, PermanentServiceError
from adverse_events.staging import (
    CLASSIFIED,
    CODED,
    ROWS_PER_CHUNK,
    SCREENED,
    Batch,
    StagedWriter,
    Tally,
    read_staged,
    workspace,
    write_staged,
)
from tests.staged_batches import hours

NUMBERS = pa.schema([pa.field("n", pa.int64(), nullable=False), pa.field("word", pa.string())])


def numbers(first, last):
    return pa.table({"word": [str(n) for n in range(first, last)], "n": pa.array(range(first, last), pa.int32())})


def test_a_tally_adds_up_by_reason_and_leaves_the_one_before_as_it_was():
    before = Tally(3, {"repost": 1}, {"null_text": 1})
    after = before.plus(rows_in=2, screened_out={"repost": 1, "no_drug_mention": 1}, billable_units={"coder": 4})
    assert after == Tally(5, {"no_drug_mention": 1, "repost": 2}, {"null_text": 1}, {}, {"coder": 4})
    assert before == Tally(3, {"repost": 1}, {"null_text": 1})
    assert after.plus() == after


def test_a_tally_that_adds_up_passes():
    Tally(6, {"repost": 2}, {"null_text": 1}).check(hours(1)[0], 3)
    Tally().check(hours(1)[0], 0)


@pytest.mark.parametrize("assessed", [2, 4], ids=["lost", "doubled"])
def test_a_tally_that_does_not_add_up_names_the_window_and_the_counts(assessed):
    expected = f"2026-03-01T00:00Z/2026-03-01T01:00Z: 6 rows in, but {assessed} assessed, 2 screened out and 1 rejected"
    with pytest.raises(AccountingError, match=expected):
        Tally(6, {"repost": 2}, {"null_text": 1}).check(hours(1)[0], assessed)


def test_a_batch_remembers_how_long_each_station_took(tmp_path):
    batch = Batch(hours(1), tmp_path / "rows.arrow", (), {})
    timed = batch.took("screen", 0.12345).took("classify", 2)
    assert timed.durations == {"screen": 0.123, "classify": 2}
    assert batch.durations == {}
    assert batch.folder == tmp_path


def test_what_is_staged_comes_back_in_order_in_the_files_own_columns_and_types(tmp_path):
    chunks = [numbers(0, 3), numbers(3, 3), numbers(3, 7).to_batches()[0]]
    assert write_staged(tmp_path / "n.arrow", NUMBERS, chunks) == 7
    back = pa.Table.from_batches(read_staged(tmp_path / "n.arrow"))
    assert back.schema == NUMBERS
    assert back.column("n").to_pylist() == list(range(7))


def test_a_file_without_rows_is_a_file_with_a_schema(tmp_path):
    path = tmp_path / "none.arrow"
    with StagedWriter(path, NUMBERS) as staged:
        staged.write_rows([])
    assert staged.n_rows == 0
    assert list(read_staged(path)) == []
    with pa.memory_map(str(path)) as file:
        assert pa.ipc.open_file(file).schema == NUMBERS


def test_chunks_are_small_however_large_the_table_written(tmp_path):
    n_rows = 2 * ROWS_PER_CHUNK + 1
    with StagedWriter(tmp_path / "n.arrow", NUMBERS) as staged:
        staged.write(numbers(0, n_rows))
    assert staged.n_rows == n_rows
    assert [chunk.num_rows for chunk in read_staged(tmp_path / "n.arrow")] == [ROWS_PER_CHUNK, ROWS_PER_CHUNK, 1]


def test_small_writes_are_gathered_to_whole_chunks(tmp_path):
    """A quiet window is a dozen rows; the classifier wants posts by the thousand."""
    with StagedWriter(tmp_path / "n.arrow", NUMBERS) as staged:
        for start in range(0, ROWS_PER_CHUNK + 10, 10):
            staged.write(numbers(start, start + 10))
    chunks = [chunk.num_rows for chunk in read_staged(tmp_path / "n.arrow")]
    assert chunks == [ROWS_PER_CHUNK, staged.n_rows - ROWS_PER_CHUNK]


def test_reading_reports_progress_of_the_station_that_reads(tmp_path):
    write_staged(tmp_path / "n.arrow", NUMBERS, [numbers(0, ROWS_PER_CHUNK + 2)])
    heard = []
    with progress.listening(lambda station, n_rows: heard.append((station, n_rows))):
        progress.of_station("classify")(lambda: list(read_staged(tmp_path / "n.arrow")))()
    assert heard == [("classify", ROWS_PER_CHUNK), ("classify", 2)]


def test_rows_that_do_not_fit_the_file_are_refused(tmp_path):
    with StagedWriter(tmp_path / "n.arrow", NUMBERS) as staged:
        with pytest.raises(KeyError, match="word"):
            staged.write(pa.table({"n": [1]}))
        with pytest.raises(pa.ArrowInvalid, match="many"):
            staged.write(pa.table({"n": ["many"], "word": ["x"]}))
    assert staged.n_rows == 0


def test_each_station_adds_to_what_the_one_before_wrote():
    assert CLASSIFIED.names[: len(SCREENED)] == SCREENED.names
    assert CODED.names[: len(CLASSIFIED)] == CLASSIFIED.names


def test_the_workspace_is_private_and_gone_afterwards(tmp_path):
    with workspace(tmp_path) as folder:
        (folder / "batch").mkdir()
        (folder / "batch" / "rows.arrow").write_bytes(b"rows")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_the_workspace_of_a_run_that_was_killed_is_removed_by_a_later_one(tmp_path):
    """One that is alive, or so new that it may not be locked yet, is left alone."""
    long_ago = time.time() - 3600
    dead, starting = tmp_path / "adverse-events-dead", tmp_path / "adverse-events-starting"
    dead.mkdir(mode=0o700)
    (dead / "rows.arrow").write_bytes(b"rows")
    starting.mkdir(mode=0o700)
    os.utime(dead, (long_ago, long_ago))
    with workspace(tmp_path) as alive:
        os.utime(alive, (long_ago, long_ago))
        with workspace(tmp_path) as other:
            assert set(tmp_path.iterdir()) == {alive, other, starting}


def test_a_disk_that_refuses_is_named_with_the_remedy(tmp_path):
    with pytest.raises(PermanentServiceError, match=f"{tmp_path}/gone: No such file or directory; free space there"):
        write_staged(tmp_path / "gone" / "n.arrow", NUMBERS, [])


def test_the_workspace_goes_after_a_failure_too(tmp_path):
    def fail():
        with workspace(tmp_path) as folder:
            (folder / "rows.arrow").write_bytes(b"rows")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []
