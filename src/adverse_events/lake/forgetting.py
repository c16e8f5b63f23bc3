"""Rows of deleted posts taken out of a window's tables, and the window's account settled for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from adverse_events.lake.suppression import Suppression
    from adverse_events.staging import Tally

    HashesOf = Callable[[Sequence[str | None]], Sequence[str | None]]
    """From ids as the lake stores them to their keyed hashes."""

ASSESSMENT_IDS = ("tweet_id", "duplicate_tweet_ids")
REJECT_IDS = ("tweet_id", "reason")
"""The columns that are needed to tell what goes: enough for a look that changes nothing."""

_Rows = TypeVar("_Rows", pa.Table, pa.RecordBatch)


@dataclass
class Withheld:
    """Takes the rows of one window's suppressed posts out, and counts them.

    Attributes:
        suppression: The list.
        hashes_of: From stored ids to hashes.
        assessments: Rows taken out of assessments, by reason of the deletion.
        rejects: Rows taken out of rejects, by their reason there and the reason of the deletion.
        n_duplicates: Ids taken out of the lists of duplicates.
        rows_unrepresented: Duplicates left without the post that stood for them.
        positions: Where on the list the posts stand that were found.
    """

    suppression: Suppression
    hashes_of: HashesOf
    assessments: Counter[str] = field(default_factory=Counter)
    rejects: Counter[tuple[str, str]] = field(default_factory=Counter)
    n_duplicates: int = 0
    rows_unrepresented: int = 0
    positions: list[NDArray[np.int64]] = field(default_factory=list)

    @property
    def has_any(self) -> bool:
        """Whether anything was taken out."""
        return bool(self.assessments or self.rejects or self.n_duplicates)

    def from_assessments(self, chunks: Iterable[_Rows]) -> Iterator[_Rows]:
        """Yield rows of assessments, or on their way to it, without suppressed posts and duplicates."""
        for chunk in chunks:
            yield self._assessed(chunk)

    def from_rejects(self, chunks: Iterable[_Rows]) -> Iterator[_Rows]:
        """Yield rows of rejects without those of suppressed posts."""
        for chunk in chunks:
            positions = self._find(chunk.column("tweet_id").to_pylist())
            is_gone = positions >= 0
            if not is_gone.any():
                yield chunk
                continue
            why = chunk.column("reason").filter(pa.array(is_gone)).to_pylist()
            self.rejects.update(zip(why, self.suppression.reasons_at(positions[is_gone]), strict=True))
            yield chunk.filter(pa.array(~is_gone))

    def settle(self, tally: Tally) -> Tally:
        """Return the account of the window once these rows are gone: as many in, fewer kept, the rest deleted.

        A duplicate was screened out by a reason that its cluster does not tell, and stays counted there; a post the
        coder refused stands in both tables and counts once.
        """
        if not self.has_any:
            return tally
        gone_by_reject: Counter[str] = Counter()
        deleted: Counter[str] = Counter(self.assessments)
        for (reject_reason, reason), n_rows in self.rejects.items():
            gone_by_reject[reject_reason] += n_rows
            if reject_reason not in tally.uncoded:
                deleted[reason] += n_rows
        return replace(
            tally,
            rejected=_less(tally.rejected, gone_by_reject),
            uncoded=_less(tally.uncoded, gone_by_reject),
        ).plus(deleted=deleted)

    def _assessed(self, chunk: _Rows) -> _Rows:
        ids = chunk.column("tweet_id").to_pylist()
        lists = chunk.column("duplicate_tweet_ids")
        lists = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
        lists = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
        positions = self._find(ids)
        is_gone = positions >= 0
        members = self._find(pc.list_flatten(lists).to_pylist()) >= 0
        if not is_gone.any() and not members.any():
            return chunk
        if members.any():
            parents = np.asarray(pc.list_parent_indices(lists))
            chunk = _with_shorter_lists(chunk, lists, members, parents)
            # A list that goes with its row is no list any more.
            self.n_duplicates += int((members & ~is_gone[parents]).sum())
        self.assessments.update(self.suppression.reasons_at(positions[is_gone]))
        left = pc.list_value_length(chunk.column("duplicate_tweet_ids").filter(pa.array(is_gone)))
        self.rows_unrepresented += pc.sum(left, min_count=0).as_py()
        return chunk.filter(pa.array(~is_gone))

    def _find(self, ids: Sequence[str | None]) -> NDArray[np.int64]:
        positions = self.suppression.positions_of(self.hashes_of(ids))
        found = positions[positions >= 0]
        if len(found):
            self.positions.append(found)
        return positions


def _with_shorter_lists(
    chunk: _Rows, lists: pa.ListArray, members: NDArray[np.bool_], parents: NDArray[np.int64]
) -> _Rows:
    """Return rows whose lists of duplicates lack the members marked, n_duplicates to match where it is there."""
    kept = ~members
    counts = np.bincount(parents[kept], minlength=len(lists)).astype(np.int32)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    shorter = pa.ListArray.from_arrays(
        pa.array(offsets), pc.list_flatten(lists).filter(pa.array(kept)), type=lists.type
    )
    columns: dict[str, Any] = {"duplicate_tweet_ids": shorter, "n_duplicates": pa.array(counts, pa.int32())}
    for name, column in columns.items():
        index = chunk.schema.get_field_index(name)
        if index >= 0:
            chunk = chunk.set_column(index, chunk.schema.field(index), column)
    return chunk


def _less(counts: Any, gone: Counter[str]) -> dict[str, int]:
    return {reason: n for reason, n_rows in counts.items() if (n := n_rows - gone[reason])}
