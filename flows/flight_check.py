"""Ask the live classifier and coder about posts whose answers are known."""

from typing import Any

from prefect import flow

from adverse_events.flight import Flight
from adverse_events.settings import load_settings
from tasks.blocks import aws_sessions, resolve
from tasks.flight import send_probes


@flow(name="flight-check", persist_result=False)
def flight_check(
    model_version: str | None = None, baseline: str | None = None, options: dict[str, Any] | None = None
) -> Flight:
    """Send known posts through the classifier and the coder that are live now; writes nothing.

    Fails when answers, codes, latency or versions are not what they should be, and says everything that is not.

    Args:
        model_version: Model that must answer. Empty: any, or the flight.model_version setting.
        baseline: Flight recorded by ade flight-check --record: answers must still be these. Empty: flight.baseline.
        options: Further settings by dotted name.
    """
    asked = {"flight.model_version": model_version, "flight.baseline": baseline}
    settings = resolve(load_settings(options, asked))
    with aws_sessions():
        return send_probes(settings)
