"""Sorting on disk gives what sorting in memory would."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adverse_events.source import sorting
from adverse_events.source.sorting import ExternalSort

SCHEMA = pa.schema([("when", pa.int64()), ("name", pa.string()), ("payload", pa.string())])
ROW = st.tuples(
    st.integers(0, 10**13),
    st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4),
    st.text("ab", max_size=2),
)


@pytest.fixture(autouse=True, scope="module")
def small_runs():
    """Runs of 8 rows in blocks of 2, given back 16 at a time: every path of the merge on little data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "ROWS_PER_RUN", 8)
        patch.setattr(sorting, "BLOCKS_PER_RUN", 4)
        patch.setattr(sorting, "ROWS_PER_CHUNK", 16)
        yield


def sort(folder, rows, piece):
    folder.mkdir(exist_ok=True)
    external = ExternalSort(folder, SCHEMA, ("when", "name", "payload"))
    for begin in range(0, len(rows), piece):
        columns = zip(*rows[begin : begin + piece], strict=True)
        external.add(pa.record_batch([list(column) for column in columns], SCHEMA))
    chunks = list(external.sorted())
    external.remove()
    return chunks


@given(st.lists(ROW, max_size=150) | st.lists(st.sampled_from([(1, "a", "a"), (1, "ab", ""), (2, None, "b")])))
def test_rows_come_back_in_order_and_complete(tmp_path_factory, rows):
    chunks = sort(tmp_path_factory.mktemp("sort"), rows, 5)
    got = [tuple(row.values()) for chunk in chunks for row in chunk.to_pylist()]
    assert got == sorted(rows, key=lambda row: (row[0], row[1] or "", row[2]))


def test_how_rows_came_leaves_no_trace(tmp_path):
    rows = [(number * 7919 % 101, f"n{number}", "") for number in range(100)]
    chunks = sort(tmp_path / "a", rows, 3)
    assert [chunk.num_rows for chunk in chunks] == [16, 16, 16, 16, 16, 16, 4]
    assert sort(tmp_path / "b", rows[::-1], 11) == chunks


def test_many_bytes_close_a_run_before_many_rows_do(tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "BYTES_PER_RUN", 100)
    external = ExternalSort(tmp_path, SCHEMA, ("when",))
    external.add(pa.record_batch([[2], ["x" * 200], [""]], SCHEMA))
    assert len(list(tmp_path.iterdir())) == 1
    external.add(pa.record_batch([[1], ["y" * 200], [""]], SCHEMA))
    assert [chunk.column("when").to_pylist() for chunk in external.sorted()] == [[1, 2]]


def test_no_file_is_left_behind(tmp_path):
    sort(tmp_path / "work", [(1, "a", "")] * 40, 8)
    assert list(tmp_path.iterdir()) == []
