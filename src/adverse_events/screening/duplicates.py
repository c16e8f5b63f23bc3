"""Duplicates inside one window: the same id, the same words, nearly the same words.

The index holds 60 bytes a row, a hundred while it searches, and never a text; the few texts that must be compared
are read back from the window's staged file. What comes out depends on the rows alone: they arrive in the order of
`staging.TWEETS`, and no hash here depends on the process.
"""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from adverse_events.screening.minhash import N_BANDS, band_hashes
from adverse_events.screening.wording import shingles_of, similarity, turning_words, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

MIN_WORDS_NEAR = 5
"""Shorter posts are duplicates only when their words are the same: one word in four changes everything."""

_SHINGLES_CACHED = 256


class Fate(IntEnum):
    """What becomes of a row."""

    KEPT = 0
    DUPLICATE_ID = 1
    CONFLICTING_DUPLICATE_ID = 2
    EXACT_DUPLICATE = 3
    NEAR_DUPLICATE = 4


class Rows(Protocol):
    """Random access to the rows that were indexed, by position."""

    def value(self, column: str, position: int) -> str:
        """Return one text value."""


@dataclass(frozen=True)
class Duplicates:
    """What the index found.

    Attributes:
        fates: A `Fate` per row.
        stands_for: For each row, the kept row of its cluster: itself when kept; for the two fates about ids, the
            row kept under that id.
    """

    fates: npt.NDArray[np.uint8]
    stands_for: npt.NDArray[np.int32]

    def members(self) -> dict[int, list[int]]:
        """Return the exact and near duplicates of each kept row that has any, in row order."""
        clusters: dict[int, list[int]] = {}
        for position in np.flatnonzero(self.fates >= Fate.EXACT_DUPLICATE).tolist():
            clusters.setdefault(int(self.stands_for[position]), []).append(position)
        return clusters


class DuplicateIndex:
    """Collects what must be known of each row of a window, then finds the duplicates."""

    def __init__(self, *, near: bool, min_similarity: float) -> None:
        """Start empty.

        Args:
            near: Whether nearly equal wordings are duplicates too.
            min_similarity: Lowest Jaccard similarity of words and word pairs that is nearly equal, 0-1.
        """
        self._near, self._min_similarity = near, min_similarity
        self._ids, self._wordings = array("Q"), array("Q")
        self._is_long, self._bands = array("B"), array("I")

    def add(self, tweet_ids: Sequence[str], texts: Sequence[str], ingredients: Sequence[Sequence[str]]) -> None:
        """Add rows, in order.

        Args:
            tweet_ids: One per row.
            texts: One per row.
            ingredients: The ingredients each text names, in text order; near duplicates share them.
        """
        wordings = [words_of(text) for text in texts]
        self._ids.extend(map(_hash64, tweet_ids))
        # A post of emoji alone has no words; its own text then speaks for it.
        self._wordings.extend(_hash64(" ".join(w) or text) for w, text in zip(wordings, texts, strict=True))
        if self._near:
            is_long = [len(words) >= MIN_WORDS_NEAR for words in wordings]
            self._is_long.extend(is_long)
            guards = ["|".join((*named, "", *turning_words(w))) for named, w in zip(ingredients, wordings, strict=True)]
            bands = np.zeros((len(texts), N_BANDS), np.uint32)
            bands[is_long] = band_hashes(
                [w for w, keep in zip(wordings, is_long, strict=True) if keep],
                [g for g, keep in zip(guards, is_long, strict=True) if keep],
            )
            self._bands.frombytes(bands.tobytes())

    def find(self, rows: Rows) -> Duplicates:
        """Return the fate of every row added.

        Args:
            rows: The rows that were added, by position.
        """
        n_rows = len(self._ids)
        found = Duplicates(np.zeros(n_rows, np.uint8), np.arange(n_rows, dtype=np.int32))
        self._settle_ids(found, rows)
        self._settle_exact(found)
        if self._near and n_rows:
            self._settle_near(found, rows)
        return found

    def _settle_ids(self, found: Duplicates, rows: Rows) -> None:
        """Keep one row per id: the longest text, then the smallest payload hash."""
        for same in _groups(np.frombuffer(self._ids, np.uint64), np.arange(len(self._ids), dtype=np.int32)):
            best = min(same, key=lambda row: (-len(rows.value("text", row)), rows.value("payload_sha256", row), row))
            text = rows.value("text", best)
            kept = next(row for row in same if rows.value("text", row) == text)
            for row in same:
                if row != kept:
                    is_same = rows.value("text", row) == text
                    found.fates[row] = Fate.DUPLICATE_ID if is_same else Fate.CONFLICTING_DUPLICATE_ID
                    found.stands_for[row] = kept

    def _settle_exact(self, found: Duplicates) -> None:
        for same in _groups(np.frombuffer(self._wordings, np.uint64), _positions(found.fates == Fate.KEPT)):
            found.fates[same[1:]] = Fate.EXACT_DUPLICATE
            found.stands_for[same[1:]] = same[0]

    def _settle_near(self, found: Duplicates, rows: Rows) -> None:
        bands = np.frombuffer(self._bands, np.uint32).reshape(-1, N_BANDS)
        candidates = _positions((found.fates == Fate.KEPT) & np.frombuffer(self._is_long, np.bool_))
        parent = np.arange(len(found.fates), dtype=np.int32)

        @lru_cache(maxsize=_SHINGLES_CACHED)
        def shingles(row: int) -> frozenset[tuple[str, ...]]:
            return shingles_of(words_of(rows.value("text", row)))

        for band in range(N_BANDS):
            for same in _groups(bands[:, band], candidates):
                for previous, row in pairwise(same):
                    for other in {same[0], previous}:
                        one, two = _root(parent, other), _root(parent, row)
                        if one != two and similarity(shingles(other), shingles(row)) >= self._min_similarity:
                            parent[max(one, two)] = min(one, two)
        for row in np.flatnonzero(parent != np.arange(len(parent), dtype=np.int32)).tolist():
            found.fates[row], found.stands_for[row] = Fate.NEAR_DUPLICATE, _root(parent, row)
        exact = found.fates == Fate.EXACT_DUPLICATE  # whose kept row may by now stand for an earlier one
        found.stands_for[exact] = found.stands_for[found.stands_for[exact]]


def _groups(keys: npt.NDArray[np.unsignedinteger], among: npt.NDArray[np.signedinteger]) -> Iterator[list[int]]:
    """Yield the positions in `among` whose keys are equal, two or more together, each group in order."""
    chosen = keys[among]
    order = np.argsort(chosen, kind="stable")
    chosen = chosen[order]
    is_repeat = np.concatenate(([False], chosen[1:] == chosen[:-1], [False]))
    edges = np.flatnonzero(is_repeat[1:] != is_repeat[:-1])
    for begin, end in zip(edges[::2], edges[1::2] + 1, strict=True):
        yield among[order[begin:end]].tolist()


def _positions(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    return np.flatnonzero(mask).astype(np.int32)


def _root(parent: npt.NDArray[np.int32], row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = int(parent[row])
    return row


def _hash64(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
