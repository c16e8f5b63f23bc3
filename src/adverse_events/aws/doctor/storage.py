"""Checks of buckets and keys: a probe object is written, read, defended against another writer and deleted."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from adverse_events.aws.doctor.protocol import Check, Permission
from adverse_events.aws.errors import translated
from adverse_events.errors import PermanentServiceError
from adverse_events.lake.s3.store import ChangedError, S3Store

if TYPE_CHECKING:
    from adverse_events.aws.session import Cloud
    from adverse_events.settings import Settings

PROBE = b"written by `ade doctor`, which deletes it again\n"

_NO_BUCKET = "create the bucket, or correct {setting}"


def storage_checks(settings: Settings, cloud: Cloud, account: str, needs: tuple[str, ...]) -> list[Check]:
    """Return the checks of the lake's bucket, its KMS key, the source's bucket and that of jobs."""
    checks: list[Check] = []
    endpoint = settings.endpoint
    uses_jobs = bool(endpoint.name and endpoint.mode != "realtime" and endpoint.transform_path)
    if settings.aws.kms_key and (settings.lake.is_s3 or uses_jobs):
        checks.append(_kms_check(settings.aws.kms_key, cloud, account, needs))
    if settings.lake.is_s3:
        checks += _Folder("lake", "lake.path", settings.lake.path, cloud, account).checks(needs)
    if uses_jobs:
        checks += _Folder("jobs", "endpoint.transform_path", str(endpoint.transform_path), cloud, account).checks(needs)
    source = settings.source.path or ""
    if source.startswith("s3://"):
        checks += _source_checks(source, cloud, needs)
    return checks


class _Folder:
    """A folder in a bucket that runs write to, and the probe put there."""

    def __init__(self, name: str, setting: str, url: str, cloud: Cloud, account: str) -> None:
        self.name, self.setting, self.cloud = name, setting, cloud
        self.store = S3Store(cloud, url)
        # In the folder whose objects the bucket's lifecycle removes, should this process be killed meanwhile.
        self.key = f"_locks/doctor-{secrets.token_hex(8)}"
        self.etag = ""
        self.kms = _key_arn(cloud.settings.kms_key, cloud.region, account)

    def checks(self, needs: tuple[str, ...]) -> list[Check]:
        name, where = self.name, f"{self.store.url}/{self.key}"
        bucket, written = f"{name} bucket", f"{name}: write"
        objects = f"arn:aws:s3:::{self.store.bucket}/{self.store.prefix}*"
        put, get, delete = (Permission(f"s3:{action}Object", objects) for action in ("Put", "Get", "Delete"))
        encrypt, decrypt = Permission("kms:GenerateDataKey", self.kms), Permission("kms:Decrypt", self.kms)
        return [
            _bucket_check(bucket, self.setting, self.store.bucket, self.cloud, needs),
            Check(written, f"PutObject {where}", self._write, "", (put, encrypt, decrypt), needs=(bucket,)),
            Check(f"{name}: read", f"GetObject {where}", self._read, "", (get, decrypt), needs=(written,)),
            Check(
                f"{name}: two writers",
                f"PutObject {where} on condition that there is none",
                self._defended,
                "use Amazon S3, or a store that carries out conditional writes",
                (put, get),
                needs=(written,),
            ),
            Check(
                f"{name}: delete",
                f"DeleteObject {where}",
                self._delete,
                f"delete {where}",
                (delete, get),
                needs=(written,),
            ),
        ]

    def _write(self) -> str:
        self.etag = self.store.put(self.key, PROBE, replaces=None)
        return f"{len(PROBE)} bytes, encrypted with {self.cloud.settings.kms_key or 'the key aws/s3'}"

    def _read(self) -> str:
        found = self.store.get(self.key)
        if found is None or found.data != PROBE:
            raise PermanentServiceError("s3", f"GetObject {self.key}", "not what was written a moment ago")
        return "what was written"

    def _defended(self) -> str:
        try:
            self.store.put(self.key, PROBE + b"again", replaces=None)
        except ChangedError:
            return "the second writer was refused"
        self.etag = ""
        raise PermanentServiceError("s3", f"PutObject {self.key}", "a condition was ignored: two runs could mix")

    def _delete(self) -> str:
        found = self.store.get(self.key)
        if found:
            self.store.delete(self.key, found.etag)
        return "nothing is left"


def _bucket_check(name: str, setting: str, bucket: str, cloud: Cloud, needs: tuple[str, ...]) -> Check:
    return Check(
        name,
        f"HeadBucket and ListObjectsV2 {bucket}",
        partial(_bucket, bucket, cloud),
        _NO_BUCKET.format(setting=setting),
        (Permission("s3:ListBucket", f"arn:aws:s3:::{bucket}"),),
        needs=needs,
    )


def _bucket(bucket: str, cloud: Cloud) -> str:
    client = cloud.client("s3")
    with translated("s3", f"HeadBucket {bucket}"):
        region = client.head_bucket(Bucket=bucket).get("BucketRegion") or cloud.region
    if region != cloud.region:
        detail = f"the bucket is in {region}, this run in {cloud.region}; set aws.region = {region}"
        raise PermanentServiceError("s3", f"HeadBucket {bucket}", detail)
    with translated("s3", f"ListObjectsV2 {bucket}"):
        client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    return f"in {region}"


def _source_checks(source: str, cloud: Cloud, needs: tuple[str, ...]) -> list[Check]:
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    folder = prefix.split("*")[0].rpartition("/")[0]
    objects = f"arn:aws:s3:::{bucket}/{folder}{'/' if folder else ''}*"
    name = "source bucket"
    return [
        _bucket_check(name, "source.path", bucket, cloud, needs),
        Check(
            "source: read",
            f"GetObject of the first object under {bucket}/{folder}",
            partial(_first_byte, bucket, folder, cloud),
            "put posts there, or correct source.path",
            (Permission("s3:GetObject", objects),),
            needs=(name,),
        ),
    ]


def _first_byte(bucket: str, folder: str, cloud: Cloud) -> str:
    client = cloud.client("s3")
    with translated("s3", f"ListObjectsV2 {bucket}/{folder}"):
        listed = client.list_objects_v2(Bucket=bucket, Prefix=folder).get("Contents", [])
    keys = [item["Key"] for item in listed if item["Size"]]
    if not keys:
        raise PermanentServiceError("s3", f"ListObjectsV2 {bucket}/{folder}", "no object is there")
    with translated("s3", f"GetObject {bucket}/{keys[0]}"):
        client.get_object(Bucket=bucket, Key=keys[0], Range="bytes=0-0")["Body"].close()
    return "readable"


def _kms_check(key: str, cloud: Cloud, account: str, needs: tuple[str, ...]) -> Check:
    return Check(
        "KMS key",
        f"DescribeKey {key}",
        partial(_kms, key, cloud),
        "create or enable the key, or correct aws.kms_key",
        (Permission("kms:DescribeKey", _key_arn(key, cloud.region, account)),),
        needs=needs,
    )


def _kms(key: str, cloud: Cloud) -> str:
    with translated("kms", f"DescribeKey {key}"):
        found = cloud.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    state, use = found["KeyState"], found.get("KeyUsage", "ENCRYPT_DECRYPT")
    if (state, use) != ("Enabled", "ENCRYPT_DECRYPT"):
        raise PermanentServiceError("kms", f"DescribeKey {key}", f"it is {state}, for {use}")
    return str(found["Arn"])


def _key_arn(key: str | None, region: str, account: str) -> str:
    if key is None:
        return "the account's key aws/s3, which every role of the account may use through S3"
    if key.startswith("arn:"):
        return key
    return f"the key of {key}" if key.startswith("alias/") else f"arn:aws:kms:{region}:{account}:key/{key}"
