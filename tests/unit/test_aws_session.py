"""One account: where its sessions come from, and that each client is made once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.awsrequest import HeadersDict
from botocore.exceptions import EndpointConnectionError
from pydantic import ValidationError

from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings
from adverse_events.aws.source import session_source, sessions_from
from adverse_events.errors import PermanentServiceError, UsageError


@pytest.fixture(autouse=True)
def _no_account(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def from_block(settings):
    return boto3.Session(region_name=f"of-{settings.credentials_block}")


def test_the_chain_makes_the_session_with_the_region_set():
    assert Cloud(AwsSettings(region="eu-west-1")).region == "eu-west-1"
    assert Cloud(AwsSettings()).region == ""


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_of_the_environment_is_known_by_both_its_names(monkeypatch, name):
    """boto3 alone knows the second only."""
    monkeypatch.setenv(name, "eu-south-1")
    assert Cloud(AwsSettings()).region == "eu-south-1"


def test_a_block_that_nothing_can_read_is_an_error_and_never_another_account():
    with pytest.raises(UsageError, match=r"aws\.credentials_block prod is a Prefect block"):
        Cloud(AwsSettings(credentials_block="prod"))


def test_a_source_makes_the_sessions_of_settings_that_name_a_block_while_it_is_in_force():
    with sessions_from(from_block):
        assert Cloud(AwsSettings(credentials_block="prod")).region == "of-prod"
        assert Cloud(AwsSettings(region="eu-west-1")).region == "eu-west-1"
    assert session_source() is None


def test_a_source_does_not_leak_into_other_threads():
    with ThreadPoolExecutor(1) as threads:
        threads.submit(int).result()
        with sessions_from(from_block):
            assert threads.submit(session_source).result() is None


def test_a_client_is_made_once_whoever_asks():
    cloud = Cloud(AwsSettings(region="eu-west-1"))
    with ThreadPoolExecutor(8) as threads:
        clients = set(threads.map(lambda _: cloud.client("s3"), range(32)))
    assert len(clients) == 1


@pytest.mark.parametrize(
    ("service", "attempts"), [("s3", 3), ("glue", 3), ("sagemaker-runtime", 1), ("comprehendmedical", 1)]
)
def test_only_services_that_this_project_does_not_repeat_itself_are_repeated_by_botocore(service, attempts):
    client = Cloud(AwsSettings(region="eu-west-1", max_attempts=3, read_timeout_s=9)).client(service)
    assert client.meta.config.retries["total_max_attempts"] == attempts
    assert client.meta.config.read_timeout == 9


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/html"}, 502),
        ({"Content-Type": "text/html; charset=utf-8", "X-Amzn-RequestId": "1"}, 200),
        ({"Content-Type": "text/html", "x-amz-request-id": "1"}, 200),
        ({"Content-Type": "application/xml"}, 200),
        ({"Content-Type": "application/json", "Content-Length": "13"}, 200),
        ({"Content-Type": "application/json", "Content-Length": "14"}, 502),
    ],
)
def test_a_web_page_is_a_proxys_unless_it_carries_the_id_of_a_request_and_a_cut_answer_is_none(headers, status):
    client = Cloud(AwsSettings(region="eu-west-1")).client("glue")
    operation = client.meta.service_model.operation_model("GetTables")
    answer = {"status_code": 200, "headers": HeadersDict(headers), "body": b"<html></html>"}
    client.meta.events.emit("before-parse.glue.GetTables", operation_model=operation, response_dict=answer)
    assert answer["status_code"] == status


def test_no_region_and_no_such_profile_say_so():
    with pytest.raises(PermanentServiceError, match=r"set aws\.region"):
        Cloud(AwsSettings()).client("glue")
    with pytest.raises(PermanentServiceError, match="nobody"):
        Cloud(AwsSettings(profile="nobody"))


def test_no_key_is_a_setting():
    with pytest.raises(ValidationError):
        AwsSettings(access_key="x")


def test_the_embedded_default_loads_no_library_of_aws():
    loaded = "{'boto3', 'botocore', 'prefect_aws'} & set(sys.modules)"
    code = f"import sys, adverse_events.assembly, tasks.blocks; print({loaded})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_service_that_does_not_answer_is_said_to_be_waited_for_and_how_long_at_most(monkeypatch, caplog):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    settings = AwsSettings(region="eu-west-1", max_attempts=2, connect_timeout_s=3)
    with caplog.at_level("INFO", "adverse_events"), pytest.raises(EndpointConnectionError):
        Cloud(settings).client("sts").get_caller_identity()
    (line,) = caplog.messages
    assert line == (
        "sts GetCallerIdentity at http://127.0.0.1:9: no answer (EndpointConnectionError); try 2 of 2 follows, waiting "
        "at most 23 s more"
    )


def test_descriptions_of_services_are_read_once_per_process_and_their_folders_do_not_pile_up():
    loaders = {id(Cloud(AwsSettings(region="eu-west-1")).session._session.get_component("data_loader")) for _ in "abc"}
    assert len(loaders) == 1
    folders = Cloud(AwsSettings(region="eu-west-1")).session._session.get_component("data_loader").search_paths
    assert len(folders) == len(set(folders)) + 1  # boto3 adds its own once more, until the next session
