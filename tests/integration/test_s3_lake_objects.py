"""A lake in a bucket holds a local lake's objects, byte for byte, and little is asked of S3 for it."""

from collections import Counter
from dataclasses import replace

import awswrangler as wr
import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

from adverse_events.aws.settings import AwsSettings
from adverse_events.errors import AccountingError, ContractError, UsageError
from adverse_events.lake import LocalLake
from adverse_events.lake.parts import PartSize
from adverse_events.lake.query import query
from adverse_events.lake.receipt import settled
from adverse_events.lake.s3.lake import S3Lake
from adverse_events.tables import RECEIPTS, TABLES
from adverse_events.windows import Window
from tests.moto_server import BUCKET, REGION, cloud_at, objects_in
from tests.staged_batches import (
    LAKE,
    PROVENANCE,
    all_files,
    coded_row,
    data_files,
    hours,
    random_batch,
    reject_row,
    stage,
    stage_rejects,
    with_lost_row,
)

URL = f"s3://{BUCKET}/pharma/lake"
RECIPE = PROVENANCE.recipe_sha256
SMALL = PartSize(rows_per_part=10, row_group_rows=5)
MAX_ATTEMPTS = 2


@pytest.fixture
def lake(cloud):
    return S3Lake.open(cloud, URL, **LAKE)


@pytest.fixture
def cut_lake(cloud):
    return S3Lake.open(cloud, URL, **LAKE, part_size=SMALL)


def objects(cloud):
    """Every object of the lake, by key relative to it."""
    return objects_in(cloud, prefix="pharma/lake/")


def data_objects(cloud):
    return {key: data for key, data in objects(cloud).items() if not key.startswith("receipts/")}


def rows_of(table, columns):
    return sorted(table.select(columns).to_pylist(), key=str)


def test_a_lake_in_a_bucket_holds_the_objects_of_a_local_lake(cloud, tmp_path):
    """Only what says when and how long a receipt's run was may differ."""
    batch = random_batch(tmp_path / "staged", seed=3, n_windows=26)
    undated = stage_rejects(tmp_path / "u", [reject_row(None, n, origin=f"{'ab'[n % 2]}.jsonl") for n in range(5)])
    local = LocalLake.open(tmp_path / "lake", **LAKE, part_size=SMALL)
    remote = S3Lake.open(cloud, URL, **LAKE, part_size=SMALL)

    assert remote.write(batch, PROVENANCE) == local.write(batch, PROVENANCE)
    assert remote.write_undated(undated, PROVENANCE) == local.write_undated(undated, PROVENANCE)

    there, here = objects(cloud), all_files(local.root)
    assert there.keys() == here.keys()
    assert data_objects(cloud) == data_files(local.root)
    for key in here:
        if key.startswith("receipts/"):
            stored = [pq.ParquetFile(pa.BufferReader(files[key])).read() for files in (there, here)]
            assert settled(stored[0]) == settled(stored[1])
            assert stored[0].schema.equals(stored[1].schema, check_metadata=True)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_is_read_back_is_what_the_local_lake_answers(cloud, lake, moto, tmp_path, table):
    """Through awswrangler, and through DuckDB over pyarrow's own S3 client."""
    windows = hours(4)
    batch = stage(
        tmp_path / "staged",
        {w: [coded_row(w, n, is_ade=n == 1) for n in range(3)] for w in windows},
        [reject_row(w, 1) for w in windows],
    )
    LocalLake.open(tmp_path / "lake", **LAKE).write(batch, PROVENANCE)
    lake.write(batch, PROVENANCE)
    files = pyarrow.fs.S3FileSystem(region=REGION, endpoint_override=moto, scheme="http")
    # Hive partitions have no types of their own, so each reader guesses them.
    columns = [name for name in table.schema.names if name != "written_at"]
    local = rows_of(query(tmp_path / "lake", f"FROM {table.name}"), columns)

    frame = wr.s3.read_parquet(
        f"{URL}/{table.name}/", dataset=True, dtype_backend="pyarrow", boto3_session=cloud.session
    )
    dataset = ds.dataset(f"{BUCKET}/pharma/lake/{table.name}", filesystem=files, partitioning="hive")

    assert rows_of(pa.Table.from_pandas(frame, preserve_index=False), columns) == local
    assert rows_of(dataset.to_table(), columns) == local
    assert len(local) == {"assessments": 12, "rejects": 4, "receipts": 4}[table.name]
    with duckdb.connect() as connection:
        assert connection.from_arrow(dataset.to_table()).count("*").fetchall() == [(len(local),)]


