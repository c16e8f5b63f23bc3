"""The catalog over the wire: real boto3 and awswrangler against Glue, Athena and S3 protocols on this machine."""

from itertools import count

import awswrangler as wr
import pytest

from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings
from adverse_events.errors import ContractError, PermanentServiceError, TransientServiceError
from adverse_events.lake.catalog.glue import GlueCatalog
from adverse_events.lake.catalog.queries import saved_queries
from adverse_events.lake.catalog.settings import CatalogSettings
from adverse_events.lake.catalog.tables import table_input
from adverse_events.lake.layout import receipt_key
from adverse_events.lake.query import query
from adverse_events.lake.receipt import Receipt
from adverse_events.lake.s3.reader import S3Reader
from adverse_events.lake.views import VIEWS
from adverse_events.local_aws.faults import Fault
from adverse_events.local_aws.listener import listening
from adverse_events.local_aws.stack import LocalAws
from adverse_events.local_aws.wire import error, json_answer
from adverse_events.settings import load_settings
from adverse_events.staging import Tally
from adverse_events.tables import ASSESSMENTS, TABLES
from tasks.catalog import refresh_catalog
from tests.bucket_lake import receipts_of, upload
from tests.report_lake import POSTS, WEEK, assessment, make_lake, write_undated, write_window
from tests.staged_batches import hours

N_WINDOWS = 5
_numbers = count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five windows, the last without a post, and undated rejects of one file."""
    folder = make_lake(tmp_path_factory.mktemp("catalog") / "lake")
    for window in hours(N_WINDOWS, WEEK):
        posts = [
            assessment(post, at=window.start, tweet_id=f"{window}{number}", probability=0.2 if number % 3 else 0.9)
            for number, post in enumerate(POSTS)
        ]
        write_window(folder, window, [] if window.start.hour == N_WINDOWS - 1 else posts)
    write_undated(folder, "week.jsonl", 3)
    return folder


@pytest.fixture(scope="module")
def aws():
    with LocalAws() as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        yield aws


@pytest.fixture(autouse=True)
def _reached(aws, monkeypatch):
    """Each test starts without an account; see conftest."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def made(aws):
    return aws.provision()


@pytest.fixture(scope="module")
def cloud(made):
    return Cloud(AwsSettings(max_attempts=2))


@pytest.fixture(scope="module")
def lake(cloud, made, folder):
    return upload(cloud, folder, made.lake)


@pytest.fixture
def settings(made, cloud):
    """A database of its own for each test."""
    name = f"db_{next(_numbers)}"
    cloud.client("glue").create_database(DatabaseInput={"Name": name})
    return CatalogSettings(database=name, workgroup=made.workgroup, poll_seconds=0.02, crawl_timeout_minutes=0.1)


@pytest.fixture
def catalog(cloud, settings, lake):
    return GlueCatalog(cloud, settings, lake)


def glue_table(cloud, settings, name):
    return cloud.client("glue").get_table(DatabaseName=settings.database, Name=name)["Table"]


def n_partitions(cloud, settings, name):
    pages = cloud.client("glue").get_paginator("get_partitions")
    found = pages.paginate(DatabaseName=settings.database, TableName=name)
    return sum(len(page["Partitions"]) for page in found)


def test_an_empty_database_can_hold_the_lake(catalog):
    catalog.check()


@pytest.mark.parametrize("name", [*(table.name for table in TABLES), *(view.name for view in VIEWS)])
def test_what_athena_reads_is_what_duckdb_reads_in_the_folder(catalog, cloud, settings, lake, folder, name):
    catalog.refresh(receipts_of(folder), 60)

    columns = [c.name for t in (*TABLES, *VIEWS) if t.name == name for c in t.columns if "<" not in str(c.type)]
    sql = f"SELECT {', '.join(f'{chr(34)}{column}{chr(34)}' for column in columns)} FROM {name}"  # noqa: S608 - our own names
    theirs = S3Reader(cloud, lake, settings).query(sql)
    ours = query(folder, sql)

    def rows(table):
        return sorted(str({k: str(v).removesuffix("+00:00") for k, v in row.items()}) for row in table.to_pylist())

    assert theirs.column_names == ours.column_names
    assert rows(theirs) == rows(ours)
    assert theirs.num_rows >= 3


