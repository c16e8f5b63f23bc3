"""What has arrived and waits to be landed: a bounded line between the reader and the lander."""

from __future__ import annotations

from collections import deque
from threading import Condition
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Waiting(Generic[Item]):
    """A line of things, in order; safe to share between threads.

    Args:
        most: How many may wait.

    Attributes:
        n_in: Things that ever came in.
    """

    def __init__(self, most: int) -> None:
        """Start empty."""
        self._items: deque[Item] = deque()
        self._most, self._is_closed = most, False
        self.n_in = 0
        self._changed = Condition()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._items)

    def put(self, item: Item) -> bool:
        """Add `item`, after waiting for room; returns False, and adds nothing, once the line is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._items) < self._most)
            if not self._is_closed:
                self._items.append(item)
                self.n_in += 1
                self._changed.notify_all()
            return not self._is_closed

    def put_now(self, item: Item) -> bool:
        """Add `item` if there is room now; returns whether there was."""
        with self._changed:
            if self._is_closed or len(self._items) >= self._most:
                return False
            self._items.append(item)
            self.n_in += 1
            self._changed.notify_all()
            return True

    def take(self, most: int, seconds: float) -> list[Item]:
        """Return the next at most `most` things, waiting up to `seconds` after the first one for more.

        Returns:
            Empty only once the line is closed and nothing waits, or nothing came for `seconds`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_closed, seconds)
            deadline = monotonic() + seconds
            self._changed.wait_for(
                lambda: len(self._items) >= most or self._is_closed, max(0.0, deadline - monotonic())
            )
            taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Take no more; what waits can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """Whether the line is closed and nothing waits."""
        with self._changed:
            return self._is_closed and not self._items
