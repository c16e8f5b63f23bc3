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
        state: Knows what the run and the month have cost so far.
    """

    def __init__(self, settings: XSettings, state: XState) -> None:
        """Take the caps as they are."""
        self._settings, self._state = settings, state

    def page_size(self, largest: int, smallest: int, operation: str) -> int:
        """Return how many posts the next request may ask for, at most `largest`.

        Raises:
            AllowanceError: Fewer than `smallest` are left; names the cap.
        """
        settings = self._settings
        left: dict[str, int] = {}
        if settings.max_posts_per_run:
            left["run"] = settings.max_posts_per_run - self._state.spent_in_run().posts
        if settings.max_posts_per_month:
            left["month"] = settings.max_posts_per_month - self._state.spent_in_month().posts
        period = min(left, key=lambda name: left[name], default=None)
        if period is None:
            return largest
        if left[period] < smallest:
            cap = settings.max_posts_per_run if period == "run" else settings.max_posts_per_month
            when = "now" if period == "run" else "next month"
            remedy = f"is reached; raise it, or run again {when} to go on: what was read is kept"
            if cap < smallest:
                remedy = f"is less than X's smallest page, {smallest} posts; raise it"
            raise AllowanceError(operation, f"x.max_posts_per_{period} ({cap:,}) {remedy}")
        return min(largest, left[period])