# awswrangler 3.17 still reads Series.values, which pandas 3.1 deprecates for times with a zone.
@pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")
def test_awswrangler_reads_the_table_that_glue_describes(catalog, cloud, settings, folder):
    catalog.refresh(receipts_of(folder), 60)

    frame = wr.s3.read_parquet_table("assessments", database=settings.database, boto3_session=cloud.session)

    expected = query(folder, "SELECT tweet_id FROM assessments").column("tweet_id").to_pylist()
    assert sorted(frame["tweet_id"]) == sorted(expected)
    assert wr.catalog.get_table_types(settings.database, "assessments", boto3_session=cloud.session) == {
        column["Name"]: column["Type"]
        for part in (table_input(ASSESSMENTS, "s3://b/l", {}),)
        for column in (*part["StorageDescriptor"]["Columns"], *part["PartitionKeys"])
    }


def test_a_second_refresh_changes_nothing(catalog, aws, folder):
    assert catalog.refresh(receipts_of(folder), 60) > N_WINDOWS
    aws.counts.reset()

    assert catalog.refresh(receipts_of(folder), 60) == 0

    asked = aws.counts.by_operation()
    assert set(asked) == {"glue BatchCreatePartition", "glue GetTables"}


def test_the_partitions_of_a_run_are_those_it_wrote_objects_to(catalog, cloud, settings, folder):
    catalog.ensure_tables(60)

    assert catalog.register(receipts_of(folder)) == 2 * N_WINDOWS + 1

    # Undated input has a receipt and rejects of its own; a window without a post has no assessments.
    found = {table.name: n_partitions(cloud, settings, table.name) for table in TABLES}
    assert found == {"assessments": N_WINDOWS - 1, "rejects": 1, "receipts": N_WINDOWS + 1}


def test_partitions_are_added_a_hundred_at_a_time(catalog, settings, aws):
    catalog.ensure_tables(60)
    aws.counts.reset()
    written = [Receipt(receipt_key(window), window.start, window.end, Tally()) for window in hours(201)]

    assert catalog.register(written) == 201
    assert aws.counts.requests("glue", "BatchCreatePartition") == 3


def test_an_absent_database_is_named_with_what_to_do(cloud, lake):
    catalog = GlueCatalog(cloud, CatalogSettings(database="nowhere"), lake)

    with pytest.raises(PermanentServiceError, match=r"no database nowhere in this account.*catalog\.database"):
        catalog.check()


def test_a_question_about_one_lake_is_not_answered_from_anothers_catalog(catalog, cloud, settings, lake):
    """Athena knows tables, not lakes: without a look it would answer from whatever the database lies over."""
    catalog.ensure_tables(60)

    with pytest.raises(ContractError, match=r"not s3://.*/another/"):
        S3Reader(cloud, f"{lake}/another", settings).query("SELECT count(*) FROM assessments")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"StorageDescriptor": {"Location": "s3://other/assessments/"}},
            r"location s3://other/assessments/, not s3://",
        ),
        ({"StorageDescriptor": {"Columns": [{"Name": "tweet_id", "Type": "bigint"}]}}, "column tweet_id is bigint"),
        ({"StorageDescriptor": {"Columns": [{"Name": "id", "Type": "string"}]}}, "unknown column id string"),
        ({"PartitionKeys": [{"Name": "event_date", "Type": "string"}]}, "partition keys event_date string, not"),
    ],
    ids=["location", "type", "column", "partitions"],
)
def test_a_table_of_another_shape_is_refused_and_left_alone(catalog, cloud, settings, lake, change, message):
    foreign = table_input(ASSESSMENTS, lake, {})
    for name, value in change.items():
        foreign[name] = {**foreign[name], **value} if isinstance(value, dict) else value
    cloud.client("glue").create_table(DatabaseName=settings.database, TableInput=foreign)

    for act in (catalog.check, lambda: catalog.ensure_tables(60)):
        with pytest.raises(ContractError, match=message) as caught:
            act()
        assert f"catalog table {settings.database}.assessments" in str(caught.value)
        assert "drop that entry in Glue" in str(caught.value)
    assert glue_table(cloud, settings, "assessments")["VersionId"] == "1"


