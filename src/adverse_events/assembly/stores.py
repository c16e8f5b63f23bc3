"""Where results and posts are kept: the lake, its catalog, the landing store."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.assembly.account import remote_parts
from adverse_events.assembly.secrets import identity_key_for
from adverse_events.errors import UsageError
from adverse_events.lake.layout import MARKER_KEY
from adverse_events.lake.local import LocalLake
from adverse_events.lake.publishing import SuppressionFolder
from adverse_events.lake.query import LocalReader, no_lake_in
from adverse_events.landing.protocol import StoreFacts
from adverse_events.landing.sqlite import SqliteLanding
from adverse_events.source.x.state import FILE as STATE_FILE
from adverse_events.source.x.state import XState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.compliance.comply import Keeper
    from adverse_events.lake.catalog.glue import GlueCatalog
    from adverse_events.lake.protocol import Lake
    from adverse_events.lake.reader import LakeReader
    from adverse_events.lake.settings import LakeSettings
    from adverse_events.lake.suppression import Suppression
    from adverse_events.landing.protocol import LandingStore
    from adverse_events.settings import Settings


def lake_for(settings: Settings) -> Lake:
    """Open the lake, created when missing.

    Raises:
        UsageError: It was made with another window length, privacy mode or key.
        ContractError: Its marker is damaged, or its tables in the catalog have other columns.
        ServiceError: Its bucket or catalog cannot be reached.
    """
    _check_place(settings.lake)
    key = identity_key_for(settings)
    if not settings.lake.is_s3:
        return LocalLake.open(
            settings.lake.path,
            window_minutes=settings.window_minutes,
            privacy_mode=settings.privacy.mode,
            key_fingerprint=key.fingerprint,
            part_size=settings.lake.part_size,
            hash_of=key.tweet_hash,
        )
    return remote_parts(settings.aws).lake(settings, key)


def check_lake(settings: Settings) -> None:
    """Refuse a place that holds no lake: a deletion that looked in the wrong one would seem to be done.

    Raises:
        UsageError: There is no lake.
        ServiceError: The bucket cannot be read.
    """
    _check_place(settings.lake)
    if settings.lake.is_s3:
        is_there = remote_parts(settings.aws).has_lake(settings)
    else:
        is_there = (Path(settings.lake.path).expanduser() / MARKER_KEY).is_file()
    if not is_there:
        raise no_lake_in(settings.lake.path)


def reader_for(settings: Settings) -> LakeReader:
    """Return what reads the lake: DuckDB, and Athena for SQL over a lake in a bucket."""
    _check_place(settings.lake)
    if not settings.lake.is_s3:
        return LocalReader(settings.lake.path)
    return remote_parts(settings.aws).reader(settings)


def catalog_for(settings: Settings) -> GlueCatalog | None:
    """Return the catalog over the lake; None for a lake in a folder, or where no database is set."""
    return remote_parts(settings.aws).catalog(settings) if settings.lake.is_s3 and settings.catalog.database else None


def suppression_for(settings: Settings) -> Suppression:
    """Return the posts that may not be stored; none where there is no lake yet.

    Raises:
        ContractError: The list is damaged.
        ServiceError: The lake's bucket cannot be read.
    """
    _check_place(settings.lake)
    if not settings.lake.is_s3:
        return SuppressionFolder(Path(settings.lake.path).expanduser().absolute()).load()
    return remote_parts(settings.aws).suppression(settings)


def landing_store_for(settings: Settings) -> LandingStore:
    """Open the landing store: a file, made when missing, or a table that is there. Whoever opens it closes it.

    Raises:
        UsageError: It was made with another window length, privacy mode or key.
        ServiceError: The file or the table cannot be used.
    """
    facts = StoreFacts(settings.privacy.mode, identity_key_for(settings).fingerprint, settings.window_minutes)
    if settings.landing.table:
        return remote_parts(settings.aws).landing_store(settings.landing, facts)
    return SqliteLanding.open(settings.landing.path, facts)


@contextmanager
def keepers_there_are(settings: Settings) -> Iterator[list[Keeper]]:
    """Provide what keeps posts beside the lake, closed afterwards; what is not there is not made.

    Raises:
        UsageError: The landing store was made with another window length, privacy mode or key.
        ServiceError: A file or the table cannot be used.
    """
    with ExitStack() as opened:
        keepers: list[Keeper] = []
        if settings.landing.table or settings.landing.path.expanduser().is_file():
            keepers.append(opened.enter_context(closing(landing_store_for(settings))))
        if (settings.x.state_place / STATE_FILE).is_file():
            keepers.append(opened.enter_context(XState(settings.x.state_place)))
        yield keepers


def _check_place(lake: LakeSettings) -> None:
    if lake.needs_block:
        msg = f"lake.bucket_block {lake.bucket_block} is read by flows only; give lake.path s3://bucket/folder here"
        raise UsageError(msg)