def test_every_object_is_encrypted_with_the_key_of_the_settings_and_says_its_hash(cloud, moto, monkeypatch, tmp_path):
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    with_key = cloud_at(moto, monkeypatch, AwsSettings(region=REGION, kms_key=key))
    lake = S3Lake.open(with_key, URL, **LAKE)

    (receipt, *_) = lake.write(random_batch(tmp_path / "staged", seed=5, n_windows=3), PROVENANCE)

    heads = {key: cloud.client("s3").head_object(Bucket=BUCKET, Key=f"pharma/lake/{key}") for key in objects(cloud)}
    assert {(head["ServerSideEncryption"], head["SSEKMSKeyId"]) for head in heads.values()} == {("aws:kms", key)}
    assert [heads[part.key]["Metadata"]["sha256"] for part in receipt.parts] == [p.sha256 for p in receipt.parts]


def test_without_a_key_in_the_settings_the_accounts_own_encrypts(cloud, lake):
    head = cloud.client("s3").head_object(Bucket=BUCKET, Key="pharma/lake/_lake.json")

    assert head["ServerSideEncryption"] == "aws:kms"
    assert "SSEKMSKeyId" not in head


def test_days_of_hours_take_few_requests_and_a_rerun_changes_nothing(cloud, lake, trouble, tmp_path):
    """Objects per 1,000 posts stay under a hundredth of one object per post; lists and leases are per date."""
    windows = hours(2 * 24)
    batch = stage(
        tmp_path / "s", {w: [coded_row(w, n) for n in range(250 if w.start.hour == 9 else 1)] for w in windows}
    )
    trouble.requests.clear()

    receipts = lake.write(batch, PROVENANCE)

    asked = Counter(request.split()[0] for request in trouble.requests)
    assert asked == {"PUT": 2 * len(windows) + 2, "GET": 2 * 3, "DELETE": 2}
    assert len(trouble.requests) / len(windows) < 2.3

    before = objects(cloud)
    trouble.requests.clear()
    again = lake.write(batch, PROVENANCE)

    asked_again = Counter(request.split()[0] for request in trouble.requests)

    assert all(receipt.is_unchanged for receipt in again)
    assert again == receipts
    assert objects(cloud) == before
    assert asked_again == {"PUT": 2, "GET": len(windows) + 2 * 3, "DELETE": 2}


def test_parts_beyond_the_new_count_go_and_other_windows_stay(cloud, cut_lake, tmp_path):
    other, window = hours(2)
    rows = {other: [coded_row(other, 1)], window: [coded_row(window, n) for n in range(23)]}
    cut_lake.write(stage(tmp_path / "a", rows, [reject_row(window, 1)]), PROVENANCE)
    before = objects(cloud)

    cut_lake.write(stage(tmp_path / "b", {window: rows[window][:4]}), PROVENANCE)

    folder = f"assessments/{window.partition}"
    after = objects(cloud)
    assert [key for key in after if window.partition in key] == [
        f"{folder}/part-0000.parquet",
        f"receipts/{window.partition}/receipt.parquet",
    ]
    assert {k: v for k, v in after.items() if other.partition in k} == {
        k: v for k, v in before.items() if other.partition in k
    }


def test_a_receipt_says_how_many_inputs_its_window_held_before(lake, tmp_path):
    (window,) = hours(1)
    rows = [coded_row(window, n) for n in range(4)]
    (first,) = lake.write(stage(tmp_path / "a", {window: rows}), PROVENANCE)
    (second,) = lake.write(stage(tmp_path / "b", {window: rows[:1]}), PROVENANCE)

    assert (first.rows_before, second.rows_before) == (0, first.tally.rows_in)
    assert not second.is_unchanged


def test_a_part_that_another_tool_replaced_by_one_of_its_size_is_written_again(cloud, lake, tmp_path):
    (window,) = hours(1)
    batch = stage(tmp_path / "a", {window: [coded_row(window, 1)]})
    (receipt,) = lake.write(batch, PROVENANCE)
    before = data_objects(cloud)
    part = receipt.parts[0]
    cloud.client("s3").put_object(Bucket=BUCKET, Key=f"pharma/lake/{part.key}", Body=b"x" * part.n_bytes)

    (again,) = lake.write(batch, PROVENANCE)

    assert not again.is_unchanged
    assert data_objects(cloud) == before


