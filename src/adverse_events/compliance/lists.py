"""Several deletion lists as one, hashed; and the ids that X is asked about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.compliance.comply import hashed
from adverse_events.compliance.deletion_list import Deletion, Read, read_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from adverse_events.source.protocol import TweetSource


@dataclass(frozen=True)
class Deletions:
    """What some lists ask for.

    Attributes:
        rows: Hashes, schema `lake.suppression.SCHEMA`, in any order and with repeats.
        ids: The ids as they were given, same order; never stored.
        read: How the reading went.
    """

    rows: pa.Table
    ids: tuple[str, ...]
    read: Read

    def stored_ids(self, *, keeps_ids: bool) -> Sequence[str]:
        """Return the ids as a lake of case mode (`keeps_ids`) or signal mode stores them, one for each of `rows`."""
        return self.ids if keeps_ids else [digest.hex() for digest in self.rows.column("tweet_hash").to_pylist()]


def read_lists(
    paths: Sequence[Path], hash_of: Callable[[str], str], *, reason: str, as_stored: bool = False
) -> Deletions:
    """Read deletion lists.

    Args:
        paths: The files.
        hash_of: Keyed hash of a post id.
        reason: Reason of entries that give none.
        as_stored: See `comply.hashed`.

    Raises:
        UsageError: A file is not there, empty, or no deletion list.
        ContractError: A file is cut short or damaged.
    """
    read = Read()
    entries = [entry for path in paths for entry in read_list(path, read, reason)]
    return Deletions(hashed(entries, hash_of, as_stored=as_stored), tuple(entry.tweet_id for entry in entries), read)


def write_list(path: Path, deletions: Iterable[Deletion]) -> int:
    """Write deletions to a new file that only this user can read, and return their number."""
    n_written = 0
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as file:
        for entry in deletions:
            file.write(json.dumps({"id": entry.tweet_id, "reason": entry.reason}) + "\n")
            n_written += 1
    return n_written


def ids_in(source: TweetSource) -> Iterator[str]:
    """Yield the id of every input of `source` that has one."""
    for chunk in source.read():
        yield from (tweet.tweet_id for tweet in chunk.tweets)
        yield from (reject.tweet_id for reject in chunk.rejects if reject.tweet_id)


def ids_listed(path: Path) -> Iterator[str]:
    """Yield the ids of a file of ids; what else its lines say is passed over. Errors as for `read_list`."""
    yield from (entry.tweet_id for entry in read_list(path, Read()))
