"""The catalog, brought up to date after a run; it can fail alone, for the data it lists stand already."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from tasks.station import station

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.lake.receipt import Receipt
    from adverse_events.settings import Settings

logger = logging.getLogger("adverse_events.catalog")


@station("catalog")
def refresh_catalog(receipts: Iterable[Receipt], settings: Settings) -> int:
    """List what a run wrote in Glue and Athena; returns the new partitions. Nothing to do without a database."""
    catalog = assembly.catalog_for(settings)
    if catalog is None:
        return 0
    n_new = catalog.refresh(receipts, settings.window_minutes)
    logger.info("catalog %s is up to date", settings.catalog.database)
    return n_new
