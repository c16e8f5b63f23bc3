"""The services of this machine, asked with boto3 and awswrangler as AWS is."""

import json
import time

import awswrangler as wr
import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.endpoint.settings import EndpointSettings
from adverse_events.classification.model_folder import starter_model
from adverse_events.classification.transform.classifier import TransformClassifier
from adverse_events.coding.wire import SERVICE_TRAITS
from adverse_events.dictionary import athena_types
from adverse_events.local_aws.comprehend import CHARACTERS, UNITS
from adverse_events.local_aws.faults import Fault
from adverse_events.local_aws.stack import LocalAws
from adverse_events.serving import payload
from adverse_events.tables import PARTITION_COLUMNS

POST = "sertraline gave my sister no headache at all but I had one"
ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=5)

NOTES = pa.table({"name": ["a", None, ""], "n": [1, 2, 3], "marks": [[0.5], [], None]})


@pytest.fixture(scope="module")
def aws():
    with LocalAws() as local:
        yield local


@pytest.fixture(scope="module")
def made(aws):
    return aws.provision()


@pytest.fixture(autouse=True)
def reached(aws, monkeypatch):
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    yield
    aws.faults.clear()
    aws.counts.reset()


def invoke(name, texts, **more):
    client = boto3.client("sagemaker-runtime", config=ONCE)
    body = payload.encode_request(texts)
    return client.invoke_endpoint(EndpointName=name, ContentType=payload.CONTENT_TYPE, Body=body, **more)


def refusal(ask, *arguments, **more):
    with pytest.raises(ClientError) as refused:
        ask(*arguments, **more)
    return refused.value.response["Error"] | {"Status": refused.value.response["ResponseMetadata"]["HTTPStatusCode"]}


@pytest.fixture(scope="module")
def notes(aws, made):
    """A table of two partitions, neither registered."""
    for time_of_day in ("0900", "1000"):
        sink = pa.BufferOutputStream()
        pq.write_table(NOTES, sink)
        key = f"lake/notes/event_date=2026-03-01/event_time={time_of_day}/part-0000.parquet"
        aws.inside.write(made.bucket, key, sink.getvalue().to_pybytes())
    glue = aws.inside.client("glue")
    columns = [("name", "string"), ("n", "bigint"), ("marks", "array<double>"), ("later", "timestamp")]
    table = {
        "Name": "notes",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": n, "Type": kind} for n, kind in athena_types(PARTITION_COLUMNS).items()],
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
            "Location": f"s3://{made.bucket}/lake/notes/",
        },
    }
    glue.create_table(DatabaseName=made.database, TableInput=table)
    target = {"CatalogTargets": [{"DatabaseName": made.database, "Tables": ["notes"]}]}
    glue.create_crawler(Name="notes", Role="arn:aws:iam::123456789012:role/crawler", Targets=target)


def crawl(name):
    glue = boto3.client("glue")
    glue.start_crawler(Name=name)
    states = [glue.get_crawler(Name=name)["Crawler"]["State"]]
    deadline = time.monotonic() + 10
    while states[-1] != "READY" and time.monotonic() < deadline:
        time.sleep(0.02)
        states.append(glue.get_crawler(Name=name)["Crawler"]["State"])
    return states, glue.get_crawler(Name=name)["Crawler"]["LastCrawl"]


def test_nothing_outside_this_machine_is_listened_to(aws):
    assert aws.address.startswith("http://127.0.0.1:")
    assert all(value == aws.address for name, value in aws.environment().items() if "ENDPOINT" in name)


def test_the_endpoint_scores_as_the_embedded_model_and_names_variant_and_model(made):
    answer = invoke(made.endpoint, [POST, "a nice day"])
    model = EmbeddedClassifier(starter_model())
    scores = payload.decode_answer(answer["Body"].read(), 2, says_truncated=True)
    assert [row.scores["ADE"] for row in scores] == model.probabilities([POST, "a nice day"])[:, -1].tolist()
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert payload.decode_card(answer["CustomAttributes"]).version == model.model_version


