"""Switches that let a server on this machine fail, the same way every time: for the services of AWS and of X alike."""

from __future__ import annotations

import random
from collections import Counter
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = TypeVar("Kind")


class Switches(Generic[Kind]):
    """Says which request fails, and how; safe to turn while requests are under way.

    Whether the nth request to something fails, and how, depends on the seed, its name and n alone.

    Args:
        seed: Of the dice.
        pause_s: Length of a slow answer, seconds.
    """

    def __init__(self, seed: int = 0, *, pause_s: float) -> None:
        """Start with every switch off."""
        self.seed, self.pause_s = seed, pause_s
        self.done: Counter[tuple[str, Kind]] = Counter()
        """Faults shown so far, by name and kind."""
        self._lock = Lock()
        self._rates: dict[str, Mapping[Kind, float]] = {}
        self._faulty: dict[str, tuple[int, float]] = {}
        self._n_asked: Counter[str] = Counter()

    def set(self, name: str, rates: Mapping[Kind, float], *, after: int = 0, lasting: float = inf) -> None:
        """Show faults of one service or route; what was set for it before is forgotten.

        Args:
            name: The service, such as ``s3``, or the route, such as ``search/recent``.
            rates: The share (0-1) of its requests that show each fault.
            after: Requests that are answered first.
            lasting: Requests from then on that may show one.

        Raises:
            ValueError: The rates are no shares.
        """
        if not all(0 <= rate <= 1 for rate in rates.values()) or sum(rates.values()) > 1:
            msg = f"the rates of {name}'s faults are shares of its requests, at most 1 together"
            raise ValueError(msg)
        with self._lock:
            self._rates[name] = dict(rates)
            first = self._n_asked[name] + after
            self._faulty[name] = (first, first + lasting)

    def clear(self) -> None:
        """Turn every switch off; what was counted stays."""
        with self._lock:
            self._faulty.clear()

    def next(self, name: str) -> Kind | None:
        """Draw the fault of the next request to `name`; None for none."""
        with self._lock:
            n_before = self._n_asked[name]
            self._n_asked[name] += 1
            fault = self._drawn(name, n_before)
            if fault is not None:
                self.done[name, fault] += 1
            return fault

    def _drawn(self, name: str, n_before: int) -> Kind | None:
        first, end = self._faulty.get(name, (0, 0))
        if not first <= n_before < end:
            return None
        drawn = random.Random(f"{self.seed} {name} {n_before}").random()  # noqa: S311 - dice, not a secret
        for fault, rate in self._rates[name].items():
            drawn -= rate
            if drawn < 0:
                return fault
        return None
