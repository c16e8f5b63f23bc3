"""`ade doctor` over the wire: what it finds, names as missing, and leaves behind."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from werkzeug.wrappers import Request, Response

from ade.doctor import diagnose
from adverse_events.aws.doctor.examination import checks_for, examine, parts_on_aws
from adverse_events.privacy import IdentityKey
from adverse_events.settings import load_settings
from tests.moto_server import BUCKET, REGION, cloud_at, make_bucket, moto_server

SECRET = "m" * 40
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def account(monkeypatch):
    """An account with a bucket, a key, a secret, a database and a crawler, and nothing that serves models."""
    with moto_server() as url:
        cloud = cloud_at(url, monkeypatch)
        make_bucket(cloud)
        key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
        cloud.client("secretsmanager").create_secret(Name="ids", SecretString=SECRET)
        cloud.client("glue").create_database(DatabaseInput={"Name": "ade"})
        role = "arn:aws:iam::123456789012:role/crawler"
        targets = {"S3Targets": [{"Path": f"s3://{BUCKET}/lake/"}]}
        cloud.client("glue").create_crawler(Name="crawl", Role=role, DatabaseName="ade", Targets=targets)
        yield SimpleNamespace(cloud=cloud, key=key, url=url)


def on_s3(**more):
    return {"lake.path": f"s3://{BUCKET}/lake", "privacy.identity_key_secret": "ids", **more}


def findings(**settings):
    return {finding.name: finding for finding in examine(checks_for(load_settings(settings)))}


def missing(found):
    return {name: finding.status for name, finding in found.items() if finding.status != "ok"}


def objects(cloud):
    return [item["Key"] for item in cloud.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_a_lake_on_s3_that_is_all_there_is_fine_and_nothing_is_left(account):
    found = findings(**on_s3(**{"aws.kms_key": account.key}))
    assert missing(found) == {}
    assert list(found) == [
        "drug lexicon",
        "model",
        "condition lexicon",
        "region",
        "credentials",
        "clock",
        "identity key",
        "KMS key",
        "lake bucket",
        "lake: write",
        "lake: read",
        "lake: two writers",
        "lake: delete",
    ]
    assert objects(account.cloud) == []
    assert account.key in found["lake: write"].found


def test_the_identity_key_is_named_by_its_fingerprint_and_never_shown(account):
    found = findings(**on_s3())
    assert found["identity key"].found.endswith(IdentityKey.from_store(SECRET, "ids").fingerprint)
    assert SECRET not in json.dumps([finding.to_json() for finding in found.values()])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("short", "secret ids holds 5 characters; an identity key has at least 32"),
        ('{"key": "0123456789012345678901234567890123456789"}', "holds key/value pairs; store the value itself"),
        (None, "ResourceNotFoundException"),
    ],
)
def test_a_secret_that_is_no_key_says_why_and_never_what_it_holds(account, value, said):
    secrets = account.cloud.client("secretsmanager")
    if value is None:
        secrets.delete_secret(SecretId="ids", ForceDeleteWithoutRecovery=True)
    else:
        secrets.put_secret_value(SecretId="ids", SecretString=value)
    finding = findings(**on_s3())["identity key"]
    assert finding.status == "missing"
    assert said in finding.found
    assert "0123456789" not in finding.found
    assert "privacy.identity_key_secret" in finding.remedy


def test_a_bucket_that_is_not_there_stops_only_what_needs_it(account):
    found = findings(**on_s3(**{"lake.path": "s3://no-such-bucket-here/lake", "aws.kms_key": account.key}))
    assert missing(found) == {
        "lake bucket": "missing",
        "lake: write": "not asked",
        "lake: read": "not asked",
        "lake: two writers": "not asked",
        "lake: delete": "not asked",
    }
    assert "404" in found["lake bucket"].found
    assert found["lake bucket"].remedy == "create the bucket, or correct lake.path"
    assert found["lake: write"].found == "needs lake bucket"


def test_a_bucket_of_another_region_is_told_from_this_runs(account):
    elsewhere = {"LocationConstraint": "ap-south-1"}
    there = account.cloud.session.client("s3", region_name="ap-south-1")
    there.create_bucket(Bucket="far-away-lake", CreateBucketConfiguration=elsewhere)
    finding = findings(**on_s3(**{"lake.path": "s3://far-away-lake/lake"}))["lake bucket"]
    assert finding.found.endswith(f"the bucket is in ap-south-1, this run in {REGION}; set aws.region = ap-south-1")


def test_a_key_that_is_disabled_or_absent_is_named(account):
    account.cloud.client("kms").disable_key(KeyId=account.key.rpartition("/")[2])
    finding = findings(**on_s3(**{"aws.kms_key": account.key}))["KMS key"]
    assert (finding.status, "Disabled" in finding.found) == ("missing", True)
    absent = account.key[:-4] + "0000"
    assert findings(**on_s3(**{"aws.kms_key": absent}))["KMS key"].remedy.endswith("correct aws.kms_key")


def test_no_credentials_at_all_fails_what_needs_them_and_nothing_else(account, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    found = findings(**on_s3())
    assert found["credentials"].status == found["clock"].status == "missing"
    assert "no usable credentials" in found["credentials"].found
    assert found["lake bucket"].status == "not asked"
    assert found["model"].status == found["region"].status == "ok"


def test_a_region_that_boto3_does_not_know_is_doubted_and_asked_all_the_same(account, monkeypatch):
    """It may be mistyped, or newer than boto3; an address of one's own answers for any."""
    found = findings(**on_s3(**{"aws.region": "eu-wset-1"}))
    assert found["region"].status == "doubtful"
    assert "eu-wset-1 is no region that boto3" in found["region"].found
    assert "is it eu-west-1" in found["region"].found
    assert found["credentials"].status == "ok"
    assert findings(**on_s3(**{"aws.region": "us-gov-west-1"}))["region"].status == "ok"