def test_an_endpoint_that_is_not_there_or_does_not_serve_is_not_found(aws, made):
    aws.endpoints.put("new", "Creating")
    for name in ("nowhere", "new"):
        said = refusal(invoke, name, ["x"])
        assert (said["Code"], said["Status"]) == ("ValidationError", 400)
        assert said["Message"] == f"Endpoint {name} of account 123456789012 not found."
    assert refusal(invoke, made.endpoint, ["x"], TargetVariant="Blue")["Code"] == "ValidationError"


def test_an_endpoints_status_is_what_it_was_put_to(aws, made):
    aws.endpoints.put(made.endpoint, "Failed", "no memory")
    described = boto3.client("sagemaker").describe_endpoint(EndpointName=made.endpoint)
    aws.endpoints.put(made.endpoint, "InService")
    assert (described["EndpointStatus"], described["FailureReason"]) == ("Failed", "no memory")


def test_what_the_container_refuses_is_a_model_error(made):
    client = boto3.client("sagemaker-runtime", config=ONCE)
    with pytest.raises(client.exceptions.ModelError) as refused:
        client.invoke_endpoint(EndpointName=made.endpoint, ContentType="application/json", Body=b"{}")
    assert (
        refused.value.response["OriginalStatusCode"],
        refused.value.response["ResponseMetadata"]["HTTPStatusCode"],
    ) == (
        400,
        424,
    )


def test_comprehend_says_only_what_the_service_has_names_for(aws):
    client = boto3.client("comprehendmedical", config=ONCE)
    inferred = client.infer_icd10_cm(Text=POST)["Entities"]
    detected = client.detect_entities_v2(Text=POST)["Entities"]
    assert {trait["Name"] for entity in inferred for trait in entity["Traits"]} <= SERVICE_TRAITS
    assert {entity["ICD10CMConcepts"][0]["Code"] for entity in inferred} == {"R51.9"}
    assert all(POST[entity["BeginOffset"] : entity["EndOffset"]] == entity["Text"] for entity in [*inferred, *detected])
    assert [entity["Type"] for entity in detected if entity["Category"] == "MEDICATION"] == ["GENERIC_NAME"]
    assert aws.counts.quantity(CHARACTERS) == 2 * len(POST)
    assert aws.counts.quantity(UNITS) == 2


def test_comprehend_counts_bytes_against_its_limits():
    client = boto3.client("comprehendmedical", config=ONCE)
    text = "é" * 5_001
    assert refusal(client.infer_icd10_cm, Text=text)["Code"] == "TextSizeLimitExceededException"
    assert client.detect_entities_v2(Text=text)["Entities"] == []
    assert client.infer_icd10_cm(Text="é" * 5_000)["Entities"] == []


@pytest.mark.usefixtures("notes")
def test_a_crawler_runs_registers_what_lies_in_s3_and_is_ready_again(made):
    states, last = crawl("notes")
    assert states[0] == "RUNNING"
    assert states[-1] == "READY"
    assert last["Status"] == "SUCCEEDED"
    partitions = boto3.client("glue").get_partitions(DatabaseName=made.database, TableName="notes")["Partitions"]
    assert sorted(tuple(partition["Values"]) for partition in partitions) == [
        ("2026-03-01", "0900"),
        ("2026-03-01", "1000"),
    ]
    crawl("notes")  # what is registered stays
    assert len(boto3.client("glue").get_partitions(DatabaseName=made.database, TableName="notes")["Partitions"]) == 2


@pytest.mark.usefixtures("notes")
def test_a_crawler_does_one_crawl_at_a_time_and_can_fail(aws):
    glue = boto3.client("glue", config=ONCE)
    aws.crawlers.fail_next("notes", "no permission to list")
    glue.start_crawler(Name="notes")
    assert refusal(glue.start_crawler, Name="notes")["Code"] == "CrawlerRunningException"
    aws.crawlers.wait()
    last = glue.get_crawler(Name="notes")["Crawler"]["LastCrawl"]
    assert (last["Status"], last["ErrorMessage"]) == ("FAILED", "no permission to list")
    assert refusal(glue.start_crawler, Name="nobody")["Code"] == "EntityNotFoundException"


