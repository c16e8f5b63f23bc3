"""Labelled texts made from the frames: balanced, distinct and the same for the same seed."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import NamedTuple

from adverse_events.errors import UsageError
from adverse_events.training.variants.filling import fill
from adverse_events.training.variants.frames import LABELS, Frame, material
from adverse_events.training.variants.voice import give_voice

_TRIES = 200
"""Draws for one text before the frames are taken to be used up."""


class Variant(NamedTuple):
    """A labelled text.

    Attributes:
        text: As `privacy.mask_text` would leave it.
        label: ADE or NOT_ADE.
        capability: What it trains, such as negation.
    """

    text: str
    label: str
    capability: str


def generate(n: int, seed: int) -> list[Variant]:
    """Return `n` distinct variants, in an order without meaning.

    Every pair of capability and label gets the same number of texts, within one; every frame of a pair as well.

    Args:
        n: How many, 0 or more.
        seed: The same seed gives the same texts.

    Raises:
        UsageError: `n` is negative, or more than the frames can give.
    """
    if n < 0:
        msg = f"{n} variants cannot be made; ask for 0 or more"
        raise UsageError(msg)
    rng = random.Random(seed)  # noqa: S311 - wordings, not secrets
    cells: dict[tuple[str, str], list[Frame]] = defaultdict(list)
    for frame in material().frames:
        cells[frame.capability, frame.label].append(frame)
    # Labels alternate, so that a number of texts that is no multiple of the cells is balanced too.
    order = [cell for pair in zip(*(_of(cells, label) for label in LABELS), strict=True) for cell in pair]
    decks: dict[tuple[str, str], list[Frame]] = {cell: [] for cell in order}
    seen: set[str] = set()
    variants = []
    for index in range(n):
        cell = order[index % len(order)]
        variants.append(Variant(_new_text(cells[cell], decks[cell], seen, rng), cell[1], cell[0]))
    rng.shuffle(variants)
    return variants


def _of(cells: dict[tuple[str, str], list[Frame]], label: str) -> list[tuple[str, str]]:
    return [cell for cell in cells if cell[1] == label]


def _new_text(frames: list[Frame], deck: list[Frame], seen: set[str], rng: random.Random) -> str:
    for _ in range(_TRIES):
        if not deck:
            deck.extend(rng.sample(frames, len(frames)))
        frame = deck.pop()
        text = give_voice(fill(frame.text, rng, may_be_neutral=frame.register != "report"), frame.register, rng)
        if text.casefold() not in seen:
            seen.add(text.casefold())
            return text
    msg = f"the frames give no more than {len(seen)} distinct texts; ask for fewer"
    raise UsageError(msg)
