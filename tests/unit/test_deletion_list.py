"""Deletion lists of any usual form, and what is wrong with a line, without quoting it."""

import gzip
import json

import pytest

from adverse_events.compliance.deletion_list import DETAILS_KEPT, Read, read_list
from adverse_events.errors import ContractError, UsageError


def entries(path, **options):
    read = Read()
    return [(entry.tweet_id, entry.reason) for entry in read_list(path, read, **options)], read


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ids.txt", "11\n12 protected\n"),
        ("ids.txt", "\ufeff# ours\n\n11\r\n12,protected\r\n"),
        ("ids", "11\n12\tprotected"),
        ("ids.csv", "tweet_id,reason\n11,\n12,Protected\n"),
        ("ids.tsv", "id\treason\n11\t\n12\tprotected\n"),
        ("ids.jsonl", '{"id": "11"}\n{"id": 12, "action": "delete", "reason": "protected"}\n'),
        ("ids.json", '[{"id": "11"}, {"id": "12", "reason": "protected"}]'),
        ("ids.txt.gz", gzip.compress(b"11\n12 protected\n", mtime=0)),
        ("ids.jsonl.gz", gzip.compress(b'{"id": "11"}\n{"id": "12", "reason": "protected"}\n', mtime=0)),
    ],
)
def test_the_usual_forms_are_read_alike(tmp_path, name, content):
    assert entries(write(tmp_path, name, content))[0] == [("11", "user_request"), ("12", "protected")]


def test_a_lone_column_without_a_header_loses_no_id(tmp_path):
    assert [e[0] for e in entries(write(tmp_path, "ids.csv", "11\n12\n13\n"))[0]] == ["11", "12", "13"]


def test_ids_above_two_to_the_53_stay_exact(tmp_path):
    path = write(tmp_path, "ids.jsonl", '{"id": 9007199254740993}\n{"id": "9007199254740995"}\n')
    assert [e[0] for e in entries(path)[0]] == ["9007199254740993", "9007199254740995"]


def test_malformed_lines_are_named_counted_and_never_quoted(tmp_path):
    path = write(tmp_path, "ids.txt", b"11\n1.9E+18\nquokka \xff\xfe\n12 becauseisaidso\n13\n")
    found, read = entries(path)
    assert [e[0] for e in found] == ["11", "13"]
    assert (read.n_lines, read.n_malformed) == (5, 3)
    assert [line.partition(":")[0] for line in read.malformed] == [f"ids.txt line {number}" for number in (2, 3, 4)]
    assert not any(word in " ".join(read.malformed) for word in ("quokka", "becauseisaidso", "1.9E"))


def test_only_the_first_malformed_lines_are_named(tmp_path):
    path = write(tmp_path, "ids.jsonl", "".join('{"id": true}\n' for _ in range(50)) + '{"id": "1"}\n')
    _, read = entries(path)
    assert (read.n_malformed, len(read.malformed)) == (50, DETAILS_KEPT)


def test_a_post_of_which_only_the_place_must_go_is_kept_and_counted(tmp_path):
    rows = [{"id": "1", "action": "scrub_geo"}, {"id": "2", "action": "delete"}]
    found, read = entries(write(tmp_path, "ids.jsonl", "\n".join(map(json.dumps, rows))))
    assert (found, read.n_kept_posts) == ([("2", "deleted")], 1)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("ids.txt", "", "empty"),
        ("ids.txt", "11\n".encode("utf-16"), "UTF-16"),
        ("ids.txt", b"PK\x03\x04\x00\x00", "NUL"),
        ("ids.txt", "x" * 10_000, "longer than"),
        ("ids.txt", "1.9E+18\n", "no line names a post"),
        ("ids.csv", "a,b\n1,2\n", "no column of ids"),
    ],
)
def test_what_is_no_list_of_ids_is_refused_with_its_name(tmp_path, name, content, says):
    with pytest.raises(UsageError, match=says) as error:
        entries(write(tmp_path, name, content))
    assert name in str(error.value)


def test_a_list_that_is_cut_short_is_refused(tmp_path):
    path = write(tmp_path, "ids.txt.gz", gzip.compress(b"11\n" * 1000)[:-10])
    with pytest.raises(ContractError, match="cut short"):
        entries(path)


def test_a_reason_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is no reason"):
        entries(write(tmp_path, "ids.txt", "11\n"), reason="whim")
