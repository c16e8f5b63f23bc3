"""Checks of the catalog: the Glue database, its tables and crawler, and a query in Athena."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from adverse_events.aws.doctor.protocol import Check, Permission
from adverse_events.aws.errors import translated
from adverse_events.errors import PermanentServiceError
from adverse_events.lake.catalog.athena import Athena
from adverse_events.lake.catalog.glue import GlueCatalog
from adverse_events.lake.s3.store import bucket_and_prefix

if TYPE_CHECKING:
    from adverse_events.aws.session import Cloud
    from adverse_events.settings import Settings

DATABASE, WORKGROUP = "Glue database", "Athena workgroup"

_QUERY_READS = (
    "glue:GetDatabases",
    "glue:GetTable",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
)
"""What Athena asks of Glue in the name of who queries."""


def catalog_checks(settings: Settings, cloud: Cloud, account: str, needs: tuple[str, ...]) -> list[Check]:
    """Return the checks of Glue and Athena; none where no catalog is set."""
    catalog = settings.catalog
    if not (settings.lake.is_s3 and catalog.database):
        return []
    place = f"{cloud.region}:{account}"
    glue = f"arn:aws:glue:{place}"
    tables = f"{glue}:catalog, {glue}:database/{catalog.database} and {glue}:table/{catalog.database}/*"
    checks = [
        Check(
            DATABASE,
            f"GetDatabase {catalog.database}",
            partial(_database, catalog.database, cloud),
            "create the database, or correct catalog.database",
            (Permission("glue:GetDatabase", f"{glue}:catalog and {glue}:database/{catalog.database}"),),
            needs=needs,
        ),
        Check(
            "Glue tables",
            f"GetTables {catalog.database}",
            partial(_tables, settings, cloud),
            "drop the table that is another lake's, or set another catalog.database",
            (Permission("glue:GetTables", tables),),
            tuple(
                Permission(f"glue:{action}", tables)
                for action in ("CreateTable", "UpdateTable", "BatchCreatePartition")
            ),
            needs=(DATABASE,),
        ),
    ]
    if catalog.crawler:
        crawler = f"{glue}:crawler/{catalog.crawler}"
        checks.append(
            Check(
                "Glue crawler",
                f"GetCrawler {catalog.crawler}",
                partial(_crawler, catalog.crawler, cloud),
                "create the crawler, or correct catalog.crawler",
                (Permission("glue:GetCrawler", crawler),),
                (Permission("glue:StartCrawler", crawler),),
                needs=(DATABASE,),
            )
        )
    return [
        *checks,
        *_athena_checks(settings, cloud, f"arn:aws:athena:{place}:workgroup/{catalog.workgroup}", tables, needs),
    ]


def _athena_checks(
    settings: Settings, cloud: Cloud, workgroup: str, tables: str, needs: tuple[str, ...]
) -> list[Check]:
    catalog = settings.catalog
    place = _Place(settings, cloud)
    results = f"arn:aws:s3:::{place.bucket}/{place.prefix}*"
    query = ("StartQueryExecution", "GetQueryExecution", "GetQueryResults")
    saved = ("GetNamedQuery", "CreateNamedQuery", "UpdateNamedQuery")
    return [
        Check(
            WORKGROUP,
            f"GetWorkGroup {catalog.workgroup}",
            place.found,
            "create the workgroup with an output location, or set catalog.query_output",
            (Permission("athena:GetWorkGroup", workgroup),),
            needs=needs,
        ),
        Check(
            "Athena query",
            f"SELECT 1 in {catalog.workgroup}",
            partial(_select, settings, cloud),
            "see why the workgroup or its output location refuses",
            (
                *(Permission(f"athena:{action}", workgroup) for action in query),
                *(Permission(action, tables) for action in _QUERY_READS),
                *(
                    Permission(f"s3:{action}", f"arn:aws:s3:::{place.bucket}")
                    for action in ("GetBucketLocation", "ListBucket")
                ),
                *(Permission(f"s3:{action}Object", results) for action in ("Put", "Get", "Delete")),
            ),
            (
                Permission("athena:StopQueryExecution", workgroup),
                *(
                    Permission(f"s3:{action}", results)
                    for action in ("AbortMultipartUpload", "ListMultipartUploadParts")
                ),
            ),
            needs=(WORKGROUP, DATABASE),
        ),
        Check(
            "Athena saved queries",
            f"ListNamedQueries in {catalog.workgroup}",
            partial(_saved, catalog.workgroup, cloud),
            "",
            (Permission("athena:ListNamedQueries", workgroup),),
            tuple(Permission(f"athena:{action}", workgroup) for action in saved),
            needs=(WORKGROUP,),
        ),
    ]


class _Place:
    """Where results of queries go, as far as it can be told without asking; a star where the workgroup decides."""

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        self.settings, self.cloud = settings.catalog, cloud
        output = settings.catalog.query_output
        self.bucket, self.prefix = bucket_and_prefix(output) if output else ("the output location's bucket", "")

    def found(self) -> str:
        name = self.settings.workgroup
        with translated("athena", f"GetWorkGroup {name}"):
            group = self.cloud.client("athena").get_work_group(WorkGroup=name).get("WorkGroup")
        if not group:
            raise PermanentServiceError("athena", f"GetWorkGroup {name}", "there is no such workgroup")
        if group.get("State") == "DISABLED":
            raise PermanentServiceError("athena", f"GetWorkGroup {name}", "the workgroup is disabled; enable it")
        own = group.get("Configuration", {}).get("ResultConfiguration", {}).get("OutputLocation")
        output = self.settings.query_output or own
        if not output:
            raise PermanentServiceError("athena", f"GetWorkGroup {name}", "the workgroup has no output location")
        return f"results go to {output}"


def _database(name: str, cloud: Cloud) -> str:
    with translated("glue", f"GetDatabase {name}"):
        cloud.client("glue").get_database(Name=name)
    return "there"


def _tables(settings: Settings, cloud: Cloud) -> str:
    GlueCatalog(cloud, settings.catalog, settings.lake.path).check()
    return "those that are there are this lake's; a run creates what is missing"


def _crawler(name: str, cloud: Cloud) -> str:
    with translated("glue", f"GetCrawler {name}"):
        crawler = cloud.client("glue").get_crawler(Name=name)["Crawler"]
    last = crawler.get("LastCrawl", {}).get("Status", "none yet")
    return f"{crawler['State']}, last crawl {last}; starting it was not tried"


def _select(settings: Settings, cloud: Cloud) -> str:
    execution = Athena(cloud, settings.catalog)._finished("SELECT 1")  # noqa: SLF001 - its output is deleted below
    bucket, key = bucket_and_prefix(execution["ResultConfiguration"]["OutputLocation"])
    key = key.rstrip("/")
    client = cloud.client("s3")
    for name in (key, f"{key}.metadata"):
        with translated("s3", f"DeleteObject {bucket}/{name}"):
            client.delete_object(Bucket=bucket, Key=name)
    return "answered"


def _saved(workgroup: str, cloud: Cloud) -> str:
    with translated("athena", f"ListNamedQueries {workgroup}"):
        listed = cloud.client("athena").list_named_queries(WorkGroup=workgroup)
    return f"{len(listed['NamedQueryIds'])} saved"
