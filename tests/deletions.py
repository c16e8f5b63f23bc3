"""What tests of deletions share: a small lake with clusters and rejects, and what a deletion must leave of it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adverse_events.compliance.comply import hashed
from adverse_events.compliance.deletion_list import Deletion
from tests.staged_batches import coded_row, hours, reject_row, stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from adverse_events.staging import Batch

AT = datetime(2026, 4, 1, tzinfo=UTC)
WINDOWS = hours(3)


def tweet_hash(name: str) -> str:
    """A stand-in for the keyed hash of a post's id, so that a test can say which post it means."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def row(window: int, name: str, *, duplicates: Sequence[str] = (), is_ade: bool = True) -> dict[str, Any]:
    """Return the coded post `name` of the `window`-th window, standing for `duplicates`."""
    number = sum(name.encode())
    return {
        **coded_row(WINDOWS[window], number, is_ade=is_ade),
        "tweet_id": tweet_hash(name),
        "n_duplicates": len(duplicates),
        "duplicate_tweet_ids": [tweet_hash(duplicate) for duplicate in duplicates],
    }


def rejected(window: int | None, name: str, number: int = 1) -> dict[str, Any]:
    """Return the staged reject of the post `name`."""
    where = None if window is None else WINDOWS[window]
    return {**reject_row(where, number), "tweet_id": tweet_hash(name)}


def batch(folder: Path, without: Iterable[str] = ()) -> Batch:
    """Return three windows: posts a, b (with duplicates b2, b3), c; d, e; and f, with rejects r and s.

    Args:
        folder: Where it is staged.
        without: Posts that the source no longer has.
    """
    gone = set(without)
    rows = {
        WINDOWS[0]: [row(0, "a"), row(0, "b", duplicates=["b2", "b3"]), row(0, "c", is_ade=False)],
        WINDOWS[1]: [row(1, "d"), row(1, "e")],
        WINDOWS[2]: [row(2, "f")],
    }
    kept = {w: [r for r in of if r["tweet_id"] not in {tweet_hash(name) for name in gone}] for w, of in rows.items()}
    rejects = [rejected(0, "r"), rejected(2, "s", 2)]
    return stage(folder, kept, [r for r in rejects if r["tweet_id"] not in {tweet_hash(name) for name in gone}])


def listed(*names: str, reason: str = "deleted", at: datetime = AT) -> pa.Table:
    """Return a deletion list of posts by name."""
    return hashed((Deletion(name, reason) for name in names), tweet_hash, as_stored=False, at=at)
