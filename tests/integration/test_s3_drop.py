"""A drop folder in a bucket: objects listed, fetched one at a time, and left as they are."""

import pytest

from adverse_events.aws.settings import AwsSettings
from adverse_events.errors import UsageError
from adverse_events.source.archive import ArchiveSettings
from adverse_events.source.drop import DropFolder
from adverse_events.source.drop_settings import DropSettings
from adverse_events.source.s3_drop import S3Drop
from tests.moto_server import BUCKET, REGION, cloud_at, forget_all, make_bucket, moto_server, objects_in

URL = f"s3://{BUCKET}/inbox"
NOTE = "a rash two days after starting lamotrigine"


@pytest.fixture(scope="module")
def server():
    with moto_server() as url:
        yield url


@pytest.fixture
def cloud(server, monkeypatch):
    cloud = cloud_at(server, monkeypatch, AwsSettings(region=REGION, max_attempts=2))
    make_bucket(cloud)
    yield cloud
    forget_all(server)


def put(cloud, key, body):
    cloud.client("s3").put_object(Bucket=BUCKET, Key=f"inbox/{key}", Body=body)


def test_objects_are_read_as_files_of_a_folder_are_and_left_as_they_are(cloud):
    put(cloud, "calls/2026-03-01T0930Z.txt", NOTE.encode())
    put(cloud, "calls/2026-03-01T0931Z.txt.part", NOTE.encode())
    put(cloud, "forum.csv", f"id,text,created_at\n7,{NOTE},2026-03-01T10:00:00Z\n".encode())
    put(cloud, "scan.pdf", b"%PDF")
    put(cloud, "broken.parquet", b"PAR1")
    put(cloud, "", b"")
    before = objects_in(cloud)
    files = S3Drop(cloud, URL)
    files.check()
    (chunk,) = DropFolder(files, ArchiveSettings(path=URL, channel="forums"), DropSettings()).read()

    assert [(tweet.channel, tweet.text) for tweet in chunk.tweets] == [("calls", NOTE), (None, NOTE)]
    assert [(reject.reason, reject.origin) for reject in chunk.rejects] == [("unreadable_file", "broken.parquet")]
    assert chunk.origins == ("broken.parquet", "calls/2026-03-01T0930Z.txt", "forum.csv")
    assert files.n_unknown == 1
    assert objects_in(cloud) == before


def test_a_prefix_without_objects_is_refused(cloud):
    with pytest.raises(UsageError, match="no object there"):
        S3Drop(cloud, URL).check()
