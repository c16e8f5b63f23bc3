"""Rows of CSV, TSV, JSON and Parquet files: in order, none lost, each bad one refused by itself."""

import csv
import io
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adverse_events.errors import ContractError, UsageError
from adverse_events.source import csv_rows
from adverse_events.source.rows import read_rows


@pytest.fixture
def write(tmp_path):
    def put(name: str, content: str | bytes):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def texts(rows) -> list[str]:
    return [row.values["text"] if row.refusal is None else row.refusal.reason for row in rows]


def test_only_a_line_feed_ends_a_csv_row(write):
    path = write("a.csv", "id,text\n1,one\rstill one\n2,two\r\n3,\r\n")
    rows = list(read_rows(path))
    assert [dict(row.values) for row in rows] == [
        {"id": "1", "text": "one\rstill one"},
        {"id": "2", "text": "two"},
        {"id": "3", "text": ""},
    ]


def test_quoted_fields_keep_delimiters_quotation_marks_and_line_ends(write):
    path = write("a.csv", 'text,label\r\n"a, ""b""\nc\r\nd\re",1\r\n\r\n"",0')
    assert texts(read_rows(path)) == ['a, "b"\nc\r\nd\re', ""]


def test_rows_are_numbered_from_1_without_the_header_and_blank_lines(write):
    path = write("a.csv", "text\none\n\n  \ntwo\n")
    assert [(row.number, row.values["text"]) for row in read_rows(path)] == [(1, "one"), (2, "two")]


def test_a_byte_order_mark_is_no_part_of_the_first_column(write):
    assert read_rows(write("a.csv", b"\xef\xbb\xbfid,text\n1,x\n")).columns == ("id", "text")
    assert read_rows(write("a.jsonl", b'\xef\xbb\xbf{"id": "1"}\n')).columns == ("id",)
    assert read_rows(write("a.json", b'\xef\xbb\xbf[{"id": "1"}]')).columns == ("id",)


def test_a_ragged_row_is_refused_by_its_number_and_the_others_are_kept(write):
    rows = list(read_rows(write("a.csv", "id,text\n1,x\n2,y,z\n3\n4,w\n")))
    assert [(row.number, row.refusal and row.refusal.reason) for row in rows] == [
        (1, None),
        (2, "ragged_row"),
        (3, "ragged_row"),
        (4, None),
    ]
    assert "3 fields where the header has 2" in rows[1].refusal.detail


def test_a_row_that_is_not_utf8_is_refused_and_the_others_are_kept(write):
    path = write("a.csv", b"id,text\n1,caf\xc3\xa9\n2,caf\xe9\n3,x\r\xe9\n4,z\n")
    assert texts(read_rows(path)) == ["café", "invalid_utf8", "invalid_utf8", "z"]


def test_an_unclosed_quotation_mark_costs_its_own_row_only(write):
    path = write("a.csv", 'id,text\n1,"never closed\n2,b\n3,c\n')
    assert texts(read_rows(path)) == ["malformed_csv", "b", "c"]


def test_an_unclosed_quotation_mark_does_not_swallow_a_quoted_row_after_it(write):
    path = write("a.csv", 'id,text,day\n1,"never closed,3\n2,"b, c",4\n3,d,5\n')
    assert texts(read_rows(path)) == ["malformed_csv", "b, c", "d"]


def test_an_unclosed_quotation_mark_in_a_large_file_does_not_read_it_into_memory(write, monkeypatch):
    monkeypatch.setattr(csv_rows, "MAX_RECORD_BYTES", 1000)
    path = write("a.csv", 'id,text\n1,"never closed\n' + "2,b\n" * 2000)
    assert texts(read_rows(path)) == ["malformed_csv", *["b"] * 2000]


def test_stray_quotation_marks_inside_one_line_are_read_as_spreadsheets_do(write):
    path = write("a.tsv", 'id\ttext\n1\t"so" they said\n2\tthe 5" one\n')
    assert texts(read_rows(path)) == ["so they said", 'the 5" one']


def test_a_field_of_60000_characters_and_one_with_nul_are_read(write):
    path = write("a.csv", f"id,text\n1,{'x' * 200_000}\n2,a\0b\n")
    assert texts(read_rows(path)) == ["x" * 200_000, "a\0b"]


def test_a_header_that_names_a_column_twice_is_refused(write):
    with pytest.raises(UsageError, match=r"a\.csv: column 3 has the name of an earlier one"):
        read_rows(write("a.csv", "text,id,text\n"))


def test_an_unknown_column_is_refused_with_the_columns_there_are(write):
    with pytest.raises(UsageError, match=r"a\.csv: no column 'body'; it has id, text"):
        read_rows(write("a.csv", "id,text\n"), needs=["body"])
    with pytest.raises(UsageError, match=r"a\.jsonl: no column 'body'; it has id, text"):
        read_rows(write("a.jsonl", '{"id": "1"}\n{"text": "x"}\n'), needs=["body"])


def test_a_first_line_that_is_a_post_is_not_quoted_as_a_column(write):
    path = write("a.csv", "my head hurts since I take it\nanother post\n")
    with pytest.raises(UsageError, match="no name of a column") as raised:
        read_rows(path, needs=["text"])
    assert "head" not in str(raised.value)


