"""Station 3: the probability that a post reports an adverse drug event."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.classification.classify import classify
from tasks.station import station

if TYPE_CHECKING:
    from adverse_events.classification.classify import ClassifierSettings
    from adverse_events.staging import Batch

logger = logging.getLogger("adverse_events.classify")


@station("classify")
def classify_tweets(batch: Batch, settings: ClassifierSettings) -> Batch:
    """Classify one batch of windows. Retried because an endpoint throttles while it scales out."""
    classified = classify(batch, assembly.classifier_for(settings), settings)
    logger.info("classified %d windows from %s", len(batch.windows), batch.windows[0])
    return classified
