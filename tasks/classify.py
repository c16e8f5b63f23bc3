"""Station 3: the probability that a post reports an adverse drug event."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.classification.classify import classify
from adverse_events.staging import n_staged
from tasks.station import station

if TYPE_CHECKING:
    from adverse_events.settings import Settings
    from adverse_events.staging import Batch

logger = logging.getLogger("adverse_events.classify")


@station("classify")
def classify_tweets(batch: Batch, settings: Settings) -> Batch:
    """Classify one batch of windows. Retried because an endpoint throttles while it scales out."""
    classified = classify(batch, assembly.classifier_for(settings, n_staged(batch.rows)), settings.classifier)
    logger.info("classified %d windows from %s", len(batch.windows), batch.windows[0])
    return classified
