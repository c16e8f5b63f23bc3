"""Reading a lake in a bucket over the wire: the folder's rows, nothing else within reach, and errors that help."""

import json
from datetime import timedelta

import duckdb
import pytest
from typer.testing import CliRunner

from ade.app import app
from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings
from adverse_events.errors import ContractError, PermanentServiceError, TransientServiceError, UsageError
from adverse_events.lake.catalog.settings import CatalogSettings
from adverse_events.lake.query import query
from adverse_events.lake.s3.reader import S3Reader
from adverse_events.lake.views import VIEWS
from adverse_events.reporting.facts import gather
from adverse_events.reporting.page import write_report
from adverse_events.tables import TABLES
from tests.bucket_lake import upload
from tests.moto_server import BUCKET, aws_environment, cloud_at, make_bucket, moto_server
from tests.report_lake import POSTS, WEEK, assessment, make_lake, write_undated, write_window
from tests.staged_batches import hours

URL = f"s3://{BUCKET}/a/lake"
ONE_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Windows on two days."""
    folder = make_lake(tmp_path_factory.mktemp("reader") / "lake")
    for window in (*hours(2, WEEK), *hours(2, WEEK + ONE_DAY)):
        rows = [
            assessment(post, at=window.start, tweet_id=f"{window}{n}", probability=0.9 - n / 20)
            for n, post in enumerate(POSTS)
        ]
        write_window(folder, window, rows)
    write_undated(folder, "week.jsonl", 3)
    return folder


@pytest.fixture(scope="module")
def moto():
    with moto_server() as url:
        yield url


@pytest.fixture(autouse=True)
def _reached(moto, monkeypatch):
    for name, value in aws_environment(moto).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def cloud(moto):
    with pytest.MonkeyPatch.context() as patch:
        cloud = cloud_at(moto, patch, AwsSettings(max_attempts=1))
        make_bucket(cloud)
        yield cloud


@pytest.fixture(scope="module")
def lake(cloud, folder):
    return S3Reader(cloud, upload(cloud, folder, URL), CatalogSettings())


@pytest.fixture
def other(cloud, lake):
    """A lake with nothing but what a test puts there."""
    s3 = cloud.client("s3")
    prefix = "other"

    def put(key, body):
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{key}", Body=body)

    yield put, S3Reader(cloud, f"s3://{BUCKET}/{prefix}/", CatalogSettings())
    for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", ()):
        s3.delete_object(Bucket=BUCKET, Key=entry["Key"])


@pytest.mark.parametrize("name", [*(table.name for table in TABLES), *(view.name for view in VIEWS)])
def test_every_table_and_view_is_as_in_the_folder(lake, folder, name):
    sql = f"SELECT * FROM {name} ORDER BY ALL"  # noqa: S608 - our own names

    ours, theirs = query(folder, sql), lake.query(sql)

    assert theirs.num_rows >= 3
    assert theirs.equals(ours)


def test_a_report_over_a_bucket_is_the_report_over_the_folder(lake, folder, tmp_path):
    assert gather(lake) == gather(folder)
    assert gather(lake, WEEK + ONE_DAY, WEEK + 2 * ONE_DAY) == gather(folder, WEEK + ONE_DAY, WEEK + 2 * ONE_DAY)
    assert write_report(lake, tmp_path).stat().st_size > 10_000


def test_objects_of_other_days_are_left_alone(cloud, folder):
    """A report on one window must not read the years before it."""
    upload(cloud, folder, f"s3://{BUCKET}/torn")
    for hour in ("0000", "0100"):
        key = f"torn/assessments/event_date=2026-03-02/event_time={hour}/part-0000.parquet"
        cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"not Parquet")
    reader = S3Reader(cloud, f"s3://{BUCKET}/torn", CatalogSettings())

    facts = gather(reader, WEEK + ONE_DAY, WEEK + 2 * ONE_DAY)

    assert facts.n_positives > 0
    with pytest.raises(ContractError, match=r"event_time=0[01]00/part-0000\.parquet.*remove that object"):
        gather(reader)


def test_an_empty_lake_has_its_tables_and_views(other, folder):
    put, reader = other
    put("_lake.json", (folder / "_lake.json").read_bytes())

    for name in [*(table.name for table in TABLES), *(view.name for view in VIEWS)]:
        sql = f"SELECT * FROM {name}"  # noqa: S608 - our own names
        assert reader.query(sql).schema == query(folder, sql).schema


def test_an_object_of_an_older_version_lacks_no_column(other, folder, tmp_path):
    put, reader = other
    older = tmp_path / "older.parquet"
    duckdb.sql(f"FROM '{next(folder.glob('receipts/*/*/*.parquet'))}'").project(
        "* EXCLUDE (served_by, uncoded, rows_uncoded)"
    ).write_parquet(str(older))
    put("_lake.json", (folder / "_lake.json").read_bytes())
    put("receipts/event_date=2026-03-02/event_time=0000/receipt.parquet", older.read_bytes())

    (row,) = reader.query("SELECT rows_uncoded, uncoded, event_date FROM receipts").to_pylist()
    assert (row["rows_uncoded"], row["uncoded"], str(row["event_date"])) == (None, None, "2026-03-02")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM 's3://other/x.parquet'",
        "SELECT * FROM read_parquet('https://example.org/x.parquet')",
    ],
)
def test_nothing_but_the_lake_can_be_read(lake, sql):
    with pytest.raises(UsageError, match="disabled by configuration"):
        lake.query(sql)


@pytest.mark.parametrize(
    "sql", ["COPY assessments TO '/tmp/x'", "SET enable_external_access = true", "SELECT 1; SELECT 2"]
)
def test_anything_but_one_select_is_refused(lake, sql):
    with pytest.raises(UsageError, match="only one SELECT"):
        lake.query(sql)


@pytest.mark.parametrize(
    "sql", ["COPY (SELECT 1) TO '/tmp/x'", "INSTALL httpfs", "RESET lock_configuration", "ATTACH '/tmp/x'"]
)
def test_an_open_connection_cannot_be_widened(lake, sql):
    with lake.connect() as connection, pytest.raises(duckdb.Error):
        connection.execute(sql)


def test_a_failure_on_a_row_does_not_quote_the_row(lake):
    with pytest.raises(UsageError, match="TRY_CAST") as caught:
        lake.query("SELECT CAST(text AS INTEGER) FROM assessments")

    assert "sertraline" not in str(caught.value)


def test_a_folder_without_a_lake_says_how_to_make_one(other):
    _, reader = other

    with pytest.raises(UsageError, match=rf"no lake in s3://{BUCKET}/other: .*ade detect --lake s3://{BUCKET}/other"):
        reader.query("SELECT 1")


def test_a_lake_of_newer_code_and_a_damaged_marker_are_refused(other):
    put, reader = other
    for marker, message in ((b'{"schema_version": 99}', "upgrade adverse_events"), (b"{", "is damaged")):
        put("_lake.json", marker)
        with pytest.raises(ContractError, match=message):
            reader.query("SELECT 1")


def test_a_missing_bucket_is_named(cloud):
    with pytest.raises(
        PermanentServiceError, match=r"s3://nobodys-lake/.*bucket does not exist.*correct the s3:// path"
    ):
        S3Reader(cloud, "s3://nobodys-lake/x", CatalogSettings()).query("SELECT 1")


def test_no_credentials_say_what_to_configure(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)

    with pytest.raises(PermanentServiceError, match="no usable credentials"):
        S3Reader(Cloud(AwsSettings(max_attempts=1)), URL, CatalogSettings()).query("SELECT 1")


def test_an_object_replaced_while_it_is_read_is_worth_another_look(cloud, folder, lake):
    url = upload(cloud, folder, f"s3://{BUCKET}/moving")
    reader = S3Reader(cloud, url, CatalogSettings())
    key = "moving/assessments/event_date=2026-03-02/event_time=0000/part-0000.parquet"

    def read_late():
        with reader.connect() as connection:
            cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"another run's, longer or shorter")
            connection.sql("SELECT count(text) FROM assessments").fetchall()

    with pytest.raises(TransientServiceError, match="replaced objects"):
        read_late()


def test_the_command_line_asks_and_reports_over_a_bucket(lake, folder, tmp_path):
    runner = CliRunner()

    asked = runner.invoke(app, ["query", "SELECT count(*) AS n FROM receipts", "--lake", URL, "--json"])
    page = tmp_path / "report.html"
    reported = runner.invoke(app, ["report", "--lake", URL, "--output", str(page), "--json"])

    assert (asked.exit_code, json.loads(asked.stdout)) == (0, [{"n": 5}])
    assert (reported.exit_code, json.loads(reported.stdout)) == (0, {"report": str(page)})
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
