"""Texts that are nearly the same: found by MinHash, decided by the exact share of words they have in common.

Likeness is the Jaccard index of the two texts' word pairs. MinHash with locality-sensitive hashing (Broder 1997; the
datasketch library) proposes pairs; each is then measured exactly, so a proposal is never taken on trust.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from datasketch import MinHash, MinHashLSH

from adverse_events.corpus.keys import normalised
from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

NEAR: Final = 0.8
"""Likeness at which two texts are near duplicates: one or two words differ in a tweet."""

_PERMUTATIONS: Final = 64
_PROPOSED_AT: Final = 0.75
"""Share of `NEAR` at which pairs are proposed: MinHash errs by about 1/8 with 64 permutations."""
_NAMED: Final = 5


@dataclass(frozen=True)
class Placed:
    """Texts and where each stands.

    Attributes:
        texts: Any texts.
        places: ``file:row`` of each, same order.
    """

    texts: Sequence[str]
    places: Sequence[str]

    @classmethod
    def of(cls, frame: pd.DataFrame, name: str) -> Placed:
        """Take the texts and rows of a frame of `reading.read_labelled`."""
        return cls(frame["text"].tolist(), [f"{name}:{row}" for row in frame["row"]])


class NearDuplicates:
    """An index of texts that finds those nearly the same as another.

    Args:
        texts: What is searched.
        threshold: Likeness, above 0 and at most 1; 1 finds only equal sets of word pairs.
    """

    def __init__(self, texts: Sequence[str], *, threshold: float = NEAR) -> None:
        """Hash every text."""
        self._threshold = threshold
        self._pairs = [_word_pairs(text) for text in texts]
        self._hashes = _hashed(self._pairs)
        self._index = MinHashLSH(threshold=max(threshold * _PROPOSED_AT, 0.1), num_perm=_PERMUTATIONS)
        with self._index.insertion_session() as session:
            for number, hashes in enumerate(self._hashes):
                session.insert(number, hashes)

    def of(self, texts: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield (index in `texts`, index in what is searched) of every near pair, in order."""
        pairs = [_word_pairs(text) for text in texts]
        for number, (own, hashes) in enumerate(zip(pairs, _hashed(pairs), strict=True)):
            yield from ((number, other) for other in self._near(own, hashes))

    def among_themselves(self) -> Iterator[tuple[int, int]]:
        """Yield every near pair of the texts searched, the smaller index first."""
        for number, (own, hashes) in enumerate(zip(self._pairs, self._hashes, strict=True)):
            yield from ((number, other) for other in self._near(own, hashes) if other > number)

    def _near(self, own: frozenset[str], hashes: MinHash) -> list[int]:
        proposed = sorted(self._index.query(hashes))
        return [other for other in proposed if _likeness(own, self._pairs[other]) >= self._threshold]


def clusters(frame: pd.DataFrame, *, threshold: float = NEAR) -> list[str]:
    """Return, per row, the name of what must stay on one side of a split.

    Rows of one group and near duplicates belong together, and so does what they belong to.

    Args:
        frame: Columns text and group; an empty group is a group of its own.
        threshold: Likeness at which texts are near duplicates.

    Returns:
        The smallest group name of the cluster, or the hash of its smallest text where it has no group: a name that
        does not depend on the order of rows.
    """
    parents = list(range(len(frame)))

    def root(item: int) -> int:
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    first_of: dict[str, int] = {}
    for number, group in enumerate(frame["group"]):
        if group:
            parents[root(number)] = root(first_of.setdefault(group, number))
    texts = frame["text"].tolist()
    for one, other in NearDuplicates(texts, threshold=threshold).among_themselves():
        parents[root(one)] = root(other)

    members: defaultdict[int, list[int]] = defaultdict(list)
    for number in range(len(frame)):
        members[root(number)].append(number)
    groups = frame["group"].tolist()
    names = {}
    for top, rows in members.items():
        named = [groups[row] for row in rows if groups[row]]
        names[top] = min(named) if named else min(_digest(normalised(texts[row])) for row in rows)
    return [names[root(number)] for number in range(len(frame))]


def overlapping(train: Placed, evaluation: Placed, *, threshold: float = NEAR) -> list[tuple[int, int]]:
    """Return every (train index, evaluation index) whose texts are the same or nearly so, in order."""
    exact: defaultdict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(evaluation.texts):
        exact[normalised(text)].append(number)
    same = {(i, j) for i, text in enumerate(train.texts) for j in exact.get(normalised(text), ())}
    near = NearDuplicates(evaluation.texts, threshold=threshold).of(train.texts) if evaluation.texts else ()
    return sorted(same.union(near))


def refuse_overlap(train: Placed, evaluation: Placed, *, threshold: float = NEAR) -> None:
    """Refuse to evaluate on texts that were trained on.

    Raises:
        ContractError: Some evaluation text occurs in training, exactly or nearly; names up to five pairs of rows.
    """
    found = overlapping(train, evaluation, threshold=threshold)
    if found:
        named = "; ".join(f"{evaluation.places[j]} is in {train.places[i]}" for i, j in found[:_NAMED])
        n_texts = len({j for _, j in found})
        more = f", and {len(found) - _NAMED:,} more pairs" if len(found) > _NAMED else ""
        detail = (
            f"{n_texts:,} of {len(evaluation.texts):,} evaluation texts occur in training: {named}{more}; "
            "scores on them would be too good: take them out of one side"
        )
        raise ContractError("evaluation texts", detail)


def _word_pairs(text: str) -> frozenset[str]:
    words = normalised(text).split()
    return frozenset(map(" ".join, pairwise(words))) or frozenset(words)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(len(one | other), 1)


def _hashed(pairs: Iterable[frozenset[str]]) -> list[MinHash]:
    encoded = [[pair.encode() for pair in sorted(own)] or [b""] for own in pairs]
    return list(MinHash.generator(encoded, num_perm=_PERMUTATIONS, seed=1))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def count_near(texts: Sequence[str], *, threshold: float = NEAR) -> int:
    """Return how many of `texts` have an earlier near duplicate."""
    return int(np.unique([other for _, other in NearDuplicates(texts, threshold=threshold).among_themselves()]).size)
