"""Changes to a training text that leave its label true, made anew each time it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.training.variants import swap_drug

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from adverse_events.records import DrugMention

SHORTEST = 6
"""Words below which every word counts."""

KEPT = frozenset(
    "no not never none nothing without isn't wasn't don't didn't can't won't cannot nobody neither nor".split()  # noqa: SIM905
)
"""Words whose loss would turn the label round."""


@dataclass(frozen=True)
class Augmenter:
    """Renames drugs, so that what is said of a drug counts and not its name, and leaves out words.

    Attributes:
        find_drugs: Gives the drug mentions of a text, in order.
        rename: Share of texts whose drugs get other names, 0-1.
        shorten: Share of texts that lose words, 0-1.
        lost: Share of the words that such a text loses, 0-1.
    """

    find_drugs: Callable[[str], Sequence[DrugMention]]
    rename: float
    shorten: float
    lost: float

    def __call__(self, text: str, rng: random.Random) -> str:
        """Return `text`, changed or not as `rng` decides."""
        if rng.random() < self.rename:
            text = swap_drug(text, self.find_drugs, rng)
        if rng.random() < self.shorten:
            words = text.split(" ")
            if len(words) >= SHORTEST:
                text = " ".join(word for word in words if word.lower() in KEPT or rng.random() >= self.lost)
        return text
