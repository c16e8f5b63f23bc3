"""Saved queries: questions a team asks often, kept in the Athena workgroup beside the lake's tables."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from adverse_events.aws.errors import translated

if TYPE_CHECKING:
    from adverse_events.aws.session import Cloud
    from adverse_events.lake.catalog.settings import CatalogSettings


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One question: its name in the console, what it tells, its SQL over the tables by their names."""

    name: str
    description: str
    sql: str


def saved_queries() -> list[SavedQuery]:
    """Return the queries in ``sql/athena/saved``, by name; the first line of each file is its description."""
    folder = files("adverse_events.lake") / "sql" / "athena" / "saved"
    texts = {file.name.removesuffix(".sql"): file.read_text(encoding="utf-8") for file in folder.iterdir()}
    return [
        SavedQuery(name, head.removeprefix("-- "), sql)
        for name, (head, _, sql) in ((name, text.partition("\n")) for name, text in sorted(texts.items()))
    ]


def save(cloud: Cloud, settings: CatalogSettings) -> int:
    """Create the saved queries that the workgroup lacks for this database, and update those that differ.

    Queries of other names or databases are left alone.

    Returns:
        How many were created or updated.

    Raises:
        ServiceError: Athena did not do it.
    """
    client = cloud.client("athena")
    with translated("athena", f"ListNamedQueries in workgroup {settings.workgroup}"):
        pages = client.get_paginator("list_named_queries").paginate(WorkGroup=settings.workgroup)
        ids = [query_id for page in pages for query_id in page.get("NamedQueryIds", ())]
    kept: dict[str, dict[str, Any]] = {}
    for query_id in ids:
        with translated("athena", f"GetNamedQuery {query_id}"):
            query = client.get_named_query(NamedQueryId=query_id)["NamedQuery"]
        if query["Database"] == settings.database:
            kept[query["Name"]] = query
    return sum(_save(client, settings, query, kept.get(query.name)) for query in saved_queries())


def _save(client: Any, settings: CatalogSettings, query: SavedQuery, stands: dict[str, Any] | None) -> int:
    if stands and (stands["QueryString"], stands.get("Description")) == (query.sql, query.description):
        return 0
    content = {"Name": query.name, "Description": query.description, "QueryString": query.sql}
    if stands:
        with translated("athena", f"UpdateNamedQuery {query.name}"):
            client.update_named_query(NamedQueryId=stands["NamedQueryId"], **content)
    else:
        with translated("athena", f"CreateNamedQuery {query.name}"):
            client.create_named_query(Database=settings.database, WorkGroup=settings.workgroup, **content)
    return 1
