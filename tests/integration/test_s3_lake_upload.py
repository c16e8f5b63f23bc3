"""Objects go up through awswrangler, by one request that is sent once; and what it would do left to itself."""

import gc
from collections import Counter
from io import BytesIO

import awswrangler as wr
import pandas as pd
import pytest
from botocore.exceptions import ClientError

from adverse_events.dictionary import athena_types
from adverse_events.errors import ServiceError
from adverse_events.lake.s3 import upload
from adverse_events.lake.s3.lake import S3Lake
from adverse_events.lake.s3.store import ChangedError, S3Store
from adverse_events.tables import PARTITION_COLUMNS, TABLES
from tests.faulty_service import refusal, reset
from tests.moto_server import BUCKET, objects_in
from tests.staged_batches import LAKE, PROVENANCE, coded_row, hours, reject_row, stage

URL = f"s3://{BUCKET}/lake"
KEY = "assessments/part-0000.parquet"
BYTES = b"PAR1 and so on"


@pytest.fixture
def store(cloud):
    return S3Store(cloud, URL)


def n_requests(trouble, verb):
    gc.collect()
    return sum(request.startswith(verb) for request in trouble.requests)


@pytest.fixture
def uploads(monkeypatch):
    """What went through awswrangler: its URLs."""
    went = []
    through = wr.s3.upload
    monkeypatch.setattr(wr.s3, "upload", lambda content, url, **more: (went.append(url), through(content, url, **more)))
    return went


def test_every_object_of_a_lake_goes_through_awswrangler_in_one_request(cloud, trouble, uploads, tmp_path):
    windows = hours(3)
    lake = S3Lake.open(cloud, URL, **LAKE)
    uploads.clear()
    trouble.requests.clear()
    lake.write(
        stage(tmp_path, {w: [coded_row(w, 1)] for w in windows}, [reject_row(w, 1) for w in windows]), PROVENANCE
    )
    data = [url for url in uploads if url.endswith(".parquet")]
    assert len(data) == len(set(data)) == 9
    puts = Counter(request.split("?")[0] for request in trouble.requests if request.startswith("PUT"))
    assert {puts[f"PUT /{url.removeprefix('s3://')}"] for url in data} == {1}


def test_conditions_key_and_metadata_arrive(cloud, store):
    etag = store.put(KEY, BYTES, replaces=None, metadata={"parts-seen": "none"})
    head = cloud.client("s3").head_object(Bucket=BUCKET, Key=f"lake/{KEY}")
    assert head["ETag"] == etag
    assert head["Metadata"].keys() == {"sha256", "parts-seen"}
    assert head["ServerSideEncryption"] == "aws:kms"
    with pytest.raises(ChangedError):
        store.put(KEY, b"other", replaces=None)
    with pytest.raises(ChangedError):
        store.put(KEY, b"other", replaces='"0123456789abcdef0123456789abcdef"')
    assert store.put(KEY, b"other", replaces=etag) != etag
    assert objects_in(cloud) == {f"lake/{KEY}": b"other"}


@pytest.mark.parametrize("fault", [refusal(503, "SlowDown"), refusal(403, "AccessDenied"), reset])
def test_a_put_that_failed_is_not_sent_again_when_its_error_is_forgotten(cloud, store, trouble, fault):
    """By then the lease may be another's."""
    trouble.fail("PUT", fault, containing=KEY)
    trouble.requests.clear()
    with pytest.raises(ServiceError, match="PutObject"):
        store.put(KEY, BYTES, replaces=None)
    trouble.rules.clear()
    assert n_requests(trouble, "PUT") == 1
    assert objects_in(cloud) == {}


def test_an_object_longer_than_a_part_goes_in_one_request_too(cloud, store, trouble, uploads, tmp_path):
    large = tmp_path / "large.parquet"
    large.write_bytes(bytes(upload.MOST_BYTES + 1))
    trouble.requests.clear()
    store.put(KEY, large, replaces=None)
    assert (n_requests(trouble, "PUT"), n_requests(trouble, "POST"), uploads) == (1, 0, [])
    large.write_bytes(bytes(upload.MOST_BYTES + 2))
    with pytest.raises(ChangedError):
        store.put(KEY, large, replaces=None)
    largest = bytes(upload.MOST_BYTES)
    trouble.requests.clear()
    store.put(f"{KEY}2", largest, replaces=None)
    assert (n_requests(trouble, "PUT"), n_requests(trouble, "POST"), len(uploads)) == (1, 0, 1)


def test_awswrangler_alone_puts_once_more_after_a_failure(cloud, trouble):
    """Why `upload` stands between; when this no longer holds, look at it again."""
    trouble.fail("PUT", refusal(403, "AccessDenied"))
    with pytest.raises(ClientError) as raised:
        wr.s3.upload(BytesIO(BYTES), f"{URL}/{KEY}", boto3_session=cloud.session)
    trouble.rules.clear()
    assert objects_in(cloud) == {}
    del raised
    gc.collect()
    assert objects_in(cloud) == {f"lake/{KEY}": BYTES}


def test_awswrangler_alone_leaves_half_of_a_file_whose_second_part_was_refused(cloud, trouble):
    """Why nothing is written in parts; when this no longer holds, look at it again."""
    half = 6 * 1024 * 1024
    trouble.fail("PUT", refusal(403, "AccessDenied"), containing="partNumber=2")
    with pytest.raises(ClientError):
        wr.s3.upload(BytesIO(bytes(2 * half)), f"{URL}/{KEY}", use_threads=False, boto3_session=cloud.session)
    trouble.rules.clear()
    gc.collect()
    assert len(objects_in(cloud)[f"lake/{KEY}"]) == half


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_awswrangler_finds_in_the_objects_the_types_that_the_catalog_is_given(cloud, tmp_path, table):
    windows = hours(2)
    batch = stage(tmp_path, {w: [coded_row(w, 1)] for w in windows}, [reject_row(w, 1) for w in windows])
    S3Lake.open(cloud, URL, **LAKE).write(batch, PROVENANCE)
    partitions = {column.name: "string" for column in PARTITION_COLUMNS}
    columns, found = wr.s3.read_parquet_metadata(
        f"{URL}/{table.name}/", dataset=True, boto3_session=cloud.session, dtype=partitions
    )
    assert {name: kind.replace(" ", "") for name, kind in columns.items()} == athena_types(table.columns)
    assert found == partitions


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_columns_without_a_value_keep_their_types_where_awswrangler_is_given_those_of_the_table(cloud, table):
    """From the data alone it can tell nothing of them."""
    empty = {column.name: athena_types([column])[column.name] for column in table.columns}
    frame = pd.DataFrame({name: [None] for name in table.schema.names})
    wr.s3.to_parquet(frame, f"{URL}/copy.parquet", dtype=empty, boto3_session=cloud.session)
    columns, _ = wr.s3.read_parquet_metadata(f"{URL}/copy.parquet", boto3_session=cloud.session)
    assert {name: kind.replace(" ", "") for name, kind in columns.items()} == empty