FIELDS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.tuples(st.just("x"), FIELDS, FIELDS), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_whatever_the_csv_module_writes_is_read_back(tmp_path_factory, rows, line_end):
    written = io.StringIO()
    csv.writer(written, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(written.getvalue().encode())
    assert [tuple(row.values.values()) for row in read_rows(path)] == rows


@given(st.binary(max_size=60))
def test_no_bytes_break_the_csv_reader_and_no_text_in_them_is_lost(tmp_path_factory, garbage):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(b"text\nfirst\n" + garbage)
    rows = list(read_rows(path))
    assert rows[0].values == {"text": "first"}
    assert b"".join(b"".join(row.raw for row in rows).split()) == b"".join((b"first" + garbage).split())


def test_a_malformed_line_is_refused_by_its_number_and_the_others_are_kept(write):
    lines = [json.dumps({"text": str(number)}) for number in range(1, 5001)]
    lines[2499] = '{"text": "torn'
    rows = list(read_rows(write("a.jsonl", "\n".join(lines))))
    assert len(rows) == 5000
    assert [(row.number, row.refusal.reason) for row in rows if row.refusal] == [(2500, "malformed_json")]
    assert "torn" not in rows[2499].refusal.detail
    assert rows[4999].values == {"text": "5000"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "malformed_json"),
        (b'{"text": "a"} {"text": "b"}', "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"text": "caf\xe9"}', "invalid_utf8"),
        (b'"only a string"', "not_a_post"),
        (b"[1, 2]", "not_a_post"),
        (b'{"errors": [{"title": "Not Found Error"}]}', "not_a_post"),
        (b'{"data": [7]}', "not_a_post"),
    ],
)
def test_a_line_that_is_no_post_is_refused_with_its_reason(write, line, reason):
    rows = list(read_rows(write("a.jsonl", b'{"text": "good"}\n' + line + b'\n{"text": "good"}\n')))
    assert texts(rows) == ["good", reason, "good"]
    assert [row.number for row in rows] == [1, 2, 3]


def test_blank_lines_are_no_rows_but_count_as_lines(write):
    assert [row.number for row in read_rows(write("a.jsonl", '\n{"text": "a"}\r\n\n{"text": "b"}'))] == [2, 4]


def test_lone_surrogates_reach_the_post_so_that_it_can_be_refused(write):
    assert texts(read_rows(write("a.jsonl", '{"text": "\\ud83d"}\n'))) == ["\ud83d"]


POSTS = [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]
PAGE = {"data": POSTS, "includes": {"users": [{"id": "9"}]}, "meta": {"result_count": 2}}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bare.jsonl", "\n".join(map(json.dumps, POSTS))),
        ("wrapped.jsonl", "\n".join(json.dumps({"data": post, "includes": {}}) for post in POSTS)),
        ("page.jsonl", json.dumps(PAGE)),
        ("pages.jsonl", "\n".join(json.dumps({**PAGE, "data": [post]}) for post in POSTS)),
        ("page.json", json.dumps(PAGE)),
        ("page-indented.json", json.dumps(PAGE, indent=2)),
        ("list.json", json.dumps(POSTS, indent=2)),
        ("list-of-pages.json", json.dumps([{**PAGE, "data": [post]} for post in POSTS])),
        ("lines.json", "\n".join(map(json.dumps, POSTS))),
    ],
)
def test_posts_are_found_in_every_json_shape(write, name, content):
    assert [dict(row.values) for row in read_rows(write(name, content))] == POSTS


def test_a_search_without_results_is_no_row(write):
    assert list(read_rows(write("a.jsonl", '{"meta": {"result_count": 0}}\n'))) == []


def test_a_document_that_is_not_json_stops_the_reading(write):
    with pytest.raises(ContractError, match=r"a\.json.*at character.*\.jsonl"):
        read_rows(write("a.json", '[{"id": "1"},\n {"id":'))


def test_parquet_rows_keep_their_types_and_order(tmp_path):
    rows = [{"id": n, "text": f"t{n}", "at": datetime(2026, 3, 1, tzinfo=UTC), "note_tweet": None} for n in range(3000)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    read = list(read_rows(tmp_path / "a.parquet"))
    assert [row.number for row in read] == list(range(1, 3001))
    assert [dict(row.values) for row in read] == rows


def test_a_parquet_text_that_is_not_utf8_is_refused_and_the_others_are_kept(tmp_path):
    raw = pa.array([b"a", b"\xff\xfe", b"c", b"d", b"\xc3"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    rows = list(read_rows(tmp_path / "a.parquet"))
    assert texts(rows) == ["a", "invalid_utf8", "c", "d", "invalid_utf8"]
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]


def test_parquet_times_in_nanoseconds_are_read(tmp_path):
    at = pa.array([1_772_352_000_123_456_789], pa.timestamp("ns", "UTC"))
    pq.write_table(pa.table({"at": at}), tmp_path / "a.parquet")
    [row] = read_rows(tmp_path / "a.parquet")
    assert row.values["at"] == datetime(2026, 3, 1, 8, 0, 0, 123456, UTC)
