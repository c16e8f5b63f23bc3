"""The parts that are live, for a flight check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.assembly.account import remote_parts
from adverse_events.assembly.stations import classifier_for, coder_for, lexicon
from adverse_events.flight.judging import FlightError, judge
from adverse_events.flight.probes import load_probes
from adverse_events.flight.record import Flight, read_flight
from adverse_events.flight.sending import fly

if TYPE_CHECKING:
    from adverse_events.settings import Settings


def checked_flight(settings: Settings) -> Flight:
    """Send the bundled probes through the classifier and the coder of `settings`, and judge what comes back.

    Remote parts are asked anew, and never from a cache: what counts is who answers now.

    Raises:
        UsageError: No baseline where one is named.
        ServiceError: A remote part does not answer.
        ContractError: Its answers break the contract, or the baseline is no recorded flight.
        FlightError: The answers came, and are not to be relied on.
    """
    baseline = read_flight(settings.flight.baseline) if settings.flight.baseline else None
    remote_parts.cache_clear()
    asked = settings.model_copy(
        update={
            "comprehend": settings.comprehend.model_copy(update={"cache": None}),
            # A Batch Transform job for each probe would take hours; the endpoint serves the same model.
            "endpoint": settings.endpoint.model_copy(update={"mode": "realtime"}),
        }
    )
    probes = load_probes()
    classifier, coder = classifier_for(asked), coder_for(asked)
    flight = fly(probes, classifier, coder, lexicon(), settings.classifier, settings.coding)
    if findings := judge(flight, probes, settings.flight, baseline):
        raise FlightError(flight, tuple(findings))
    return flight