def test_pending_puts_missing_before_stale_and_leaves_out_the_rest(cloud, lake, trouble, tmp_path):
    s3 = cloud.client("s3")
    old, new, missing, lost, short, torn, more = hours(7)
    rest = (new, lost, short, torn, more)
    lake.write(stage(tmp_path / "a", {old: [coded_row(old, 1)]}), replace(PROVENANCE, model_version="toy-0"))
    receipts = lake.write(stage(tmp_path / "b", {w: [coded_row(w, 1)] for w in rest}), PROVENANCE)
    s3.delete_object(Bucket=BUCKET, Key=f"pharma/lake/{receipts[1].parts[0].key}")
    s3.put_object(Bucket=BUCKET, Key=f"pharma/lake/{receipts[2].parts[0].key}", Body=b"PAR1")
    s3.put_object(Bucket=BUCKET, Key=f"pharma/lake/{receipts[3].key}", Body=b"PAR1")
    trouble.requests.clear()

    found = lake.pending({**dict.fromkeys((old, new, missing, lost, short, torn), 3), more: 4}, RECIPE)

    assert found == ([missing, torn], [old, lost, short, more])
    assert len(trouble.requests) == 3 + 6


def test_pending_over_years_lists_the_lake_and_not_each_window(lake, trouble, tmp_path):
    first, *_, last = hours(3 * 365 * 24)
    lake.write(stage(tmp_path / "a", {first: [coded_row(first, 1)]}), PROVENANCE)
    lake.write(stage(tmp_path / "b", {last: [coded_row(last, 1)]}), PROVENANCE)
    trouble.requests.clear()

    assert lake.pending(dict.fromkeys(hours(3 * 365 * 24), 3), RECIPE)[1] == []
    assert len(trouble.requests) == 3 + 2


def test_a_new_lake_has_no_receipts_and_all_is_pending(lake):
    assert lake.receipts().equals(RECEIPTS.schema.empty_table())
    assert lake.pending(dict.fromkeys(hours(2), 0), RECIPE) == (list(hours(2)), [])
    assert lake.pending({}, RECIPE) == ([], [])


def test_an_unreadable_receipt_is_named(cloud, lake, tmp_path):
    (window,) = hours(1)
    (receipt,) = lake.write(stage(tmp_path / "a", {window: []}), PROVENANCE)
    cloud.client("s3").put_object(Bucket=BUCKET, Key=f"pharma/lake/{receipt.key}", Body=b"PAR1")

    with pytest.raises(ContractError, match=r"pharma/lake/receipts/.*receipt\.parquet.*delete that object"):
        lake.receipts()


def test_undated_rejects_are_replaced_and_a_mended_file_loses_its_own(cloud, lake, tmp_path):
    both = [reject_row(None, 1, origin="a.jsonl"), reject_row(None, 1, origin="b.jsonl")]
    lake.write_undated(stage_rejects(tmp_path / "1", both), PROVENANCE)

    again = lake.write_undated(stage_rejects(tmp_path / "2", both[:1]), PROVENANCE, ["a.jsonl", "b.jsonl", "c.jsonl"])

    assert [(receipt.rows_rejected, receipt.is_unchanged) for receipt in again] == [(1, True), (0, False)]
    assert sum(lake.receipts().column("rows_in").to_pylist()) == 1
    assert len([key for key in objects(cloud) if key.startswith("rejects/")]) == 1


def test_a_batch_that_lost_a_row_or_is_of_another_grid_or_mode_changes_nothing(cloud, lake, tmp_path):
    (window,) = hours(1)
    batch = stage(tmp_path / "a", {window: [coded_row(window, 1)]})

    with pytest.raises(AccountingError):
        lake.write(with_lost_row(batch), PROVENANCE)
    with pytest.raises(UsageError, match=f"{URL} keeps windows of 60 minutes, not of 15"):
        lake.write(replace(batch, windows=(Window(window.start, 15),), tallies={}), PROVENANCE)
    with pytest.raises(UsageError, match="signal mode, not of case mode"):
        lake.write(batch, replace(PROVENANCE, privacy_mode="case"))

    assert list(objects(cloud)) == ["_lake.json"]
