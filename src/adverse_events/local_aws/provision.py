"""What a deployment needs before the first run, made through boto3, and the settings that name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adverse_events.landing.dynamodb_items import table_definition
from adverse_events.local_aws.inside import REGION
from adverse_events.local_aws.wire import ACCOUNT

if TYPE_CHECKING:
    from adverse_events.local_aws.inside import Inside

NO_QUOTA = 1_000_000
"""Per second. The account's quotas are AWS's; nothing on this machine has any."""

_VARIANT = "AllTraffic"


@dataclass(frozen=True)
class Provisioned:
    """Names of what was made.

    Attributes:
        bucket: Holds lake, query results and the files of Batch Transform jobs.
        kms_key: ARN of the key that encrypts them.
        database: Glue database.
        crawler: Glue crawler over the lake.
        workgroup: Athena workgroup.
        endpoint: SageMaker endpoint.
        landing_table: DynamoDB table where posts from a stream land.
    """

    bucket: str
    kms_key: str
    database: str
    crawler: str
    workgroup: str
    endpoint: str
    landing_table: str

    @property
    def lake(self) -> str:
        """Root of the lake."""
        return f"s3://{self.bucket}/lake"

    def settings(self) -> dict[str, Any]:
        """Return the settings, by dotted name, that move a run from the embedded default to these services.

        The cloud lake is otherwise the same; only pauses between two looks at a query or a crawl are shorter than
        AWS would need.
        """
        return {
            "aws.region": REGION,
            "aws.kms_key": self.kms_key,
            "endpoint.name": self.endpoint,
            "endpoint.transform_path": f"s3://{self.bucket}/transform",
            "landing.table": self.landing_table,
            "coding.service": "comprehend",
            "comprehend.requests_per_second": NO_QUOTA,
            "comprehend.characters_per_second": NO_QUOTA,
            "lake.path": self.lake,
            "catalog.database": self.database,
            "catalog.crawler": self.crawler,
            "catalog.workgroup": self.workgroup,
            "catalog.poll_seconds": 0.1,
        }


def provision(inside: Inside, name: str) -> Provisioned:
    """Make bucket, key, table, database, crawler, workgroup, model and endpoint, their names beginning with `name`."""
    key = inside.client("kms").create_key(Description="adverse events")["KeyMetadata"]["Arn"]
    made = Provisioned(
        bucket=f"{name}-lake",
        kms_key=key,
        database=f"{name.replace('-', '_')}_lake",
        crawler=f"{name}-crawler",
        workgroup=f"{name}-queries",
        endpoint=f"{name}-classifier",
        landing_table=f"{name}_tweets",
    )
    inside.client("s3").create_bucket(Bucket=made.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    inside.client("glue").create_database(DatabaseInput={"Name": made.database})
    inside.client("glue").create_crawler(
        Name=made.crawler,
        Role=_role("crawler"),
        DatabaseName=made.database,
        Targets={"S3Targets": [{"Path": f"{made.lake}/{table}/"} for table in ("assessments", "rejects", "receipts")]},
    )
    inside.client("athena").create_work_group(
        Name=made.workgroup,
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{made.bucket}/queries/"}},
    )
    _endpoint(inside.client("sagemaker"), made.endpoint)
    inside.client("dynamodb").create_table(**table_definition(made.landing_table))
    return made


def _endpoint(sagemaker: Any, name: str) -> None:
    sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": "local/adverse-events:latest"}, ExecutionRoleArn=_role("model")
    )
    variant = {
        "VariantName": _VARIANT,
        "ModelName": name,
        "InstanceType": "ml.c5.xlarge",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"
