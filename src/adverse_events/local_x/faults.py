"""Switches that make the server fail as networks and X do: at a rate, by a seed, counted."""

from __future__ import annotations

from enum import StrEnum

from adverse_events.switches import Switches


class Fault(StrEnum):
    """What can go wrong with one request."""

    RATE_LIMIT = "rate_limit"
    """429 with the time its period ends; nothing is done."""
    NO_RESET = "no_reset"
    """429 that does not say when; nothing is done."""
    CAPPED = "capped"
    """429 of the monthly cap; nothing is done."""
    SERVER_ERROR = "server_error"
    """503; nothing is done."""
    SLOW = "slow"
    """Answered rightly, after a pause."""
    CUT = "cut"
    """The connection ends without an answer; nothing is done."""
    LOST = "lost"
    """The request is carried out, and the connection ends without its answer."""
    TRUNCATED = "truncated"
    """The request is carried out, and the connection ends half-way through its answer."""
    HALF_JSON = "half_json"
    """The request is carried out, and a proxy passes on half of its answer as if it were whole."""
    HTML = "html"
    """A proxy's page with status 200 instead of an answer; nothing is done."""
    PARTIAL = "partial"
    """Answered, with a partial error beside the data."""


PASSING = (
    Fault.RATE_LIMIT,
    Fault.SERVER_ERROR,
    Fault.CUT,
    Fault.LOST,
    Fault.TRUNCATED,
    Fault.HALF_JSON,
    Fault.HTML,
)
"""What a client that asks again gets over."""


class Faults(Switches[Fault]):
    """The switches, by route."""

    def __init__(self, seed: int = 0, *, pause_s: float = 0.05) -> None:
        """Start with every switch off."""
        super().__init__(seed, pause_s=pause_s)

    def everywhere(self, rate: float, routes: tuple[str, ...]) -> None:
        """Let `rate` (0-1) of the requests to each of `routes` fail, in every way that passes, evenly."""
        for route in routes:
            self.set(route, {kind: rate / len(PASSING) for kind in PASSING})
