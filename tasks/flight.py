"""A flight check under a flow: what came back is published, and told to whoever waits for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.flight import FlightError
from tasks.station import announce, publish, station

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.flight import Finding, Flight
    from adverse_events.settings import Settings

logger = logging.getLogger("adverse_events.flight")

PASSED, FAILED = "adverse-events.flight-check.passed", "adverse-events.flight-check.failed"
"""Names of the Prefect events."""


@station("fly")
def send_probes(settings: Settings) -> Flight:
    """Send known posts through the live classifier and coder; fails where they cannot be relied on."""
    try:
        flight = assembly.checked_flight(settings)
    except FlightError as error:
        _tell(FAILED, error.flight, error.findings)
        raise
    logger.info("flight check passed: %s and %s", flight.model_version, flight.coder_version)
    _tell(PASSED, flight, ())
    return flight


def _tell(event: str, flight: Flight, findings: Sequence[Finding]) -> None:
    publish("flight-check", lambda: _summary(flight, findings), "What the live classifier and coder answered")
    facts = flight.model_dump(mode="json", exclude={"answers"})
    found = [finding._asdict() for finding in findings]
    announce(event, f"adverse-events.model.{flight.model_version}", {**facts, "findings": found})


def _summary(flight: Flight, findings: Sequence[Finding]) -> str:
    verdict = "\n".join(f"- **{finding.kind}**: {finding.detail}" for finding in findings) or "All as it should be."
    facts = flight.model_dump(mode="json", exclude={"answers"})
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in facts.items())
    return f"{verdict}\n\n| | |\n| --- | --- |\n{rows}\n"
