"""Where posts come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.assembly import live
from adverse_events.assembly.account import remote_parts
from adverse_events.assembly.secrets import identity_key_for, token_for
from adverse_events.assembly.stores import check_lake, lake_for, landing_store_for
from adverse_events.compliance.lists import ids_in, ids_listed
from adverse_events.errors import UsageError
from adverse_events.planning import due_windows
from adverse_events.source.archive import Archive
from adverse_events.source.drop import DropFolder
from adverse_events.source.dropped_files import LocalDrop
from adverse_events.source.files import find_files
from adverse_events.source.landing import LandingSource
from adverse_events.source.x.client import XClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from adverse_events.provenance import Provenance
    from adverse_events.settings import Settings
    from adverse_events.source.protocol import TweetSource
    from adverse_events.source.s3_drop import S3Drop


def source_for(
    settings: Settings,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    unless_made_by: Provenance | None = None,
    run: str | None = None,
) -> TweetSource:
    """Return the source of posts.

    Args:
        settings: Which one.
        start: First instant of the range; a source that is searched needs one.
        end: First instant after it.
        unless_made_by: Leave out windows that the lake holds already, made by this, where reading them costs money.
        run: Name of the run, the same when a station is tried again; for the cap on what one run may read.

    Raises:
        UsageError: A search without a range or a token, or for a drug that is not in the lexicon.
        ServiceError: The token's secret, the state file or the lake cannot be read.
    """
    source = settings.source
    if source.is_landing:
        return LandingSource(
            landing_store_for(settings),
            channel=source.channel,
            window_minutes=settings.window_minutes,
            retention_days=settings.landing.retention_days,
            start=start,
            end=end,
        )
    if source.is_x:
        windows = live.windows_of(settings, start, end)
        due = due_windows(lake_for(settings), windows, unless_made_by.recipe_sha256) if unless_made_by else None
        return live.search_for(settings, windows, identity_key_for(settings), token_for(settings), due, run=run)
    if source.kind == "drop":
        return DropFolder(_dropped(settings), source, settings.drop)
    return Archive(source, remote_parts(settings.aws).files(settings) if source.is_s3 else None)


def check_source(settings: Settings, start: datetime | None = None, end: datetime | None = None) -> None:
    """Look whether there is anything to read, without reading it; arguments as for `source_for`.

    Raises:
        UsageError: No source, nothing at that path, nothing that can be read, or a search that cannot be made.
        ServiceError: The bucket refused.
    """
    source = settings.source
    if not source.path:
        msg = "no source of posts; give --source FILE, a folder or a glob, or set source.path (`ade settings`)"
        raise UsageError(msg)
    if source.is_landing:
        if not settings.landing.table and not settings.landing.path.exists():
            msg = f"there is no landing store {settings.landing.path}; `ade listen` makes one, or correct landing.path"
            raise UsageError(msg)
        landing_store_for(settings).close()
    elif source.is_x:
        live.windows_of(settings, start, end)
        live.queries_for(settings)
        live.check_token(settings.x)
    elif source.kind == "drop":
        _dropped(settings).check()
    elif source.is_s3:
        remote_parts(settings.aws).files(settings).find()
    else:
        find_files(source.path, source.file_format)


def held_ids(settings: Settings, file: str | None) -> Iterator[str]:
    """Return the ids that X is asked about: of a file, else of a case-mode lake, else of the archive.

    A signal-mode lake has only hashes, which X cannot read.

    Raises:
        UsageError: None of them is there.
    """
    if file:
        return ids_listed(Path(file))
    if settings.privacy.mode == "case":
        check_lake(settings)
        return lake_for(settings).stored_ids()
    if not settings.source.path or settings.source.is_x:
        msg = (
            "a lake of signal mode holds no ids that X could read: give a file of the ids you hold (--held), or the "
            "archive the lake was made from (source.path)"
        )
        raise UsageError(msg)
    return ids_in(source_for(settings))


def x_client_for(settings: Settings) -> XClient:
    """Return a client of X API v2; errors as for `token_for`."""
    return XClient(settings.x, token_for(settings))


def _dropped(settings: Settings) -> S3Drop | LocalDrop:
    if not settings.source.path:
        msg = "no drop folder; give --source FOLDER, or set source.path"
        raise UsageError(msg)
    if settings.source.is_s3:
        return remote_parts(settings.aws).drop(settings)
    return LocalDrop(settings.source.path, settings.drop.settle_seconds)
