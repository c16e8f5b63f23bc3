"""The flight check: posts whose answers are known, sent through the classifier and the coder that are live now.

Nothing is written. What an answer should be is told by the probes themselves (a class, an ICD-10-CM category) and,
where one was recorded, by the answers of an earlier flight.
"""

from adverse_events.flight.judging import Finding, FlightError, judge
from adverse_events.flight.probes import Probe, load_probes
from adverse_events.flight.record import Answer, Flight, read_flight
from adverse_events.flight.sending import fly
from adverse_events.flight.settings import FlightSettings

__all__ = [
    "Answer",
    "Finding",
    "Flight",
    "FlightError",
    "FlightSettings",
    "Probe",
    "fly",
    "judge",
    "load_probes",
    "read_flight",
]
