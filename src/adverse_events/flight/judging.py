"""Whether a flight may pass, and everything that speaks against it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from adverse_events.errors import AdverseEventsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adverse_events.flight.probes import Probe
    from adverse_events.flight.record import Flight
    from adverse_events.flight.settings import FlightSettings

Kind = Literal["answers", "codes", "latency", "version", "drift"]

_NAMED = 5
VERSIONS = ("model_version", "ade_threshold", "coder_version", "icd10cm_release", "lexicon_version")


class Finding(NamedTuple):
    """One thing that speaks against a flight.

    Attributes:
        kind: What it is about: answers of the classifier, codes, latency, a version, or drift from the baseline.
        detail: What was found, what was wanted, and where.
    """

    kind: Kind
    detail: str


class FlightError(AdverseEventsError):
    """A flight that may not pass: the live parts answer, but not as they should."""

    def __init__(self, flight: Flight, findings: tuple[Finding, ...]) -> None:
        """Hold what came back and what speaks against it."""
        super().__init__(flight, findings)
        self.flight, self.findings = flight, findings

    def __str__(self) -> str:
        found = "; ".join(f"{finding.kind}: {finding.detail}" for finding in self.findings)
        return f"flight check of {self.flight.model_version} and {self.flight.coder_version}: {found}"


def judge(
    flight: Flight, probes: Sequence[Probe], settings: FlightSettings, baseline: Flight | None = None
) -> list[Finding]:
    """Return everything that speaks against `flight`; nothing when it passes.

    Args:
        flight: What came back.
        probes: What was sent.
        settings: What is let pass.
        baseline: An earlier flight, whose answers these must still be.
    """
    return [
        *_answers(flight, probes, settings),
        *_latency(flight, settings),
        *_version(flight, settings),
        *(_drift(flight, baseline, settings) if baseline else ()),
    ]


def _answers(flight: Flight, probes: Sequence[Probe], settings: FlightSettings) -> Iterator[Finding]:
    wrong = [probe.name for probe in probes if flight.answers[probe.name].is_ade != probe.is_ade]
    if short := _short(len(probes), wrong, settings.least_right):
        yield Finding("answers", f"classified {short}")
    coded = [probe for probe in probes if probe.icd10cm_category]
    wrong = [
        probe.name
        for probe in coded
        if not any(code.startswith(probe.icd10cm_category) for code in flight.answers[probe.name].icd10cm_codes)
    ]
    if short := _short(len(coded), wrong, settings.least_right):
        yield Finding("codes", f"coded {short}")


def _short(n: int, wrong: Sequence[str], least: float) -> str:
    """Say how far short of `least` it is; nothing where it is not."""
    wanted = math.ceil(n * least - 1e-9)
    if n - len(wrong) >= wanted:
        return ""
    return f"{n - len(wrong)} of {n} probes right, {wanted} are wanted; wrong: {_some(wrong)}"


def _latency(flight: Flight, settings: FlightSettings) -> Iterator[Finding]:
    for who, took, longest in (
        ("the classifier", flight.classify_s, settings.longest_classify_s),
        ("the coder", flight.code_s, settings.longest_code_s),
    ):
        if took > longest:
            yield Finding("latency", f"{who} took {took:.2f} s for a post (median), {longest:g} s are allowed")


def _version(flight: Flight, settings: FlightSettings) -> Iterator[Finding]:
    if settings.model_version and flight.model_version != settings.model_version:
        yield Finding("version", f"{flight.model_version} answered, not {settings.model_version}")


def _drift(flight: Flight, baseline: Flight, settings: FlightSettings) -> Iterator[Finding]:
    for name in VERSIONS:
        before, now = getattr(baseline, name), getattr(flight, name)
        if before != now:
            yield Finding("version", f"{name} is {now}, in the baseline {before}")
    if absent := sorted(baseline.answers.keys() ^ flight.answers.keys()):
        yield Finding("drift", f"other probes than the baseline's ({_some(absent)}); record it anew")
    both = [name for name in flight.answers if name in baseline.answers]
    changes = {
        name: _change(flight.answers[name].ade_probability, baseline.answers[name].ade_probability) for name in both
    }
    if moved := {name: change for name, change in changes.items() if change > settings.tolerance}:
        most = max(moved, key=moved.__getitem__)
        detail = f"{len(moved)} of {len(both)} probabilities moved by more than {settings.tolerance:g}"
        yield Finding("drift", f"{detail}, most that of {most}: by {moved[most]:.3f}")
    recoded = [name for name in both if flight.answers[name].icd10cm_codes != baseline.answers[name].icd10cm_codes]
    if recoded:
        yield Finding("drift", f"other codes than in the baseline: {_some(recoded)}")


def _change(now: float | None, before: float | None) -> float:
    """Return by how much a probability moved; one that is missing has moved all the way."""
    if now is None or before is None:
        return 0.0 if now is before else 1.0
    return abs(now - before)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
