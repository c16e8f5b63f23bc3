"""What a listener did so far, for people and for tests."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import Any

_DIGITS = 2


class Account:
    """Counts and delays; safe to share between threads."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._counts: Counter[str] = Counter()
        self._delays: dict[str, Counter[int]] = {}
        self._lock = Lock()

    def add(self, name: str, n: int = 1) -> None:
        """Add `n` to a count."""
        with self._lock:
            self._counts[name] += n

    def delayed(self, name: str, milliseconds: float, n: int = 1) -> None:
        """Note that `n` posts took so long to be `name`."""
        # Two significant digits: a day's worth of delays takes a few hundred numbers.
        whole = max(0, round(milliseconds))
        step = 10 ** max(0, len(str(whole)) - _DIGITS)
        with self._lock:
            self._delays.setdefault(name, Counter())[whole // step * step] += n

    def __getitem__(self, name: str) -> int:
        """Return a count."""
        with self._lock:
            return self._counts[name]

    def quantile(self, name: str, share: float) -> int | None:
        """Return the delay, milliseconds, within which `share` (0-1) of the posts were `name`; None before any was."""
        with self._lock:
            delays = sorted(self._delays.get(name, Counter()).items())
        left = share * sum(n for _, n in delays)
        for milliseconds, n in delays:
            left -= n
            if left <= 0:
                return milliseconds
        return delays[-1][0] if delays else None

    def to_json(self) -> dict[str, Any]:
        """Return counts and delays as plain JSON values."""
        with self._lock:
            counts, names = dict(sorted(self._counts.items())), sorted(self._delays)
        delays = {
            f"{name}_ms": {
                label: self.quantile(name, share) for label, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
            }
            for name in names
        }
        return {**counts, **delays}
