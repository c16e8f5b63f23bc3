"""What was asked of the services: requests by service and operation, and the quantities they are billed by."""

from __future__ import annotations

from collections import Counter
from threading import Lock


class Counts:
    """Counters that many request threads share."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._lock = Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._quantities: Counter[str] = Counter()

    def asked(self, service: str, operation: str) -> None:
        """Count one request, whatever came of it."""
        with self._lock:
            self._requests[service, operation] += 1

    def add(self, quantity: str, n: int) -> None:
        """Add `n` to a quantity, such as ``comprehendmedical characters``."""
        with self._lock:
            self._quantities[quantity] += n

    def requests(self, service: str, operation: str | None = None) -> int:
        """Return the requests to `service`, or those for one of its operations."""
        with self._lock:
            return sum(
                n for (asked, what), n in self._requests.items() if asked == service and operation in {None, what}
            )

    def by_operation(self) -> dict[str, int]:
        """Return the requests by ``service operation``, by name."""
        with self._lock:
            return {" ".join(call): n for call, n in sorted(self._requests.items())}

    def quantity(self, name: str) -> int:
        """Return a quantity so far."""
        with self._lock:
            return self._quantities[name]

    def reset(self) -> None:
        """Start again at nothing."""
        with self._lock:
            self._requests.clear()
            self._quantities.clear()