def test_the_older_samples_own_table_is_not_taken_for_our_view(catalog, cloud, settings):
    older = {"Name": "lambda_predictions", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": {}}
    cloud.client("glue").create_table(DatabaseName=settings.database, TableInput=older)

    with pytest.raises(ContractError, match=r"lambda_predictions: it is a table .* where this lake has a view"):
        catalog.check()


def test_a_table_of_older_code_gets_its_new_columns_and_keeps_its_partitions(catalog, cloud, settings, lake, folder):
    older = table_input(ASSESSMENTS, lake, {})
    del older["StorageDescriptor"]["Columns"][3:5]
    older["Parameters"]["averageRecordSize"] = "71"
    catalog.ensure_tables(60)
    cloud.client("glue").update_table(DatabaseName=settings.database, TableInput=older)
    catalog.register(receipts_of(folder))

    catalog.check()
    assert catalog.ensure_tables(60) == 1
    assert catalog.ensure_tables(60) == 0

    now = glue_table(cloud, settings, "assessments")
    assert [c["Name"] for c in now["StorageDescriptor"]["Columns"]] == ASSESSMENTS.schema.names
    assert now["Parameters"]["averageRecordSize"] == "71"
    assert n_partitions(cloud, settings, "assessments") == N_WINDOWS - 1


def test_projected_partitions_are_computed_not_listed(cloud, settings, lake, folder, aws):
    projected = settings.model_copy(update={"partition_projection": True, "projection_start": "2026-01-01"})
    catalog = GlueCatalog(cloud, projected, lake)
    aws.counts.reset()

    assert catalog.refresh(receipts_of(folder), 60) == 0

    assert aws.counts.requests("glue", "BatchCreatePartition") == 0
    got = S3Reader(cloud, lake, projected).query("SELECT count(*) AS n FROM receipts").to_pylist()
    # Undated input lies in 1970, before the projected range.
    assert got == [{"n": N_WINDOWS}]


def test_a_projection_can_be_turned_off_again(cloud, settings, lake):
    projected = settings.model_copy(update={"partition_projection": True})
    GlueCatalog(cloud, projected, lake).ensure_tables(60)
    GlueCatalog(cloud, settings, lake).ensure_tables(60)

    parameters = glue_table(cloud, settings, "assessments")["Parameters"]
    assert not [name for name in parameters if name.startswith("projection")]


def test_a_dropped_view_is_made_again(catalog, cloud, settings, folder):
    catalog.refresh(receipts_of(folder), 60)
    cloud.client("glue").delete_table(DatabaseName=settings.database, Name="detected_events")

    catalog.refresh([], 60)

    assert glue_table(cloud, settings, "detected_events")["TableType"] == "VIRTUAL_VIEW"


def test_saved_queries_are_kept_once_for_each_database(catalog, cloud, settings):
    catalog.ensure_tables(60)
    catalog.ensure_views()
    catalog.ensure_views()

    athena = cloud.client("athena")
    ids = athena.list_named_queries(WorkGroup=settings.workgroup)["NamedQueryIds"]
    kept = [athena.get_named_query(NamedQueryId=query_id)["NamedQuery"] for query_id in ids]
    assert sorted(q["Name"] for q in kept if q["Database"] == settings.database) == [q.name for q in saved_queries()]


def crawled_by(settings, made):
    return settings.model_copy(update={"database": made.database, "crawler": made.crawler})


def test_the_crawler_is_run_to_its_end(cloud, settings, made, lake, folder):
    catalog = GlueCatalog(cloud, crawled_by(settings, made), lake)

    catalog.refresh([], 60)

    assert n_partitions(cloud, crawled_by(settings, made), "receipts") == N_WINDOWS + 1
    catalog.check()


def test_a_failed_crawl_fails_alone(cloud, settings, made, lake, folder, aws):
    """Partitions and views stand, and so do the data."""
    own = settings.model_copy(update={"crawler": made.crawler})
    aws.crawlers.fail_next(made.crawler, "Insufficient permission on s3://ade-lake/lake")
    catalog = GlueCatalog(cloud, own, lake)

    with pytest.raises(PermanentServiceError, match="FAILED: Insufficient permission on s3://ade-lake/lake"):
        catalog.refresh(receipts_of(folder), 60)

    assert S3Reader(cloud, lake, own).query("SELECT count(*) AS n FROM detected_events").to_pylist()[0]["n"] > 10


def test_an_absent_crawler_is_named(cloud, settings, lake):
    catalog = GlueCatalog(cloud, settings.model_copy(update={"crawler": "nobody"}), lake)

    with pytest.raises(PermanentServiceError, match=r"crawler nobody: does not exist.*catalog\.crawler"):
        catalog.crawl()


def test_a_service_that_is_down_is_worth_another_try(catalog, aws):
    aws.faults.set("glue", {Fault.SERVER_ERROR: 1})
    try:
        with pytest.raises(TransientServiceError, match="GetTables"):
            catalog.check()
    finally:
        aws.faults.clear()


def test_the_station_refreshes_what_the_settings_name(cloud, settings, lake, made, folder):
    there = {
        "lake.path": lake,
        "catalog.database": settings.database,
        "catalog.workgroup": made.workgroup,
        "catalog.poll_seconds": 0.02,
    }

    assert refresh_catalog(receipts_of(folder), load_settings(there)) > N_WINDOWS
    assert refresh_catalog(receipts_of(folder), load_settings(there)) == 0


@pytest.mark.parametrize("unset", [{"lake.path": "lake"}, {"lake.path": "s3://ade-lake/lake"}], ids=["folder", "files"])
def test_without_a_catalog_the_station_has_nothing_to_do(unset, folder, aws):
    aws.counts.reset()

    assert refresh_catalog(receipts_of(folder), load_settings(unset)) == 0
    assert aws.counts.by_operation() == {}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "GetTables of database lake: AccessDeniedException.*lack this permission"),
        ("ExpiredTokenException", "credentials have expired"),
        ("RequestTimeTooSkewed", "clock"),
    ],
)
def test_a_refusal_by_glue_says_what_to_do(monkeypatch, code, message):
    def refuse(_):
        return error("glue", code, "not you", 400)

    with listening(refuse) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        catalog = GlueCatalog(Cloud(AwsSettings(max_attempts=1)), CatalogSettings(database="lake"), "s3://bucket/lake")
        with pytest.raises(PermanentServiceError, match=message):
            catalog.check()


def test_a_partition_that_glue_refuses_is_named(monkeypatch):
    def refuse(_):
        detail = {"ErrorCode": "InternalServiceException", "ErrorMessage": "busy"}
        return json_answer({"Errors": [{"PartitionValues": ["2026-03-02", "0000"], "ErrorDetail": detail}]})

    window = hours(1, WEEK)[0]
    with listening(refuse) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        catalog = GlueCatalog(Cloud(AwsSettings(max_attempts=1)), CatalogSettings(database="lake"), "s3://bucket/lake")
        with pytest.raises(TransientServiceError, match="1 partitions refused, the first 2026-03-02/0000: Internal"):
            catalog.register([Receipt(receipt_key(window), window.start, window.end, Tally())])
