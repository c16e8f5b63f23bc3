"""Switches that make the server fail as networks and X do: at a rate, by a seed, counted."""

from __future__ import annotations

import random
from collections import Counter
from enum import StrEnum
from math import inf
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


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


class Faults:
    """The switches; safe to turn while requests are under way.

    Whether the nth request of a route fails, and how, depends on the seed, the route and n alone.

    Args:
        seed: Of the dice.
        pause_s: Length of a slow answer, seconds.
    """

    def __init__(self, seed: int = 0, *, pause_s: float = 0.05) -> None:
        """Start with every switch off."""
        self.seed, self.pause_s = seed, pause_s
        self.done: Counter[tuple[str, Fault]] = Counter()
        """Faults shown so far, by route and kind."""
        self._lock = Lock()
        self._rates: dict[str, Mapping[Fault, float]] = {}
        self._faulty: dict[str, tuple[float, float]] = {}
        self._n_asked: Counter[str] = Counter()

    def set(self, route: str, rates: Mapping[Fault, float], *, after: int = 0, lasting: float = inf) -> None:
        """Show faults of one route; what was set for it before is forgotten.

        Args:
            route: Its name, such as ``search/recent``.
            rates: The share (0-1) of its requests that show each fault.
            after: Requests that are answered first.
            lasting: Requests from then on that may show one.

        Raises:
            ValueError: The rates are no shares.
        """
        if not all(0 <= rate <= 1 for rate in rates.values()) or sum(rates.values()) > 1:
            msg = f"the rates of {route}'s faults are shares of its requests, at most 1 together"
            raise ValueError(msg)
        with self._lock:
            self._rates[route] = dict(rates)
            first = self._n_asked[route] + after
            self._faulty[route] = (first, first + lasting)

    def everywhere(self, rate: float, routes: tuple[str, ...]) -> None:
        """Let `rate` (0-1) of the requests to each of `routes` fail, in every way that passes, evenly."""
        for route in routes:
            self.set(route, {kind: rate / len(PASSING) for kind in PASSING})

    def clear(self) -> None:
        """Turn every switch off; what was counted stays."""
        with self._lock:
            self._faulty.clear()

    def next(self, route: str) -> Fault | None:
        """Draw the fault of the next request to `route`; None for none."""
        with self._lock:
            n_before = self._n_asked[route]
            self._n_asked[route] += 1
            first, end = self._faulty.get(route, (0, 0))
            if not first <= n_before < end:
                return None
            drawn = random.Random(f"{self.seed} {route} {n_before}").random()  # noqa: S311 - dice, not a secret
            for fault, rate in self._rates[route].items():
                if drawn < rate:
                    self.done[route, fault] += 1
                    return fault
                drawn -= rate
            return None