def test_a_crawler_makes_a_table_of_what_it_finds(aws, made):
    sink = pa.BufferOutputStream()
    pq.write_table(NOTES, sink)
    key = "found/remarks/event_date=2026-03-01/event_time=0900/part-0000.parquet"
    aws.inside.write(made.bucket, key, sink.getvalue().to_pybytes())
    target = {"S3Targets": [{"Path": f"s3://{made.bucket}/found/"}]}
    role = "arn:aws:iam::123456789012:role/crawler"
    boto3.client("glue").create_crawler(Name="finder", Role=role, DatabaseName=made.database, Targets=target)
    crawl("finder")
    table = boto3.client("glue").get_table(DatabaseName=made.database, Name="remarks")["Table"]
    kinds = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    assert kinds == {"name": "string", "n": "bigint", "marks": "array<double>"}


@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")  # awswrangler 3.17 with pandas 3
@pytest.mark.usefixtures("notes")
def test_athena_reads_registered_partitions_and_awswrangler_reads_its_answer(made):
    crawl("notes")
    rows = wr.athena.read_sql_query(
        "SELECT name, n, later, event_time FROM notes WHERE event_time = '0900' ORDER BY n",
        database=made.database,
        workgroup=made.workgroup,
        ctas_approach=False,
    )
    assert rows["n"].tolist() == [1, 2, 3]
    assert rows["name"].isna().tolist() == [False, True, True]  # its CSV reader takes an empty text for a null
    assert rows["event_time"].unique().tolist() == ["0900"]


def asked(made, sql):
    athena = boto3.client("athena", config=ONCE)
    context = {"Database": made.database}
    execution_id = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext=context, WorkGroup=made.workgroup
    )["QueryExecutionId"]
    while True:
        execution = athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
        if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
            return athena, execution
        time.sleep(0.02)


@pytest.mark.usefixtures("notes")
def test_athena_keeps_views_in_glue_and_pages_its_results(made):
    crawl("notes")
    view = "CREATE OR REPLACE VIEW loud AS SELECT upper(name) AS name, n, marks FROM notes WHERE n < 3"
    for _ in range(2):
        assert asked(made, view)[1]["Status"]["State"] == "SUCCEEDED"
    stored = boto3.client("glue").get_table(DatabaseName=made.database, Name="loud")["Table"]
    assert stored["TableType"] == "VIRTUAL_VIEW"
    athena, execution = asked(made, "SELECT name, marks FROM loud ORDER BY n")
    pages = athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=execution["QueryExecutionId"], PaginationConfig={"PageSize": 2}
    )
    cells = [[cell.get("VarCharValue") for cell in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]
    assert cells == [["name", "marks"], ["A", "[0.5]"], ["A", "[0.5]"], [None, "[]"], [None, "[]"]]


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT x FROM absent", "TABLE_NOT_FOUND"),
        ("SELECT absent FROM notes", "COLUMN_NOT_FOUND"),
        ("SELECT absent(n) FROM notes", "FUNCTION_NOT_FOUND"),
        ("SELECT CAST(name AS integer) FROM notes WHERE name = 'a'", "INVALID_CAST_ARGUMENT"),
        ("DELETE FROM notes", "NOT_SUPPORTED"),
    ],
)
def test_a_query_that_cannot_run_fails_with_athenas_reason(made, sql, reason):
    crawl("notes")
    status = asked(made, sql)[1]["Status"]
    assert (status["State"], status["StateChangeReason"].partition(":")[0]) == ("FAILED", reason)


def test_what_is_no_sql_is_refused_before_there_is_a_query(made):
    athena = boto3.client("athena", config=ONCE)
    for sql in ("SELEC 1 FROM", "SELECT 1; SELECT 2"):
        said = refusal(athena.start_query_execution, QueryString=sql, WorkGroup=made.workgroup)
        assert said["Code"] == "InvalidRequestException"
    assert "output location" in refusal(athena.start_query_execution, QueryString="SELECT 1")["Message"]


