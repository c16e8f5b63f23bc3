"""Station 5: each window whole into the lake, its receipt last."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from tasks.station import station

if TYPE_CHECKING:
    from adverse_events.lake.receipt import Receipt
    from adverse_events.provenance import Provenance
    from adverse_events.settings import Settings
    from adverse_events.source.spool import Spooled
    from adverse_events.staging import Batch

logger = logging.getLogger("adverse_events.write")


@station("write")
def write_windows(batch: Batch, settings: Settings, provenance: Provenance) -> list[Receipt]:
    """Replace the windows of one batch, each whole or not at all."""
    receipts = assembly.lake_for(settings).write(batch, provenance)
    logger.info("wrote %d windows from %s", len(receipts), batch.windows[0])
    return receipts


@station("write undated")
def write_undated(spooled: Spooled, settings: Settings, provenance: Provenance) -> list[Receipt]:
    """Keep the inputs whose time could not be read, by source file."""
    return assembly.lake_for(settings).write_undated(spooled.undated, provenance, spooled.origins)
