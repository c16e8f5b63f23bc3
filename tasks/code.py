"""Station 4: the conditions of each positive post, coded to ICD-10-CM."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.coding.code import code
from tasks.station import station

if TYPE_CHECKING:
    from adverse_events.settings import Settings
    from adverse_events.staging import Batch

logger = logging.getLogger("adverse_events.code")


@station("code")
def code_detections(batch: Batch, settings: Settings) -> Batch:
    """Code the positives of one batch. Retried because a cloud coder throttles by account."""
    coded = code(batch, assembly.coder_for(settings), settings.coding)
    logger.info("coded %d windows from %s", len(batch.windows), batch.windows[0])
    return coded
