"""Chance that repeats: the same seed gives the same draws on every Python version and hash seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")


class Dice:
    """A seeded source of choices.

    Only ``Random.random`` is used, the one method whose sequence Python promises to keep.

    Source:
        https://docs.python.org/3/library/random.html, "Notes on Reproducibility", read 2026-11.
    """

    def __init__(self, seed: int) -> None:
        """Start the sequence of `seed`."""
        self._next = random.Random(seed).random  # noqa: S311 - invented posts, not secrets

    def below(self, n: int) -> int:
        """Return a whole number in ``[0, n)``."""
        return int(self._next() * n)

    def chance(self, probability: float) -> bool:
        """Return True with `probability`, 0-1."""
        return self._next() < probability

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`, each as likely."""
        return choices[self.below(len(choices))]

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        """Return `choices` in a new order."""
        cards = list(choices)
        for last in range(len(cards) - 1, 0, -1):
            other = self.below(last + 1)
            cards[last], cards[other] = cards[other], cards[last]
        return cards


def deal(dice: Dice, choices: Sequence[T]) -> Iterator[T]:
    """Yield `choices` for ever, each once before any comes again."""
    while True:
        yield from dice.shuffled(choices)
