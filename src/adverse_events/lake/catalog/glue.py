"""The catalog over a lake on S3: tables and partitions in Glue, views and saved queries in Athena, the crawler."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adverse_events.aws.errors import translated
from adverse_events.errors import ContractError, PermanentServiceError
from adverse_events.lake.catalog import queries as catalog_queries
from adverse_events.lake.catalog.athena import Athena
from adverse_events.lake.catalog.crawler import Crawl, Crawler
from adverse_events.lake.catalog.partitions import partitions_of, register
from adverse_events.lake.catalog.tables import differences, projection, table_input, updated
from adverse_events.lake.views import VIEWS, view_sql
from adverse_events.tables import ASSESSMENTS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adverse_events.aws.session import Cloud
    from adverse_events.lake.catalog.settings import CatalogSettings
    from adverse_events.lake.receipt import Receipt

logger = logging.getLogger("adverse_events.catalog")

_VIEWS_PARAMETER = "views_sha256"
_TABLE_INPUT = ("Name", "Description", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")


class GlueCatalog:
    """The tables of one lake in one Glue database; whoever holds the object decides when they are brought up to date.

    Every method may be called again, and from two runs at once: what stands already is left alone. Glue is asked
    directly rather than through awswrangler, which can update a table only by adding to it or by dropping its
    partitions.

    Args:
        cloud: The account.
        settings: The database, which must exist, and what belongs to it.
        lake_url: Root of the lake, ``s3://bucket/folder``.
    """

    def __init__(self, cloud: Cloud, settings: CatalogSettings, lake_url: str) -> None:
        """Take the settings; nothing is asked yet."""
        self._cloud, self._settings, self._lake_url = cloud, settings, lake_url
        self._glue = cloud.client("glue")

    def check(self) -> None:
        """Make sure that the database can hold this lake, before a run reads a post.

        Raises:
            ContractError: A table or view of ours stands there with other columns, another place or another kind.
            PermanentServiceError: There is no such database, or it may not be read.
            TransientServiceError: Glue did not answer.
        """
        stands = self._standing()
        for table in TABLES:
            if table.name in stands:
                self._check_table(stands[table.name], table_input(table, self._lake_url, {}))
        for view in VIEWS:
            kind = stands.get(view.name, {}).get("TableType", "VIRTUAL_VIEW")
            if kind != "VIRTUAL_VIEW":
                raise self._other(view.name, f"it is a table ({kind}) where this lake has a view")

    def refresh(self, receipts: Iterable[Receipt], window_minutes: int) -> int:
        """Bring everything up to date after a run: tables, partitions, views where they changed, and last the crawl.

        The crawl is last because it is what takes long and fails: without it, what this run wrote can be queried.

        Args:
            receipts: What the run wrote.
            window_minutes: Length of the lake's windows.

        Returns:
            How many partitions were new.

        Raises:
            ContractError: As `check`.
            UsageError: As `ensure_views`.
            ServiceError: Glue or Athena did not do it. The data stand.
        """
        self.ensure_tables(window_minutes)
        n_new = self.register(receipts)
        if not self._has_views():
            self.ensure_views()
        self.crawl()
        return n_new

    def ensure_tables(self, window_minutes: int) -> int:
        """Create the tables that are missing and update those that older code made.

        Args:
            window_minutes: Length of the lake's windows, for partition projection.

        Returns:
            How many tables were created or changed.

        Raises:
            ContractError: As `check`.
            ServiceError: Glue did not do it.
        """
        settings, stands = self._settings, self._standing()
        computed = projection(settings.projection_start, window_minutes) if settings.partition_projection else {}
        inputs = [table_input(table, self._lake_url, computed) for table in TABLES]
        return sum(self._ensure_table(stands.get(wanted["Name"]), wanted) for wanted in inputs)

    def register(self, receipts: Iterable[Receipt]) -> int:
        """Add the partitions that the objects of `receipts` lie in; nothing to do where they are projected.

        Returns:
            How many partitions were new.

        Raises:
            ServiceError: Glue did not do it; those added so far stand.
        """
        if self._settings.partition_projection:
            return 0
        inputs = {table.name: table_input(table, self._lake_url, {}) for table in TABLES}
        partitions = partitions_of(receipts)

        def add(name: str) -> int:
            return register(self._glue, self._settings.database or "", inputs[name], partitions[name])

        with ThreadPoolExecutor(len(TABLES)) as pool:
            n_new = sum(pool.map(add, partitions))
        logger.info("%d of %d partitions registered", n_new, sum(map(len, partitions.values())))
        return n_new

    def ensure_views(self) -> None:
        """Create or replace the views in Athena, and bring the saved queries of the workgroup up to date.

        Raises:
            UsageError: Athena refuses a view, or the workgroup has no place for results.
            ServiceError: Athena did not do it, or the tables are not there yet.
        """
        athena, database = Athena(self._cloud, self._settings), self._settings.database
        for view in VIEWS:
            athena.execute(f'CREATE OR REPLACE VIEW "{database}"."{view.name}" AS\n{view_sql(view, "athena")}')
        catalog_queries.save(self._cloud, self._settings)
        self._note_views()

    def crawl(self) -> Crawl | None:
        """Run the crawler of the settings to its end; None where none is set.

        Raises:
            ServiceError: See `Crawler.run`.
        """
        settings = self._settings
        if not settings.crawler:
            return None
        crawler = Crawler(
            self._glue,
            settings.crawler,
            timeout_minutes=settings.crawl_timeout_minutes,
            poll_seconds=settings.poll_seconds,
        )
        return crawler.run()

    def _standing(self) -> dict[str, dict[str, Any]]:
        """Return those of our tables and views that stand in the database, by name."""
        names = {table.name for table in (*TABLES, *VIEWS)}
        with translated("glue", f"GetTables of database {self._settings.database}"):
            try:
                pages = self._glue.get_paginator("get_tables").paginate(
                    DatabaseName=self._settings.database, Expression="|".join(sorted(names))
                )
                return {table["Name"]: table for page in pages for table in page["TableList"] if table["Name"] in names}
            except ClientError as error:
                if error.response["Error"]["Code"] == "EntityNotFoundException":
                    detail = (
                        f"there is no database {self._settings.database} in this account and region; create it with "
                        "the infrastructure template, or correct or unset catalog.database"
                    )
                    raise PermanentServiceError("glue", "GetTables", detail) from error
                raise

    def _has_views(self) -> bool:
        """Whether the views stand as this code would make them: a run an hour need not make them each time."""
        stands = self._standing()
        made_from = stands.get(ASSESSMENTS.name, {}).get("Parameters", {}).get(_VIEWS_PARAMETER)
        return made_from == _views_sha256() and all(view.name in stands for view in VIEWS)

    def _note_views(self) -> None:
        """Keep on the table of assessments what its views were made from: Athena rewrites the SQL of a view."""
        database, name = self._settings.database, ASSESSMENTS.name
        with translated("glue", f"UpdateTable {database}.{name}"):
            table = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
            kept = {key: table[key] for key in _TABLE_INPUT if key in table}
            kept["Parameters"] = {**table.get("Parameters", {}), _VIEWS_PARAMETER: _views_sha256()}
            self._glue.update_table(DatabaseName=database, TableInput=kept)

    def _check_table(self, stands: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        found = differences(stands, wanted)
        if found:
            raise self._other(wanted["Name"], "; ".join(found))

    def _other(self, name: str, detail: str) -> ContractError:
        return ContractError(
            f"catalog table {self._settings.database}.{name}",
            f"{detail}. Correct lake.path, now {self._lake_url}, if it is not the lake you mean; else set another "
            "catalog.database, or drop that entry in Glue (no data are lost) and run again",
        )

    def _ensure_table(self, stands: dict[str, Any] | None, wanted: dict[str, Any]) -> int:
        name, database = wanted["Name"], self._settings.database
        if stands is None:
            with translated("glue", f"CreateTable {database}.{name}"):
                try:
                    self._glue.create_table(DatabaseName=database, TableInput=wanted)
                except ClientError as error:
                    # Another run was faster, with the same table.
                    if error.response["Error"]["Code"] != "AlreadyExistsException":
                        raise
            logger.info("table %s.%s created", database, name)
            return 1
        self._check_table(stands, wanted)
        changed = updated(stands, wanted)
        if changed is None:
            return 0
        with translated("glue", f"UpdateTable {database}.{name}"):
            try:
                self._glue.update_table(DatabaseName=database, TableInput=changed)
            except ClientError as error:
                # Another run is making the same change.
                if error.response["Error"]["Code"] != "ConcurrentModificationException":
                    raise
        logger.info("table %s.%s updated", database, name)
        return 1


def _views_sha256() -> str:
    """Return the hash of the SQL of the views and the saved queries."""
    texts = [view_sql(view, "athena") for view in VIEWS] + [query.sql for query in catalog_queries.saved_queries()]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
