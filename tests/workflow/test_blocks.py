"""Prefect blocks and results on S3: a real Prefect API and an S3 that speaks its protocol."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from prefect import flow
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.testing.utilities import prefect_test_harness
from prefect_aws import AwsCredentials, S3Bucket
from prefect_aws.client_parameters import AwsClientParameters

from adverse_events import assembly
from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings
from adverse_events.errors import TransientServiceError, UsageError
from adverse_events.settings import load_settings
from tasks.blocks import aws_sessions, resolve
from tasks.station import station

CHECKOUT = Path(__file__).resolve().parents[2]
POST = {
    "id": "1",
    "created_at": "2026-03-01T00:05:00Z",
    "lang": "en",
    "text": "sertraline gave me zanzibarquokka hives",
}

KEYS = {"aws_access_key_id": "OFTHEBLOCK", "aws_secret_access_key": "hidden"}

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def api():
    """A Prefect API with an empty database of its own, and the blocks of these tests."""
    with prefect_test_harness(server_startup_timeout=120):
        AwsCredentials(**KEYS, region_name="eu-north-1").save("prod")
        AwsCredentials(aws_client_parameters=AwsClientParameters(endpoint_url="https://elsewhere")).save("elsewhere")
        S3Bucket(bucket_name="the-lake", bucket_folder="ade/lake/", credentials=AwsCredentials.load("prod")).save(
            "lake"
        )
        S3Bucket(bucket_name="the-lake", credentials=AwsCredentials()).save("whole-bucket")
        S3Bucket(bucket_name="the-lake", credentials=AwsCredentials(aws_access_key_id="INLINE")).save("own-keys")
        Secret(value="token-of-the-block").save("x-token")
        Secret(value={"token": "in a dictionary"}).save("x-dictionary")
        S3Bucket(bucket_name="run-results", bucket_folder="results", credentials=AwsCredentials()).save("results")
        yield PREFECT_API_URL.value()


@pytest.fixture
def s3(monkeypatch):
    """The S3 of an empty account."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    server_url = "http://{}:{}".format(*server.get_host_and_port())
    for name, value in {
        "AWS_ENDPOINT_URL": server_url,
        "AWS_ACCESS_KEY_ID": "of-the-chain",
        "AWS_SECRET_ACCESS_KEY": "hidden",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    httpx.post(f"{server_url}/moto-api/reset").raise_for_status()
    client.create_bucket(Bucket="run-results")
    yield client
    server.stop()


@station("whoami")
def whoami(_order: int, settings: AwsSettings) -> tuple[str, str]:
    """Say with which key this station would reach AWS, and where."""
    cloud = Cloud(settings)
    return cloud.session.get_credentials().access_key, cloud.region


@flow
def who_is_who(settings: AwsSettings) -> list[tuple[str, str]]:
    """Ask in threads of the task runner, more than it starts with."""
    return [future.result() for future in [whoami.submit(order, settings) for order in range(6)]]


BLOCK = AwsSettings(credentials_block="prod")


def test_stations_in_every_thread_use_the_credentials_of_the_block(api):
    assert set(who_is_who(BLOCK)) == {("OFTHEBLOCK", "eu-north-1")}


def test_so_do_stations_in_place_and_the_flow_itself(api):
    assert whoami.submit(0, BLOCK).result() == ("OFTHEBLOCK", "eu-north-1")
    assert who_is_who.fn(BLOCK)[0] == ("OFTHEBLOCK", "eu-north-1")
    with aws_sessions():
        assert Cloud(BLOCK).session.get_credentials().access_key == "OFTHEBLOCK"


def test_the_region_setting_wins_over_the_blocks(api):
    assert whoami(0, AwsSettings(credentials_block="prod", region="eu-west-3")) == ("OFTHEBLOCK", "eu-west-3")


def test_without_a_block_the_chain_is_used(api, s3):
    assert whoami(0, AwsSettings()) == ("of-the-chain", "us-east-1")


def test_a_block_that_does_not_exist_says_how_to_make_it(api):
    with pytest.raises(
        UsageError, match=r"no Prefect AwsCredentials block nobody; create it .*register -m prefect_aws"
    ):
        whoami(0, AwsSettings(credentials_block="nobody"))


def test_a_block_that_points_at_another_server_is_refused(api):
    with pytest.raises(UsageError, match="elsewhere sets an endpoint_url; set AWS_ENDPOINT_URL"):
        whoami(0, AwsSettings(credentials_block="elsewhere"))


def test_a_bucket_block_says_where_the_lake_is_and_whose_credentials_reach_it(api):
    settings = resolve(load_settings({"lake.bucket_block": "lake"}))
    assert settings.lake.path == "s3://the-lake/ade/lake"
    assert settings.lake.is_s3
    assert settings.aws.credentials_block == "prod"
    assert not settings.lake.needs_block


def test_a_bucket_block_without_folder_or_credentials_gives_the_bucket_alone(api):
    settings = resolve(load_settings({"lake.bucket_block": "whole-bucket"}))
    assert (settings.lake.path, settings.aws.credentials_block) == ("s3://the-lake", None)


def test_credentials_named_in_the_settings_win_over_the_bucket_blocks(api):
    settings = resolve(load_settings({"lake.bucket_block": "lake", "aws.credentials_block": "other"}))
    assert settings.aws.credentials_block == "other"


def test_a_path_that_is_given_wins_over_the_block(tmp_path):
    settings = load_settings({"lake.bucket_block": "lake"}, {"lake.path": str(tmp_path)})
    assert resolve(settings) is settings


def test_a_bucket_block_with_keys_of_its_own_is_refused(api):
    """No other service could be given them; ignoring them would reach another account."""
    with pytest.raises(UsageError, match="own-keys holds keys of its own; save them as an AwsCredentials block"):
        resolve(load_settings({"lake.bucket_block": "own-keys"}))


def test_a_bucket_block_is_never_taken_for_a_local_folder():
    settings = load_settings({"lake.bucket_block": "lake"})
    for use in (assembly.lake_for, assembly.reader_for):
        with pytest.raises(UsageError, match=r"lake\.bucket_block lake is read by flows only"):
            use(settings)


def test_the_token_of_x_comes_from_a_secret_block_and_shows_nowhere(api):
    settings = resolve(load_settings({"x.bearer_token_block": "x-token"}))
    assert assembly.token_for(settings).get_secret_value() == "token-of-the-block"
    assert "token-of-the-block" not in repr(settings)


def test_a_token_that_is_given_wins_over_the_block(api, monkeypatch):
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", "of-the-environment")
    settings = resolve(load_settings({"x.bearer_token_block": "nobody"}))
    assert assembly.token_for(settings).get_secret_value() == "of-the-environment"


@pytest.mark.parametrize(("name", "told"), [("nobody", "no Prefect Secret block nobody"), ("x-dictionary", "no text")])
def test_a_secret_block_that_holds_no_token_is_refused(api, name, told):
    with pytest.raises(UsageError, match=told):
        resolve(load_settings({"x.bearer_token_block": name}))


def test_a_secret_block_is_read_by_flows_alone():
    with pytest.raises(UsageError, match="read by flows only; set ADE_X__BEARER_TOKEN"):
        assembly.token_for(load_settings({"x.bearer_token_block": "x-token"}))


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "prefect_aws", None)
    with pytest.raises(UsageError, match=r"prefect_aws is not installed; .*-e '\.\[aws\]'"):
        resolve(load_settings({"lake.bucket_block": "lake"}))


