"""How many posts may still be read: by a run, and in this month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.source.x.errors import AllowanceError

if TYPE_CHECKING:
    from adverse_events.source.x.settings import XSettings
    from adverse_events.source.x.state import XState


class Allowance:
    """What the spend caps leave of a run.

    Args:
        settings: The caps.
        state: Knows what the month has cost so far.
    """

    def __init__(self, settings: XSettings, state: XState) -> None:
        """Begin a run."""
        self._settings, self._state, self._n_read = settings, state, 0

    @property
    def n_read(self) -> int:
        """Posts this run has read."""
        return self._n_read

    def page_size(self, largest: int, smallest: int, operation: str) -> int:
        """Return how many posts the next request may ask for, at most `largest`.

        Raises:
            AllowanceError: Fewer than `smallest` are left; names the cap.
        """
        settings = self._settings
        left = {}
        if settings.max_posts_per_run:
            left["run"] = settings.max_posts_per_run - self._n_read
        if settings.max_posts_per_month:
            left["month"] = settings.max_posts_per_month - self._state.spent().posts
        period = min(left, key=lambda name: left[name], default=None)
        if period is None:
            return largest
        if left[period] < smallest:
            cap = getattr(settings, f"max_posts_per_{period}")
            detail = (
                f"x.max_posts_per_{period} ({cap:,}) is reached; raise it or run again "
                f"{'now' if period == 'run' else 'next month'} to go on: what was read is kept"
            )
            raise AllowanceError(operation, detail)
        return min(largest, left[period])

    def take(self, n_posts: int) -> None:
        """Count posts read; the state counts them for the month."""
        self._n_read += n_posts
