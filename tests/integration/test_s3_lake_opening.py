"""A prefix of a bucket becomes a lake once, says what it was made with, and is refused where it does not fit."""

import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adverse_events.errors import ContractError, PermanentServiceError, TransientServiceError, UsageError
from adverse_events.lake.s3.lake import S3Lake
from adverse_events.tables import ASSESSMENTS, SCHEMA_VERSION
from tests.faulty_service import refusal, unconditional
from tests.moto_server import BUCKET, objects_in
from tests.staged_batches import LAKE, PROVENANCE, coded_row, hours, stage

URL = f"s3://{BUCKET}/lake"
MARKER = "lake/_lake.json"


def open_lake(cloud, url=URL, **other):
    return S3Lake.open(cloud, url, **{**LAKE, **other})


def put(cloud, key, body):
    cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def keys(cloud):
    return list(objects_in(cloud))


def test_a_new_lake_is_its_marker_and_records_what_it_was_made_with(cloud):
    open_lake(cloud)

    assert keys(cloud) == [MARKER]
    stored = json.loads(cloud.client("s3").get_object(Bucket=BUCKET, Key=MARKER)["Body"].read())
    assert {name: stored[name] for name in LAKE} == LAKE
    assert stored["schema_version"] == SCHEMA_VERSION


def test_opening_again_only_reads(cloud, trouble):
    open_lake(cloud)
    trouble.requests.clear()

    open_lake(cloud)

    assert [request.split()[0] for request in trouble.requests] == ["GET", "GET"]


def test_a_whole_bucket_may_be_a_lake(cloud):
    open_lake(cloud, f"s3://{BUCKET}")

    assert keys(cloud) == ["_lake.json"]


def test_many_runs_that_open_a_new_lake_at_once_make_one(cloud):
    with ThreadPoolExecutor(8) as pool:
        lakes = list(pool.map(lambda _: open_lake(cloud), range(8)))

    assert keys(cloud) == [MARKER]
    assert {lake.window_minutes for lake in lakes} == {60}


@pytest.mark.parametrize(
    ("other", "both"),
    [
        ({"window_minutes": 30}, "60 there, 30 in this run"),
        ({"privacy_mode": "case"}, "signal there, case in this run"),
        ({"key_fingerprint": "ffff0000"}, "a1b2c3d4 there, ffff0000 in this run"),
    ],
)
def test_a_lake_made_differently_is_refused_naming_both(cloud, other, both):
    open_lake(cloud)

    with pytest.raises(UsageError, match=rf"lake {URL} was made differently.*{both}"):
        open_lake(cloud, **other)


def test_a_newer_schema_is_refused(cloud):
    put(cloud, MARKER, json.dumps({"schema_version": SCHEMA_VERSION + 1}))

    with pytest.raises(ContractError, match="upgrade adverse_events"):
        open_lake(cloud)


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b"[]", b"{}"])
def test_a_damaged_marker_is_named_and_not_replaced(cloud, damage):
    put(cloud, MARKER, damage)

    with pytest.raises(ContractError, match=rf"{URL}/_lake\.json: is damaged"):
        open_lake(cloud)

    assert cloud.client("s3").get_object(Bucket=BUCKET, Key=MARKER)["Body"].read() == damage


def test_a_prefix_that_holds_something_else_is_not_made_a_lake(cloud):
    put(cloud, "lake/2025/thesis.doc", b"chapter 1")

    with pytest.raises(UsageError, match=r"lake is not a lake.*holds 2025/thesis\.doc"):
        open_lake(cloud)

    assert keys(cloud) == ["lake/2025/thesis.doc"]


def test_an_empty_folder_made_in_a_console_and_a_neighbour_are_not_in_the_way(cloud):
    put(cloud, "lake/", b"")
    put(cloud, "lake-2/_lake.json", b"another")

    open_lake(cloud)

    assert MARKER in keys(cloud)


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///lake", "s3://Bucket/lake", f"s3://{BUCKET}/la*ke", f"s3://{BUCKET}/[a]"]
)
def test_an_address_that_is_no_bucket_and_folder_is_refused(cloud, url):
    with pytest.raises(UsageError, match="is not s3://bucket/folder"):
        open_lake(cloud, url)


def test_a_missing_bucket_is_named_with_the_setting(cloud):
    with pytest.raises(
        PermanentServiceError, match=r"s3://elsewhere-1/lake/_lake\.json: NoSuchBucket.*correct the s3:// path"
    ):
        open_lake(cloud, "s3://elsewhere-1/lake")


@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [
        (403, "AccessDenied", "ade doctor"),
        (301, "PermanentRedirect", "another region"),
        (400, "AuthorizationHeaderMalformed", "another region"),
        (403, "RequestTimeTooSkewed", "set the clock"),
        (400, "ExpiredToken", "renew them"),
        (403, "InvalidAccessKeyId", "access key does not exist"),
        (403, "SignatureDoesNotMatch", "secret key"),
    ],
)
def test_a_refusal_names_its_remedy(cloud, trouble, status, code, remedy):
    trouble.fail("GET", refusal(status, code))

    with pytest.raises(PermanentServiceError, match=f"GetObject {URL}/_lake.json: {code}.*{remedy}"):
        open_lake(cloud)


def test_a_denied_key_is_found_before_a_lake_is_made(cloud, trouble):
    trouble.fail("PUT", refusal(403, "AccessDenied", "not allowed to do kms:GenerateDataKey"))

    with pytest.raises(PermanentServiceError, match="kms:GenerateDataKey"):
        open_lake(cloud)

    assert keys(cloud) == []


def test_a_service_that_is_down_may_be_asked_again(cloud, trouble):
    trouble.fail("", refusal(503, "SlowDown"))

    with pytest.raises(TransientServiceError, match="SlowDown"):
        open_lake(cloud)


@pytest.mark.parametrize("store", [refusal(501, "NotImplemented"), unconditional])
def test_a_store_that_does_not_keep_writers_apart_is_refused(cloud, trouble, store):
    trouble.fail("PUT", store)

    with pytest.raises(PermanentServiceError, match="does not carry out conditional writes"):
        open_lake(cloud)

    assert MARKER not in keys(cloud)


def test_a_newest_part_of_other_types_is_refused_and_an_older_one_is_not_looked_at(cloud, tmp_path):
    lake = open_lake(cloud)
    old, new = hours(2)
    receipts = lake.write(stage(tmp_path / "a", {w: [coded_row(w, 1)] for w in (old, new)}), PROVENANCE)
    table = ASSESSMENTS.schema.empty_table().drop_columns(["is_ade"]).append_column("mood", pa.array([], pa.string()))
    other = table.set_column(0, "tweet_id", pa.array([], pa.int64()))
    sink = BytesIO()
    pq.write_table(other, sink)

    put(cloud, f"lake/{receipts[0].parts[0].key}", sink.getvalue())
    open_lake(cloud)
    put(cloud, f"lake/{receipts[1].parts[0].key}", sink.getvalue())

    with pytest.raises(
        ContractError, match=r"event_time=0100.*tweet_id is int64 there and string here; mood is unknown"
    ):
        open_lake(cloud)


def test_a_newest_part_that_is_no_parquet_is_named(cloud, tmp_path):
    lake = open_lake(cloud)
    (window,) = hours(1)
    (receipt,) = lake.write(stage(tmp_path / "a", {window: [coded_row(window, 1)]}), PROVENANCE)
    put(cloud, f"lake/{receipt.parts[0].key}", b"PAR1")

    with pytest.raises(ContractError, match=r"part-0000\.parquet.*delete that object"):
        open_lake(cloud)
