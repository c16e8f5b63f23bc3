"""An archive of posts in a bucket reads like the same archive in a folder."""

import gzip

import pytest

from adverse_events import assembly
from adverse_events.errors import PermanentServiceError, UsageError
from adverse_events.sample.week import sample_week
from adverse_events.settings import load_settings
from adverse_events.source.s3_files import S3Files
from tests.moto_server import BUCKET, cloud_at, make_bucket, moto_server


@pytest.fixture
def cloud(monkeypatch):
    with moto_server() as url:
        yield cloud_at(url, monkeypatch)


@pytest.fixture
def put(cloud):
    make_bucket(cloud)
    return lambda key, body=b"id,text,created_at\n": cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def origins(cloud, url, file_format=None):
    return [origin for origin, _, _ in S3Files(cloud, url, file_format).find()]


def test_a_bucket_gives_the_rows_of_the_folder_it_was_copied_from(cloud, put):
    for path in sorted(sample_week().rglob("*")):
        put(f"week/{path.relative_to(sample_week()).as_posix()}", path.read_bytes())
    local = list(assembly.source_for(load_settings({"source.path": str(sample_week())})).read())
    remote = list(assembly.source_for(load_settings({"source.path": f"s3://{BUCKET}/week"})).read())
    assert remote == local
    assert sum(len(chunk.tweets) for chunk in remote) > 2000


def test_a_folder_is_read_with_its_subfolders_and_without_what_tools_leave(cloud, put):
    for key in ("in/b.csv", "in/a/c.jsonl.gz", "in/_SUCCESS", "in/.hidden/d.csv", "in/notes.txt", "inner/e.csv"):
        put(key)
    assert origins(cloud, f"s3://{BUCKET}/in") == ["a/c.jsonl.gz", "b.csv"]
    assert origins(cloud, f"s3://{BUCKET}/in/", "csv") == ["b.csv"]


def test_an_object_and_a_glob_name_their_files(cloud, put):
    for key in ("in/2026-01/a.csv", "in/2026-02/a.csv", "in/2027-01/a.csv", "in/raw"):
        put(key)
    assert origins(cloud, f"s3://{BUCKET}/in/2026-02/a.csv") == ["a.csv"]
    assert origins(cloud, f"s3://{BUCKET}/in/2026-*") == ["2026-01/a.csv", "2026-02/a.csv"]
    assert origins(cloud, f"s3://{BUCKET}/in/raw", "csv") == ["raw"]


def test_a_fetched_file_is_gone_when_the_next_one_is_read(cloud, put):
    put("in/a.csv", b"first")
    put("in/b.csv.gz", gzip.compress(b"second"))
    first, second = (file.path for file in S3Files(cloud, f"s3://{BUCKET}/in"))
    assert not first.exists()
    assert not second.parent.exists()


@pytest.mark.parametrize("path", ["nothing-here", "in/*.parquet"])
def test_an_address_with_nothing_to_read_is_refused(cloud, put, path):
    put("in/a.csv")
    with pytest.raises(UsageError, match="no object to read there"):
        assembly.check_source(load_settings({"source.path": f"s3://{BUCKET}/{path}"}))


def test_a_missing_bucket_is_named_with_its_remedy(cloud):
    with pytest.raises(PermanentServiceError, match=r"s3://no-such-bucket/in.*does not exist"):
        origins(cloud, "s3://no-such-bucket/in")
