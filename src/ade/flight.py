"""`ade flight-check`: ask the live classifier and coder about posts whose answers are known."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ade import checkout, terminal
from ade.exits import DONE, FAILED
from ade.files import written
from adverse_events.errors import UsageError
from adverse_events.flight import FlightError, read_flight
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from adverse_events.flight import Finding, Flight


def flight_check(
    model_version: str | None, baseline: Path | None, record: Path | None, options: Mapping[str, Any], *, as_json: bool
) -> int:
    """Run the flow and print what came back; returns 0 where it passed, else 1.

    Args:
        model_version: Model that must answer.
        baseline: Recorded flight whose answers these must still be.
        record: Record this flight there, if it passes.
        options: Settings by dotted name.
        as_json: Print one JSON document.

    Raises:
        UsageError: No such baseline.
        ServiceError: A part does not answer.
    """
    asked = {
        "model_version": model_version,
        "baseline": str(baseline.resolve()) if baseline else None,
        "options": dict(options),
    }
    settings = load_settings(options, {"flight.baseline": baseline})
    if record and str(record) == "-":
        msg = "--record writes a file; --json prints the flight"
        raise UsageError(msg)
    if settings.flight.baseline:
        read_flight(settings.flight.baseline)
    checkout.enter("flight-check")
    flow_runs = importlib.import_module("ade.flow_runs")
    try:
        flight, _ = flow_runs.run_to_end("flight-check", asked)
    except FlightError as error:
        _show(error.flight, error.findings, as_json=as_json)
        return FAILED
    if record:
        with written(record) as file:
            file.write(flight.model_dump_json(indent=2) + "\n")
    _show(flight, (), as_json=as_json)
    if record and not as_json:
        terminal.show_line(f"recorded in {record.resolve()}")
    return DONE


def _show(flight: Flight, findings: tuple[Finding, ...], *, as_json: bool) -> None:
    if as_json:
        terminal.show_json(
            {
                "ok": not findings,
                "findings": [finding._asdict() for finding in findings],
                **flight.model_dump(mode="json"),
            }
        )
        return
    terminal.show_line(f"model {flight.model_version}, an ADE from {flight.ade_threshold:g} on")
    terminal.show_line(f"coder {flight.coder_version}, ICD-10-CM {flight.icd10cm_release}")
    terminal.show_line(
        f"{len(flight.answers)} probes; for one, median: {flight.classify_s:.3f} + {flight.code_s:.3f} s"
    )
    for finding in findings:
        terminal.show_line(f"{finding.kind}: {finding.detail}")
    terminal.show_line("failed" if findings else "all as it should be")