def test_no_region_is_said_first(account, monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    found = findings(**on_s3())
    assert found["region"].remedy.startswith("set aws.region")
    assert found["credentials"].status == "not asked"


def test_the_catalog_is_checked_and_what_nobody_can_try_is_listed(account):
    found = findings(**on_s3(**{"catalog.database": "ade", "catalog.crawler": "crawl"}))
    assert {found[name].status for name in ("Glue database", "Glue tables", "Glue crawler")} == {"ok"}
    assert found["Glue crawler"].found.startswith("READY")
    crawler = f"arn:aws:glue:{REGION}:123456789012:crawler/crawl"
    assert [str(each) for each in found["Glue crawler"].untried] == [f"glue:StartCrawler on {crawler}"]


def test_a_database_or_crawler_that_is_not_there_says_which_setting(account):
    found = findings(**on_s3(**{"catalog.database": "other"}))
    assert (found["Glue database"].status, found["Glue tables"].status) == ("missing", "not asked")
    found = findings(**on_s3(**{"catalog.database": "ade", "catalog.crawler": "nobody"}))
    assert found["Glue crawler"].remedy == "create the crawler, or correct catalog.crawler"


def test_a_table_of_something_else_is_found_before_a_run_writes(account):
    columns = [{"Name": "colour", "Type": "string"}]
    table = {"Name": "assessments", "StorageDescriptor": {"Columns": columns, "Location": "s3://elsewhere/"}}
    account.cloud.client("glue").create_table(DatabaseName="ade", TableInput=table)
    found = findings(**on_s3(**{"catalog.database": "ade"}))
    assert found["Glue tables"].status == "missing"


def test_an_endpoint_that_is_not_there_is_missing_and_not_invoked(account):
    found = findings(**on_s3(**{"endpoint.name": "nobody"}))
    assert (found["endpoint"].status, found["endpoint: answer"].status) == ("missing", "not asked")
    assert found["endpoint"].remedy == "deploy the endpoint, or correct endpoint.name"
    assert str(found["endpoint"].permissions[0]).endswith(f"{REGION}:123456789012:endpoint/nobody")


def test_a_source_on_s3_is_read_before_a_run_does(account):
    settings = on_s3(**{"source.path": f"s3://{BUCKET}/posts/*.jsonl"})
    assert findings(**settings)["source: read"].status == "missing"
    account.cloud.client("s3").put_object(Bucket=BUCKET, Key="posts/a.jsonl", Body=b"{}")
    assert findings(**settings)["source: read"].status == "ok"


@contextmanager
def answering(monkeypatch, respond, **services):
    """A server that answers every request with `respond`, in the place of some services."""
    from adverse_events.local_aws.listener import listening  # noqa: PLC0415 - beside its only use

    with listening(respond) as url:
        for service in services or ("all",):
            name = "AWS_ENDPOINT_URL" if service == "all" else f"AWS_ENDPOINT_URL_{service.upper()}"
            monkeypatch.setenv(name, url)
        yield


def denied(request: Request) -> Response:
    body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    return Response(body if request.method != "HEAD" else "", 403, content_type="application/xml")


def test_a_denied_bucket_names_the_exact_permission(account, monkeypatch):
    with answering(monkeypatch, denied, s3=True):
        finding = findings(**on_s3())["lake bucket"]
    assert finding.remedy == f"allow s3:ListBucket on arn:aws:s3:::{BUCKET}"


class WrongTime(BaseHTTPRequestHandler):
    """Refuses a request as AWS does one signed at the wrong time: with its own time beside the refusal."""

    def do_POST(self):
        body = (
            b"<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message></Error>"
            b"<RequestId>1</RequestId></ErrorResponse>"
        )
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(403)
        now = datetime.now(UTC) - timedelta(minutes=self.server.minutes)
        for name, value in {"Date": format_datetime(now, usegmt=True), "Content-Length": len(body)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.mark.parametrize(("minutes", "side"), [(30, "ahead"), (-30, "behind")])
def test_a_clock_that_is_wrong_is_told_even_when_every_request_is_refused(account, monkeypatch, minutes, side):
    with HTTPServer(("127.0.0.1", 0), WrongTime) as server:
        server.minutes = minutes
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_port}")
        found = findings(**on_s3())
        server.shutdown()
    assert found["clock"].found.endswith(f"this machine's clock is 30 minutes {side}")
    assert found["clock"].remedy.endswith("set this machine's clock")
    assert "check the credentials in use" in found["credentials"].found
    assert found["lake bucket"].status == "not asked"


def test_a_store_that_ignores_conditions_is_no_place_for_a_lake(account, monkeypatch):
    """A lake is kept whole by conditional writes; a store that takes every write would mix two runs."""
    held = {}

    def careless(request):
        if request.method == "PUT":
            held[request.path] = (request.get_data(), request.headers.get("x-amz-meta-sha256", ""))
            return Response("", 200, {"ETag": '"1"'})
        if request.method == "DELETE":
            held.pop(request.path, None)
            return Response("", 204)
        if request.path in held:
            body, digest = held[request.path]
            headers = {"ETag": '"1"', "x-amz-meta-sha256": digest, "Last-Modified": "Sat, 21 Nov 2026 09:00:00 GMT"}
            return Response(body, 200, headers, content_type="binary/octet-stream")
        return Response("<ListBucketResult></ListBucketResult>", 200, content_type="application/xml")

    with answering(monkeypatch, careless, s3=True):
        found = findings(**on_s3())
    assert missing(found) == {"lake: two writers": "missing"}
    assert "two runs could mix" in found["lake: two writers"].found
    assert held == {}


def test_the_embedded_default_asks_nothing_of_the_network(tmp_path):
    settings = load_settings({"lake.path": str(tmp_path / "lake")})
    assert parts_on_aws(settings) == []
    found = {finding.name: finding for finding in examine(checks_for(settings))}
    assert missing(found) == {}
    assert list(found) == ["drug lexicon", "model", "condition lexicon", "lake folder", "identity key"]
    assert list(tmp_path.iterdir()) == []


def test_a_broken_model_a_closed_folder_and_a_missing_source_are_all_found(tmp_path):
    (tmp_path / "lake").write_text("a file where a folder belongs")
    (tmp_path / "model").mkdir()
    found = findings(
        **{
            "classifier.model": str(tmp_path / "model"),
            "lake.path": str(tmp_path / "lake"),
            "source.path": str(tmp_path / "none.jsonl"),
        }
    )
    assert missing(found) == {"model": "missing", "lake folder": "missing", "source": "missing"}


WITHOUT_EXTRA = """
import sys
sys.modules.update(dict.fromkeys(["boto3", "botocore", "awswrangler", "prefect_aws"]))
from ade.doctor import doctor
sys.exit(doctor(sys.argv[1:], as_json=True))
"""


def test_without_the_extra_the_embedded_default_is_fine_and_aws_says_what_to_install(tmp_path):
    for settings, code in [((), 0), (["lake.path=s3://some-bucket/lake"], 1)]:
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_EXTRA, *settings],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        said = json.loads(done.stdout)
        assert said["ok"] is (code == 0)
    [lacking] = [finding for finding in said["findings"] if finding["status"] != "ok"]
    assert lacking["remedy"] == "pip install -c constraints.txt -e '.[aws]', in the checkout"
    assert "lake.path = s3://some-bucket/lake" in lacking["asked"]


def test_a_profile_that_does_not_exist_hides_no_other_check(account):
    found = {finding.name: finding for finding in diagnose(load_settings(on_s3(**{"aws.profile": "nobody"})))}
    assert found["condition lexicon"].status == "ok"
    assert (found["credentials"].status, found["credentials"].remedy) == ("missing", "correct aws.profile")
