"""Which files a path names, and what becomes of files that cannot be read to their end."""

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from adverse_events.errors import ContractError, UsageError
from adverse_events.source.archive import Archive, ArchiveSettings
from adverse_events.source.files import find_files
from adverse_events.source.rows import read_rows

POSTS = [
    {"id": str(number), "text": f"sertraline, day {number}", "created_at": "2026-03-01T10:00:00Z"}
    for number in range(1, 2001)
]
LINES = "".join(f"{json.dumps(post)}\n" for post in POSTS).encode()


def read_ids(path: Path | str, **settings: object) -> list[str]:
    chunks = Archive(ArchiveSettings(path=str(path), **settings)).read()
    return [tweet.tweet_id for chunk in chunks for tweet in chunk.tweets]


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("posts.jsonl", bytes),
        ("posts.jsonl.gz", gzip.compress),
        ("posts.ndjson.zst", zstandard.compress),
        ("posts.jsonl", gzip.compress),
        ("posts.jsonl.gz", bytes),
        ("two-members.jsonl.gz", lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:])),
        ("two-frames.jsonl.zst", lambda data: zstandard.compress(data[:700]) + zstandard.compress(data[700:])),
    ],
)
def test_compression_is_told_by_the_bytes_not_by_the_name(tmp_path, name, compress):
    path = tmp_path / name
    path.write_bytes(compress(LINES))
    assert read_ids(path) == [post["id"] for post in POSTS]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("share", [0.3, 0.999])
def test_a_compressed_file_that_is_cut_short_stops_the_reading(tmp_path, compress, share):
    path = tmp_path / "posts.jsonl.gz"
    whole = compress(LINES)
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ContractError, match=r"posts\.jsonl\.gz.*cut short or damaged.*fetch it again"):
        read_ids(path)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_compressed_file_with_changed_bytes_stops_the_reading(tmp_path, compress):
    whole = bytearray(compress(LINES))
    middle = len(whole) // 2
    whole[middle : middle + 4] = bytes(byte ^ 0xFF for byte in whole[middle : middle + 4])
    path = tmp_path / "posts.jsonl.gz"
    path.write_bytes(whole)
    # Where a format finds out only by its checksum, the rows before are read; the error still comes.
    with pytest.raises(ContractError, match="cut short or damaged"):
        read_ids(path)


def test_a_damaged_parquet_file_stops_the_reading(tmp_path):
    path = tmp_path / "posts.parquet"
    pq.write_table(pa.Table.from_pylist(POSTS), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ContractError, match=r"posts\.parquet.*fetch it again"):
        read_ids(path)


@pytest.mark.parametrize("name", ["posts.jsonl", "posts.csv", "posts.json", "posts.parquet"])
@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused_by_name(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"{name}.*empty"):
        read_ids(path)


def test_a_utf16_file_is_refused_with_the_command_that_mends_it(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_bytes("id,text\n1,hello\n".encode("utf-16"))
    with pytest.raises(UsageError, match=r"UTF-16.*iconv"):
        read_ids(path)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.jsonl: no such file"):
        read_ids(tmp_path / "gone.jsonl")
    with pytest.raises(UsageError, match=r"gone\.jsonl: no such file"):
        read_rows(tmp_path / "gone.jsonl")


def test_no_path_at_all_is_refused():
    with pytest.raises(UsageError, match=r"source\.path"):
        list(Archive(ArchiveSettings()).read())


@pytest.mark.parametrize("pattern", ["", "*.jsonl", "deeper/**/*.csv"])
def test_a_folder_or_glob_with_nothing_to_read_is_refused_with_the_endings_known(tmp_path, pattern):
    (tmp_path / "notes.docx").write_text("no posts")
    with pytest.raises(UsageError, match=r"no file to read.*\.jsonl.*\.parquet"):
        find_files(os.path.join(tmp_path, pattern))  # noqa: PTH118 - a Path would swallow the empty pattern


def test_a_file_of_an_unknown_kind_is_read_once_its_format_is_named(tmp_path):
    path = tmp_path / "posts.dat"
    path.write_bytes(LINES)
    with pytest.raises(UsageError, match=r"posts\.dat: unknown kind of file"):
        read_ids(path)
    assert len(read_ids(path, file_format="jsonl")) == len(POSTS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused_by_name(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_bytes(LINES)
    path.chmod(0)
    with pytest.raises(UsageError, match=r"posts\.jsonl: cannot be opened"):
        read_ids(path)


@pytest.fixture
def tree(tmp_path):
    """A folder as people keep it: sub-folders, several formats, and files that are no data."""
    for number, name in enumerate(["b.jsonl", "a/2026-03-02.jsonl.gz", "a/2026-03-01.csv", "a/deep/c.json"], 1):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        post = {"id": str(number), "text": "metformin", "created_at": "2026-03-01T10:00:00Z"}
        if name.endswith(".csv"):
            path.write_text(",".join(post) + "\n" + ",".join(post.values()) + "\n")
        else:
            data = json.dumps(post).encode()
            path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    for name in [".DS_Store", "a/._b.jsonl", "a/_SUCCESS", "a/README.md", "_tmp/d.jsonl"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("no post")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "origins"),
    [
        ("", ["a/2026-03-01.csv", "a/2026-03-02.jsonl.gz", "a/deep/c.json", "b.jsonl"]),
        ("a", ["2026-03-01.csv", "2026-03-02.jsonl.gz", "deep/c.json"]),
        ("a/2026-03-*", ["2026-03-01.csv", "2026-03-02.jsonl.gz"]),
        ("*/2026*.csv", ["a/2026-03-01.csv"]),
        ("**/*.json*", ["a/2026-03-02.jsonl.gz", "a/deep/c.json", "b.jsonl"]),
        ("b.jsonl", ["b.jsonl"]),
    ],
)
def test_a_path_names_its_files_relative_to_itself_by_name(tree, pattern, origins):
    assert [file.origin for file in find_files(str(tree / pattern))] == origins
    assert len(read_ids(tree / pattern)) == len(origins)


def test_a_format_given_for_a_folder_reads_only_that_format(tree):
    assert [file.origin for file in find_files(str(tree), "csv")] == ["a/2026-03-01.csv"]


def test_every_file_read_is_named_even_one_without_rows(tree):
    (tree / "header-only.csv").write_text("id,text,created_at\n")
    chunks = list(Archive(ArchiveSettings(path=str(tree))).read())
    assert [origin for chunk in chunks for origin in chunk.origins] == [file.origin for file in find_files(str(tree))]
    assert "header-only.csv" in chunks[0].origins