def test_a_transform_job_gives_the_scores_of_the_embedded_model(aws, made):
    settings = EndpointSettings(name=made.endpoint, mode="transform", transform_path=f"s3://{made.bucket}/transform")
    classifier = TransformClassifier.open(Cloud(AwsSettings(region="eu-west-1")), settings)
    texts = [[POST, "a nice day"], [], ["dizzy since metformin\u2028and sick"]]
    scored = list(classifier.score(texts))
    model = EmbeddedClassifier(starter_model())
    for chunk, found in zip(texts, scored, strict=True):
        assert found.probabilities.tolist() == (model.probabilities(chunk).tolist() if chunk else [])
    assert aws.inside.keys(f"s3://{made.bucket}/transform/") == []


def test_a_transform_job_without_input_fails_and_says_why(made):
    sagemaker = boto3.client("sagemaker", config=ONCE)
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{made.bucket}/nothing/"}}}
    sagemaker.create_transform_job(
        TransformJobName="empty",
        ModelName=made.endpoint,
        TransformInput=source,
        TransformOutput={"S3OutputPath": f"s3://{made.bucket}/out/"},
        TransformResources={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    )
    deadline = time.monotonic() + 10
    while (job := sagemaker.describe_transform_job(TransformJobName="empty"))["TransformJobStatus"] == "InProgress":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert job["TransformJobStatus"] == "Failed"
    assert "No files found" in job["FailureReason"]


@pytest.mark.parametrize(
    ("service", "ask", "code"),
    [
        ("s3", lambda c, made: c.list_objects_v2(Bucket=made.bucket), "SlowDown"),
        ("glue", lambda c, made: c.get_tables(DatabaseName=made.database), "ThrottlingException"),
        ("comprehendmedical", lambda c, _: c.infer_icd10_cm(Text="dizzy"), "TooManyRequestsException"),
        ("sagemaker", lambda c, made: c.describe_endpoint(EndpointName=made.endpoint), "ThrottlingException"),
    ],
)
def test_a_throttle_has_the_services_own_code(aws, made, service, ask, code):
    aws.faults.set(service, {Fault.THROTTLE: 1.0})
    assert refusal(ask, boto3.client(service, config=ONCE), made)["Code"] == code


def test_a_cut_connection_ends_at_once(aws, made):
    glue = boto3.client("glue", config=ONCE)
    aws.faults.set("glue", {Fault.CUT: 1.0})
    began = time.monotonic()
    with pytest.raises(ConnectionClosedError):
        glue.get_tables(DatabaseName=made.database)
    assert time.monotonic() - began < ONCE.read_timeout


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.HTML])
@pytest.mark.parametrize("service", ["s3", "glue"])
def test_an_answer_cut_short_or_a_page_is_no_answer_for_our_clients(aws, service, fault):
    """boto3 alone takes either for an answer without members where the protocol is JSON."""
    client = Cloud(AwsSettings(region="eu-west-1", max_attempts=1)).client(service)
    aws.faults.set(service, {fault: 1.0})
    ask = client.list_buckets if service == "s3" else client.get_databases
    assert refusal(ask)["Status"] == 502


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.HTML])
@pytest.mark.parametrize("service", ["s3", "glue", "athena", "sagemaker"])
def test_our_clients_ask_again_after_an_answer_cut_short_or_a_page(aws, service, fault):
    client = Cloud(AwsSettings(region="eu-west-1", max_attempts=4)).client(service)
    asks = {"s3": "list_buckets", "glue": "get_databases", "athena": "list_work_groups", "sagemaker": "list_models"}
    aws.faults.set(service, {fault: 1.0}, lasting=1)
    answer = getattr(client, asks[service])()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_lost_answer_is_a_deed_done(aws, made):
    s3 = boto3.client("s3", config=ONCE)
    aws.faults.set("s3", {Fault.LOST: 1.0})
    with pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket=made.bucket, Key="deed", Body=json.dumps([1]).encode())
    aws.faults.clear()
    assert s3.get_object(Bucket=made.bucket, Key="deed")["Body"].read() == b"[1]"
    assert aws.counts.requests("s3", "PutObject") == 1
