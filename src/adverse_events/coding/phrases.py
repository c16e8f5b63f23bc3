"""Phrases of the lexicon's files as the words that are looked for."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Self

from adverse_events.coding.lexicon_files import Line, read_lines
from adverse_events.coding.reading import DRUG, NUMBER, canonical, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from adverse_events.coding.lexicon import Lexicon

_SLOT = re.compile(r"\{(\w+)\}")


class Phrases:
    """Turns what a file says into keys: words in one spelling, fillers left out, joined by one space.

    Args:
        variants: See `reading.Spelling`.
        fillers: Words that are not searched.
        slots: What each ``{slot}`` stands for.
    """

    def __init__(
        self, variants: Mapping[str, tuple[str, ...]], fillers: AbstractSet[str], slots: Mapping[str, list[str]]
    ) -> None:
        """Keep the look-ups."""
        self._variants, self._fillers, self._slots = variants, fillers, slots

    @classmethod
    def of(cls, lexicon: Lexicon, folder: Path) -> Self:
        """Return the phrases of the lexicon in `folder`, loaded as `lexicon`."""
        slots = {line["slot"]: line.listed("forms") for line in read_lines(folder, "slots.csv", ("slot", "forms"))}
        return cls(lexicon.spelling.variants, lexicon.words["FILLER"], slots)

    def keys(self, line: Line, written: str) -> Iterator[str]:
        """Yield the keys of one phrase, one per filling of its slots.

        Raises:
            ContractError: An unknown slot, or a phrase that is empty or begins or ends with a filler.
        """
        names = _SLOT.findall(written)
        unknown = [name for name in names if name not in self._slots]
        if unknown:
            line.refuse(f"slot {{{unknown[0]}}} is not in slots.csv")
        pieces = _SLOT.split(written)[::2]
        for fillings in itertools.product(*(self._slots[name] for name in names)):
            filled = "".join(itertools.chain.from_iterable(itertools.zip_longest(pieces, fillings, fillvalue="")))
            yield self._key(line, filled)

    def _key(self, line: Line, written: str) -> str:
        words = [word for item in written.replace("-", " ").split() for word in self._canonical(item)]
        if not words or words[0] in self._fillers or words[-1] in self._fillers:
            line.refuse(f"{written.strip()!r} is empty, or begins or ends with a filler word")
        return " ".join(word for word in words if word not in self._fillers)

    def _canonical(self, item: str) -> tuple[str, ...]:
        return (item,) if item in (DRUG, NUMBER) else canonical(plain(item), self._variants)
