"""Station 2: keep the posts worth assessing; every other one is counted with its reason."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.screening.screen import screen
from tasks.station import station

if TYPE_CHECKING:
    from adverse_events.screening.screen import ScreeningSettings
    from adverse_events.staging import Batch

logger = logging.getLogger("adverse_events.screen")


@station("screen")
def screen_tweets(batch: Batch, settings: ScreeningSettings) -> Batch:
    """Screen one batch of windows."""
    screened = screen(batch, settings, assembly.lexicon())
    logger.info("screened %d windows from %s", len(batch.windows), batch.windows[0])
    return screened