def test_a_server_that_does_not_answer_is_worth_asking_again():
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(TransientServiceError, match=r"Prefect server load S3Bucket block lake: no answer"),
    ):
        resolve(load_settings({"lake.bucket_block": "lake"}))


RUN = """
import sys
from flows.detect import detect_adverse_events
state = detect_adverse_events(source=sys.argv[1], lake=sys.argv[2], return_state=True)
print(state.type.value, state.result(raise_on_failure=False))
"""


def run_flow(api, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, arguments)],
        cwd=CHECKOUT,
        env={**os.environ, "PREFECT_API_URL": api, "PREFECT_LOGGING_LEVEL": "ERROR", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


KEPT_ON_S3 = {
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
    "PREFECT_DEFAULT_RESULT_STORAGE_BLOCK": "s3-bucket/results",
}


def kept(s3):
    found = s3.list_objects_v2(Bucket="run-results").get("Contents", [])
    return [s3.get_object(Bucket="run-results", Key=item["Key"])["Body"].read() for item in found]


def test_a_deployment_that_asks_for_it_keeps_the_account_of_a_run_on_s3_as_json_and_nothing_else(api, s3, tmp_path):
    source = tmp_path / "posts.jsonl"
    source.write_text(json.dumps(POST) + "\n")
    printed = run_flow(api, source, tmp_path / "lake", **KEPT_ON_S3)
    assert printed.startswith("COMPLETED RunAccount(rows_read=1")
    [record] = kept(s3)
    account = json.loads(record)
    assert account["__class__"] == "adverse_events.accounting.RunAccount"
    assert (account["data"]["rows_read"], account["data"]["start"]) == (1, "2026-03-01T00:00:00Z")
    assert b"zanzibarquokka" not in record


def test_one_that_does_not_ask_keeps_nothing(api, s3, tmp_path):
    source = tmp_path / "posts.jsonl"
    source.write_text(json.dumps(POST) + "\n")
    storage = tmp_path / "storage"
    printed = run_flow(api, source, tmp_path / "lake", PREFECT_LOCAL_STORAGE_PATH=str(storage))
    assert printed.startswith("COMPLETED")
    assert kept(s3) == []
    assert [path for path in storage.rglob("*") if path.is_file()] == []


def test_a_run_that_fails_keeps_its_one_line_reason(api, s3, tmp_path):
    printed = run_flow(api, tmp_path / "missing.jsonl", tmp_path / "lake", **KEPT_ON_S3)
    assert printed.startswith("FAILED")
    [record] = kept(s3)
    stored = json.loads(record)
    assert stored["__exc_type__"] == "adverse_events.errors.UsageError"
    assert "missing.jsonl: no such file" in stored["message"]
