"""The template's parts fit together: what it makes, and nothing else, carries a run from the archive to Athena."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from adverse_events import assembly
from adverse_events.aws.doctor.examination import checks_for, examine
from adverse_events.local_aws.stack import LocalAws
from adverse_events.sample.week import sample_week
from adverse_events.settings import load_settings
from flows.detect import detect_adverse_events
from tests.foundation import FOUNDATION, deploy

DAY = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def aws():
    with LocalAws() as local:
        yield local


@pytest.fixture
def outputs(aws, monkeypatch):
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return deploy()


def test_the_outputs_are_the_settings_of_a_run_that_doctor_finds_nothing_missing_for(aws, outputs):
    named = {name: out["Description"].removeprefix("Setting ") for name, out in FOUNDATION["Outputs"].items()}
    stack = {named[name]: value for name, value in outputs.items() if "." in named[name].split()[0]}
    others = aws.provision().settings()
    settings = {
        **{name: others[name] for name in ("aws.region", "endpoint.name", "coding.service", "catalog.poll_seconds")},
        "comprehend.requests_per_second": 10_000,
        **stack,
    }
    found = {finding.name: finding for finding in examine(checks_for(load_settings(settings)))}
    # moto cannot describe a key that its own CloudFormation made; that it can be used is what writing shows.
    assert {name: each.found for name, each in found.items() if each.status != "ok" and name != "KMS key"} == {}
    assert {"Glue crawler", "Athena query", "identity key", "lake: two writers"} <= found.keys()

    lake = settings.pop("lake.path")
    account = detect_adverse_events.fn(
        source=str(sample_week()), lake=lake, start=DAY, end=DAY + timedelta(hours=3), options=settings
    )

    answer = assembly.reader_for(load_settings({**settings, "lake.path": lake})).query(
        "SELECT count(*) AS n FROM assessments"
    )
    assert answer.to_pylist() == [{"n": account.rows_assessed}]
    assert account.rows_assessed > 20
    crawler = boto3.client("glue").get_crawler(Name=outputs["Crawler"])["Crawler"]
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    results = boto3.client("s3").list_objects_v2(Bucket=_bucket_of_results(outputs), Prefix="athena/")["Contents"]
    assert any(item["Key"].endswith(".csv") for item in results)


def _bucket_of_results(outputs):
    group = boto3.client("athena").get_work_group(WorkGroup=outputs["Workgroup"])["WorkGroup"]
    place = group["Configuration"]["ResultConfiguration"]["OutputLocation"]
    return place.removeprefix("s3://").partition("/")[0]
