"""Station 1: read the source once, masked, cut into batches of windows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.progress import advance
from adverse_events.source.spool import Spooled, spool
from tasks.station import station

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from adverse_events.provenance import Provenance
    from adverse_events.settings import Settings

logger = logging.getLogger("adverse_events.fetch")


@station("fetch")
def fetch_tweets(
    settings: Settings,
    start: datetime | None,
    end: datetime | None,
    folder: Path,
    unless_made_by: Provenance | None = None,
) -> Spooled:
    """Read the posts of a range. One pass over the source, however many windows it holds.

    Retried because X throttles; what was fetched before is kept, and not paid for again.
    """
    spooled = spool(
        assembly.source_for(settings, start, end, unless_made_by=unless_made_by, run=folder.name),
        folder=folder,
        window_minutes=settings.window_minutes,
        privacy=settings.privacy,
        key=assembly.identity_key_for(settings),
        start=start,
        end=end,
        rows_per_batch=settings.rows_per_batch,
        progress=advance,
    )
    logger.info("read %d rows, cut into %d batches", spooled.rows_read, len(spooled.batches))
    return spooled
