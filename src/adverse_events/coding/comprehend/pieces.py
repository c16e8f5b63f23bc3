"""Texts as requests: long ones cut to the service's limit, short ones packed together, offsets leading back.

What packing risks: the service reads the posts of a pack as one document. The separator ends a sentence and a
paragraph, but no reference says that the service looks no further, so one post's denial, family member or drug may
colour its neighbour's traits and scores; and a post's answer then depends on which posts stood beside it. What is lost
for certain is noticed: a condition that reaches over a border is not believed, and the posts it touches are asked
again, each alone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from adverse_events.records import Entity

SEPARATOR = ".\n\n"
"""Between the posts of a pack."""

UNIT_CHARACTERS = 100
"""Characters of one billed unit; every request is at least one unit.

Source:
    Amazon Comprehend Medical pricing page, read 2026-11.
"""

_SENTENCE_END = re.compile(r"[.!?\u2026]++[\"'\u2019\u201d)\]]*+\s++|\n++")
_SPACE = re.compile(r"\s++")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_SKIN_TONES = range(0x1F3FB, 0x1F400)


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text, or all of it.

    Attributes:
        text: The whole text's own words from `begin`.
        begin: Code points of the whole text before it.
    """

    text: str
    begin: int

    def moved_back(self, entities: Iterable[Entity]) -> tuple[Entity, ...]:
        """Return entities of the piece with offsets that count the whole text."""
        return tuple(
            replace(entity, begin=entity.begin + self.begin, end=entity.end + self.begin) for entity in entities
        )


def units(n_characters: int) -> int:
    """Return the units billed for one request."""
    return max(1, -(-n_characters // UNIT_CHARACTERS))


def cut(text: str, max_bytes: int) -> list[Piece]:
    """Return `text` in as few pieces of at most `max_bytes` (UTF-8) as a greedy cut makes; together they are the text.

    A piece ends with a sentence where its second half has a sentence's end, else with a word; only a word longer than
    that is cut inside, and then between letters as a reader sees them.
    """
    pieces: list[Piece] = []
    begin = 0
    while begin < len(text):
        limit = _reach(text, begin, max_bytes)
        end = limit if limit == len(text) else _border(text, begin, limit)
        pieces.append(Piece(text[begin:end], begin))
        begin = end
    return pieces


def packs(texts: Iterable[str], max_texts: int, max_bytes: int) -> Iterator[list[str]]:
    """Yield `texts` in order, as many in one pack as the limits allow; one that fits with no other comes alone."""
    pack: list[str] = []
    size = 0
    for text in texts:
        added = len(text.encode()) + len(SEPARATOR)
        if pack and (len(pack) == max_texts or size + added > max_bytes):
            yield pack
            pack, size = [], 0
        pack.append(text)
        size += added
    if pack:
        yield pack


def unpacked(entities: Iterable[Entity], pack: Sequence[str]) -> list[tuple[Entity, ...] | None]:
    """Return the entities of each text of a pack, offsets counting that text.

    None for a text that an entity reaches out of: the service took it and its neighbour for one.
    """
    begins = list(accumulate((len(text) + len(SEPARATOR) for text in pack), initial=0))
    found: list[list[Entity] | None] = [[] for _ in pack]
    for entity in entities:
        for index, (begin, following) in enumerate(pairwise(begins)):
            if entity.end <= begin or following <= entity.begin:
                continue
            mine = found[index]
            if begin <= entity.begin and entity.end <= begin + len(pack[index]):
                if mine is not None:
                    mine.append(replace(entity, begin=entity.begin - begin, end=entity.end - begin))
            elif entity.begin < begin + len(pack[index]):
                found[index] = None
    return [None if mine is None else tuple(mine) for mine in found]


def shares(total: int, sizes: Sequence[int]) -> list[int]:
    """Return `total` in whole parts proportional to `sizes`, rounded so that they add up to it."""
    whole = sum(sizes)
    marks = [total * reached // whole for reached in accumulate(sizes, initial=0)]
    return [after - before for before, after in pairwise(marks)]


def _reach(text: str, begin: int, max_bytes: int) -> int:
    """Return the last place up to which ``text[begin:]`` fits in `max_bytes`."""
    fitting = text[begin : begin + max_bytes].encode()[:max_bytes]
    return begin + len(fitting.decode(errors="ignore"))


def _border(text: str, begin: int, limit: int) -> int:
    half = begin + (limit - begin) // 2
    for border in (_SENTENCE_END, _SPACE):
        ends = [match.end() for match in border.finditer(text, half, limit)]
        if ends:
            return ends[-1]
    return next((end for end in range(limit, half, -1) if not _continues(text, end)), limit)


def _continues(text: str, at: int) -> bool:
    """Whether the code point at `at` belongs to the letter or sign before it."""
    follows = text[at]
    return (
        unicodedata.combining(follows) > 0
        or follows in _JOINERS
        or text[at - 1] == "\u200d"
        or ord(follows) in _SKIN_TONES
        or (_is_flag_half(follows) and _is_flag_half(text[at - 1]))
    )


def _is_flag_half(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"
