"""How long to wait before connecting again: what X prescribes, by what went wrong.

Source:
    "Handling disconnections" (back-off strategies), X API v2 documentation, read 2026-11.
"""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """What ended a connection, or kept it from coming about."""

    NETWORK = "network"
    """TCP/IP: waits grow by 250 milliseconds up to 16 seconds."""
    HTTP = "http"
    """An HTTP error that may pass: from 5 seconds, doubled, up to 320."""
    RATE_LIMIT = "rate_limit"
    """HTTP 429: from a minute, doubled, up to 16."""


FIRST_SECONDS = {Trouble.NETWORK: 0.25, Trouble.HTTP: 5.0, Trouble.RATE_LIMIT: 60.0}
LONGEST_SECONDS = {Trouble.NETWORK: 16.0, Trouble.HTTP: 320.0, Trouble.RATE_LIMIT: 960.0}
"""X sets no bound to the third; a period of its rate limits is 15 minutes."""


class Backoff:
    """Counts failures in a row and says how long to wait.

    Args:
        scale: Multiplies every pause.
    """

    def __init__(self, scale: float = 1.0) -> None:
        """Start as after a success."""
        self._scale = scale
        self._trouble: Trouble | None = None
        self._n_in_a_row = 0

    def pause(self, trouble: Trouble) -> float:
        """Return the seconds to wait after one more `trouble`; another kind than the last starts anew."""
        if trouble is not self._trouble:
            self._trouble, self._n_in_a_row = trouble, 0
        self._n_in_a_row += 1
        first, longest = FIRST_SECONDS[trouble], LONGEST_SECONDS[trouble]
        if trouble is Trouble.NETWORK:
            return min(first * self._n_in_a_row, longest) * self._scale
        return min(first * 2.0 ** (self._n_in_a_row - 1), longest) * self._scale

    def succeeded(self) -> None:
        """Forget the failures: posts or heartbeats came."""
        self._trouble, self._n_in_a_row = None, 0
