"""`ade doctor` on the whole AWS profile: endpoint, jobs, coder, catalog and queries answer over their protocols."""

import itertools
import json

import pytest

from ade.doctor import doctor
from adverse_events.aws.doctor.examination import checks_for, examine
from adverse_events.local_aws.faults import Fault
from adverse_events.local_aws.stack import LocalAws
from adverse_events.settings import load_settings

_names = (f"doc{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def aws():
    with LocalAws(seed=5) as local:
        yield local


@pytest.fixture
def made(aws, monkeypatch):
    """Everything a deployment has, under names of its own."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    yield aws.provision(next(_names))
    aws.faults.clear()


def settings_of(made, **more):
    return {**made.settings(), "aws.max_attempts": 2, **more}


def findings(made, **more):
    return {each.name: each for each in examine(checks_for(load_settings(settings_of(made, **more))))}


def lacking(found):
    return {name: each.status for name, each in found.items() if each.status != "ok"}


def objects(aws, made):
    return [item["Key"] for item in aws.inside.client("s3").list_objects_v2(Bucket=made.bucket).get("Contents", [])]


def test_a_profile_that_is_all_there_is_fine_and_leaves_nothing(aws, made):
    found = findings(made, **{"endpoint.mode": "auto", "comprehend.detect_entities": True})
    assert {name: each.found for name, each in found.items() if each.status != "ok"} == {}
    assert objects(aws, made) == []
    assert "minilm-l6-ade" in found["endpoint: answer"].found
    assert found["Comprehend Medical"].found.startswith("comprehend-medical-")
    assert found["Athena query"].found == "answered"
    untried = {permission.action for each in found.values() for permission in each.untried}
    assert {"sagemaker:CreateTransformJob", "glue:StartCrawler", "glue:CreateTable"} <= untried


def test_it_asks_nothing_that_changes_the_catalog_or_starts_anything(aws, made):
    findings(made, **{"endpoint.mode": "auto"})
    glue = aws.inside.client("glue")
    assert glue.get_tables(DatabaseName=made.database)["TableList"] == []
    assert "LastCrawl" not in glue.get_crawler(Name=made.crawler)["Crawler"]
    assert aws.inside.client("sagemaker").list_transform_jobs()["TransformJobSummaries"] == []


@pytest.mark.parametrize("status", ["Creating", "Failed", "Deleting", "OutOfService"])
def test_an_endpoint_that_does_not_serve_says_its_state_and_is_not_invoked(aws, made, status):
    aws.endpoints.put(made.endpoint, status, "no such image" if status == "Failed" else "")
    found = findings(made)
    assert lacking(found) == {"endpoint": "missing", "endpoint: answer": "not asked"}
    assert f"it is {status}" in found["endpoint"].found
    assert ("no such image" in found["endpoint"].found) is (status == "Failed")


def test_an_endpoint_of_another_label_set_says_which_classes_it_has(made):
    finding = findings(made, **{"endpoint.ade_label": "SPAM"})["endpoint: answer"]
    assert finding.status == "missing"
    assert "without SPAM" in finding.found
    assert "endpoint.ade_label" in finding.remedy


@pytest.mark.parametrize(
    ("service", "checks"),
    [
        ("comprehendmedical", {"Comprehend Medical": "missing"}),
        ("sagemaker-runtime", {"endpoint: answer": "missing"}),
    ],
)
@pytest.mark.parametrize("fault", [Fault.HTML, Fault.THROTTLE])
def test_a_service_in_trouble_is_named_and_the_rest_is_checked(aws, made, service, checks, fault):
    aws.faults.set(service, {fault: 1.0})
    assert lacking(findings(made)) == checks


def test_a_workgroup_that_is_not_there_stops_queries_only(made):
    found = findings(made, **{"catalog.workgroup": "nobody"})
    assert lacking(found) == {
        "Athena workgroup": "missing",
        "Athena query": "not asked",
        "Athena saved queries": "not asked",
    }


def test_the_command_prints_every_check_and_exits_with_one_when_something_is_missing(made, capsys):
    given = [f"{name}={value}" for name, value in settings_of(made).items()]
    assert doctor(given) == 0
    printed = capsys.readouterr().out
    assert "MISSING" not in printed
    assert printed.splitlines()[-1].startswith("all ")

    assert doctor([*given, "catalog.crawler=nobody"]) == 1
    printed = capsys.readouterr().out
    assert "MISSING Glue crawler" in printed
    assert "remedy: create the crawler, or correct catalog.crawler" in printed
    assert "needs: glue:GetCrawler on arn:aws:glue:" in printed

    assert doctor([*given, "catalog.crawler=nobody"], as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    [missing] = [each for each in said["findings"] if each["status"] != "ok"]
    assert (said["ok"], missing["name"], missing["permissions"][0]["action"]) == (
        False,
        "Glue crawler",
        "glue:GetCrawler",
    )
