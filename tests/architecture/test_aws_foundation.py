"""The infrastructure template: it is valid, deploys, and allows exactly what the doctor asks for."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from adverse_events.aws.doctor.examination import checks_for, examine
from adverse_events.privacy import SHORTEST_SECRET
from adverse_events.settings import Settings, load_settings
from tests.foundation import AWS, FOUNDATION, RESOURCES, TEMPLATE, deploy_to_moto, properties
from tests.moto_server import cloud_at, moto_server


def actions(policy):
    return [action for statement in policy["PolicyDocument"]["Statement"] for action in statement["Action"]]


EVERYTHING = {
    "lake.path": "s3://the-lake/lake",
    "source.path": "s3://the-archive/posts/",
    "aws.kms_key": "alias/ade",
    "privacy.identity_key_secret": "ids",
    "endpoint.name": "ade",
    "endpoint.mode": "auto",
    "endpoint.transform_path": "s3://the-lake/jobs",
    "coding.service": "comprehend",
    "comprehend.detect_entities": True,
    "catalog.database": "ade",
    "catalog.crawler": "crawl",
}


@pytest.fixture(scope="module")
def stack():
    """What moto can make of the template: key, buckets, roles and policies, whose grammar it checks."""
    with moto_server() as url, pytest.MonkeyPatch.context() as environment:
        cloud_at(url, environment)
        yield url, deploy_to_moto()


@pytest.fixture
def deployed(stack, monkeypatch):
    """The account as this test reaches it, and the outputs of the stack."""
    url, outputs = stack
    return cloud_at(url, monkeypatch), outputs


def test_the_template_is_valid():
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, TEMPLATE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_worker_may_do_exactly_what_the_doctor_asks_for(deployed):
    checks = checks_for(load_settings(EVERYTHING))
    asked = {permission.action for check in checks for permission in (*check.permissions, *check.untried)}
    allowed = actions(properties("WorkerPolicy"))
    assert len(allowed) == len(set(allowed))
    assert set(allowed) == asked


def test_no_policy_allows_a_pattern_of_actions_or_borrows_a_broad_one():
    roles = [resource for resource in RESOURCES.values() if resource["Type"] == "AWS::IAM::Role"]
    inline = [policy for role in roles for policy in role["Properties"].get("Policies", ())]
    for action in [*actions(properties("WorkerPolicy")), *(each for policy in inline for each in actions(policy))]:
        assert "*" not in action
    assert "FullAccess" not in TEMPLATE.read_text()
    borrowed = [arn for role in roles for arn in role["Properties"].get("ManagedPolicyArns", ())]
    assert borrowed == [{"Ref": "WorkerPolicy"}]


def test_only_what_has_no_resource_is_allowed_on_all():
    statements = properties("WorkerPolicy")["PolicyDocument"]["Statement"]
    everywhere = [action for each in statements if each["Resource"] == "*" for action in each["Action"]]
    assert everywhere == ["comprehendmedical:DetectEntitiesV2", "comprehendmedical:InferICD10CM"]


@pytest.mark.parametrize("bucket", ["LakeBucket", "ResultsBucket"])
def test_buckets_are_private_encrypted_and_reached_by_tls_only(bucket):
    """Asserted on the template: moto drops most of it."""
    [rule] = properties(bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(properties(bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    [denial] = properties(f"{bucket}Policy")["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Principal"], denial["Action"]) == ("Deny", "*", "s3:*")
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_cannot_be_made_again_outlives_the_stack():
    kept = {name for name, resource in RESOURCES.items() if resource.get("DeletionPolicy") == "Retain"}
    assert kept == {"Key", "LakeBucket", "ResultsBucket", "IdentityKey"}
    assert all(RESOURCES[name]["UpdateReplacePolicy"] == "Retain" for name in kept)


def test_old_versions_leases_and_results_expire():
    lake = {rule["Id"]: rule for rule in properties("LakeBucket")["LifecycleConfiguration"]["Rules"]}
    assert properties("LakeBucket")["VersioningConfiguration"] == {"Status": "Enabled"}
    assert lake["old-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "NoncurrentDays"}}
    assert lake["locks"]["Prefix"] == {"Fn::Sub": "${LakePrefix}/_locks/"}
    assert lake["locks"]["ExpirationInDays"] == 1
    [results] = properties("ResultsBucket")["LifecycleConfiguration"]["Rules"]
    assert results["ExpirationInDays"] == {"Ref": "ResultDays"}


def test_the_crawler_takes_partitions_from_the_table_and_changes_no_column():
    crawler = properties("Crawler")
    assert json.loads(crawler["Configuration"])["CrawlerOutput"] == {
        "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}
    }
    assert crawler["SchemaChangePolicy"] == {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    paths = [target["Path"]["Fn::Sub"].rsplit("/", 2)[1] for target in crawler["Targets"]["S3Targets"]]
    assert paths == ["assessments", "rejects", "receipts"]


def test_queries_cannot_be_sent_elsewhere_or_unencrypted():
    group = properties("Workgroup")["WorkGroupConfiguration"]
    assert group["EnforceWorkGroupConfiguration"] is True
    assert group["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"


def test_every_output_that_is_a_setting_names_one_that_exists(deployed):
    _, outputs = deployed
    named = {name: out["Description"].removeprefix("Setting ") for name, out in FOUNDATION["Outputs"].items()}
    settings = {named[name]: value for name, value in outputs.items() if "." in named[name].split()[0]}
    assert len(settings) == 7
    # A stand-in's name is no database's.
    loaded = load_settings({**settings, "catalog.database": "ade"})
    assert loaded.lake.path.startswith("s3://")


def test_the_key_of_ids_is_as_long_as_one_has_to_be():
    secret = properties("IdentityKey")["GenerateSecretString"]
    # No SecretStringTemplate: the secret is the key itself, as `secret_text` wants it.
    assert secret == {"PasswordLength": 64, "ExcludePunctuation": True}
    assert secret["PasswordLength"] >= SHORTEST_SECRET


def test_a_lake_can_be_kept_in_the_bucket_with_the_key(deployed):
    _, outputs = deployed
    chosen = {"lake.path": outputs["LakePath"], "aws.kms_key": outputs["KmsKey"], "aws.max_attempts": 1}
    found = examine(checks_for(load_settings(chosen)))
    # moto cannot describe a key that its own CloudFormation made; that it can be used is what writing shows.
    lacking = [f"{each.name}: {each.found}" for each in found if each.status != "ok" and each.name != "KMS key"]
    assert lacking == []


def test_the_workers_policy_is_one_that_iam_takes(deployed):
    cloud, outputs = deployed
    policy = cloud.client("iam").get_policy(PolicyArn=outputs["WorkerPolicy"])["Policy"]
    assert policy["Arn"] == outputs["WorkerPolicy"]


def test_the_example_settings_load_and_use_every_part(monkeypatch, tmp_path):
    text = (AWS / "adverse_events.toml").read_text()
    (tmp_path / "adverse_events.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    loaded = load_settings()
    assert loaded.lake.is_s3
    assert (loaded.endpoint.name, loaded.coding.service) == ("adverse-events", "comprehend")
    assert (loaded.catalog.database, loaded.catalog.workgroup) == ("adverse_events", "adverse_events-queries")
    assert loaded.privacy.identity_key_secret


def test_so_do_the_settings_that_the_example_only_mentions(tmp_path, monkeypatch):
    lines = (AWS / "adverse_events.toml").read_text().splitlines()
    mentioned = [line.removeprefix("# ") for line in lines if line.startswith("# ") and " = " in line]
    assert len(mentioned) == 8
    text = "\n".join(line.removeprefix("# ") if " = " in line else line for line in lines)
    (tmp_path / "adverse_events.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert load_settings().endpoint.mode == "auto"
    assert set(tomllib.loads(text)) <= set(Settings.model_fields)
