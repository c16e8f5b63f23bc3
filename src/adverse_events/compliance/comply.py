"""From deletions to a lake, and a landing store, without them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import compress
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from adverse_events.errors import TransientServiceError
from adverse_events.lake.suppression import Suppression, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pyarrow as pa

    from adverse_events.compliance.deletion_list import Deletion
    from adverse_events.lake.forgetting import Withheld
    from adverse_events.lake.protocol import Lake
    from adverse_events.lake.rewriting import Place


ROUNDS = 5
"""Times that windows other runs replace meanwhile are tried again."""

WINDOWS_AT_ONCE = 500
"""Windows handed to the lake together: what a killed run has to do again."""

_HASH = re.compile(r"[0-9a-f]{32}")


class Keeper(Protocol):
    """What compliance asks of whatever keeps posts beside the lake: a landing store, the pages of a search."""

    def forget(self, tweet_ids: Iterable[str]) -> int:
        """Take the posts with these ids, as the lake keeps them, out for good and return how many there were."""


@dataclass(frozen=True)
class Forgotten:
    """What went, or would go, from one window or from one source file's undated input.

    Attributes:
        what: Its name.
        deleted: Rows of assessments, by reason.
        n_rejects: Rows of rejects.
        n_duplicates: Ids in the lists of duplicates.
        rows_unrepresented: Duplicates left without the post that stood for them.
    """

    what: str
    deleted: Mapping[str, int]
    n_rejects: int
    n_duplicates: int
    rows_unrepresented: int

    @classmethod
    def of(cls, place: Place, withheld: Withheld) -> Forgotten:
        """Return what is withheld from `place`."""
        return cls(
            place.what,
            dict(sorted(withheld.assessments.items())),
            withheld.rejects.total(),
            withheld.n_duplicates,
            withheld.rows_unrepresented,
        )


@dataclass(frozen=True)
class ComplianceAccount:
    """What a run came to.

    Attributes:
        is_dry_run: Nothing was changed.
        n_listed: Distinct ids asked for.
        n_new: Of those, ids that were not on the suppression list before.
        n_in_lake: Of those, ids found in the lake by this run; the rest are unknown, gone already, or were screened
            out and left only a count.
        n_suppressed: Ids on the suppression list now.
        n_places: Windows and undated inputs looked through.
        n_landed: Posts forgotten by what keeps them beside the lake.
        n_malformed: Lines of the lists that name no post.
        malformed: The first of them: file, line and why.
        n_kept_posts: Lines that ask for less than the post: X wants only its place forgotten.
        forgotten: What went, per window.
        by_reason: Rows of assessments that went, by reason.
    """

    is_dry_run: bool
    n_listed: int
    n_new: int
    n_in_lake: int
    n_suppressed: int
    n_places: int
    n_landed: int = 0
    n_malformed: int = 0
    malformed: tuple[str, ...] = ()
    n_kept_posts: int = 0
    forgotten: tuple[Forgotten, ...] = ()
    by_reason: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_due(self) -> int:
        """Windows that lost a post which stood for others: due until they are run again from their source."""
        return sum(1 for place in self.forgotten if place.rows_unrepresented)

    def to_json(self) -> dict[str, Any]:
        """Return the account as plain JSON values; it holds no id."""
        return {
            "dry_run": self.is_dry_run,
            "ids_listed": self.n_listed,
            "ids_new": self.n_new,
            "ids_in_lake": self.n_in_lake,
            "ids_not_in_lake": self.n_listed - self.n_in_lake,
            "ids_suppressed": self.n_suppressed,
            "windows_looked_at": self.n_places,
            "windows_rewritten": len(self.forgotten),
            "windows_due": self.n_due,
            "rows_deleted": sum(self.by_reason.values()),
            "deleted": dict(self.by_reason),
            "rejects_deleted": sum(place.n_rejects for place in self.forgotten),
            "duplicates_forgotten": sum(place.n_duplicates for place in self.forgotten),
            "landed_forgotten": self.n_landed,
            "lines_malformed": self.n_malformed,
            "malformed": list(self.malformed),
            "posts_kept": self.n_kept_posts,
            "windows": [
                {
                    "window": place.what,
                    "deleted": dict(place.deleted),
                    "rejects": place.n_rejects,
                    "duplicates": place.n_duplicates,
                    "unrepresented": place.rows_unrepresented,
                }
                for place in self.forgotten
            ],
        }


def hashed(
    deletions: Iterable[Deletion], hash_of: Callable[[str], str], *, as_stored: bool, at: datetime | None = None
) -> pa.Table:
    """Return deletions as rows of the suppression list.

    Args:
        deletions: Posts by id.
        hash_of: Keyed hash of a post id.
        as_stored: Ids are given as a signal-mode lake stores them: they are hashes already. One that is not is taken
            for a plain id.
        at: When they were asked for; now when None.
    """
    entries = (
        (entry.tweet_id if as_stored and _HASH.fullmatch(entry.tweet_id) else hash_of(entry.tweet_id), entry.reason)
        for entry in deletions
    )
    return rows_of(entries, at or datetime.now(UTC))


def comply(
    lake: Lake,
    rows: pa.Table,
    *,
    keepers: Sequence[Keeper] = (),
    kept_ids: Sequence[str] = (),
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ComplianceAccount:
    """Put posts on the suppression list, then take every post on it out of the lake.

    The keepers first, then the list, then the lake: a run killed anywhere is finished by the same command. The
    whole list is looked for each time: a copy put back, or a post that slipped in while it was listed, goes with the
    next run.

    Args:
        lake: The lake.
        rows: Posts to put on the list, see `hashed`.
        keepers: What keeps posts beside the lake and has to forget them too.
        kept_ids: The same posts as keepers store their ids, one for each of `rows`; those that are on the suppression
            list already are not asked for again.
        dry_run: Only say what would go.
        progress: Told the number of windows rewritten since it was last told.

    Raises:
        ContractError: The list or an object of the lake is damaged.
        ServiceError: The disk or a service refused, or other runs kept replacing the same windows.
    """
    before = lake.suppressed()
    listed = before.with_more(rows)
    new = before.without_known(rows)
    asked = Suppression().with_more(rows)
    n_landed = 0
    if keepers and not dry_run:
        hashes = [digest.hex() for digest in rows.column("tweet_hash").to_pylist()]
        is_new = before.positions_of(hashes) < 0
        gone = list(dict.fromkeys(compress(kept_ids, is_new.tolist())))
        n_landed = sum(keeper.forget(gone) for keeper in keepers)
    n_new = new.num_rows if dry_run else lake.suppress(rows)
    suppression = listed if dry_run else lake.suppressed()
    if not dry_run:
        lake.recover()
    places = lake.places()
    found = lake.holding(suppression, places)
    forgotten = {place.what: Forgotten.of(place, withheld) for place, withheld in found.items()}
    n_in_lake = _n_found(found, suppression, asked)
    if not dry_run:
        _rewrite(lake, suppression, found, progress)
    by_reason: Counter[str] = Counter()
    for entry in forgotten.values():
        by_reason.update(entry.deleted)
    return ComplianceAccount(
        is_dry_run=dry_run,
        n_listed=len(asked),
        n_new=n_new,
        n_in_lake=n_in_lake,
        n_suppressed=len(suppression),
        n_places=len(places),
        n_landed=n_landed,
        forgotten=tuple(forgotten.values()),
        by_reason=dict(sorted(by_reason.items())),
    )


def _rewrite(
    lake: Lake, suppression: Suppression, found: Mapping[Place, Withheld], progress: Callable[[int], None] | None
) -> None:
    left = list(found)
    for _ in range(ROUNDS):
        skipped: set[str] = set()
        for begin in range(0, len(left), WINDOWS_AT_ONCE):
            receipts = lake.forget(left[begin : begin + WINDOWS_AT_ONCE])
            skipped.update(receipt.key for receipt in receipts if receipt.is_skipped)
            if progress:
                progress(len(receipts))
        if not skipped:
            return
        again = [place for place in lake.places() if place.receipt_key in skipped]
        left = list(lake.holding(suppression, again))
    raise TransientServiceError(
        "lake", "rewrite", f"other runs keep replacing {len(left)} windows; run comply again when they are done"
    )


def _n_found(found: Mapping[Place, Withheld], suppression: Suppression, asked: Suppression) -> int:
    positions = [part for withheld in found.values() for part in withheld.positions]
    if not positions:
        return 0
    hashes = suppression.rows.column("tweet_hash").take(np.unique(np.concatenate(positions))).to_pylist()
    return int((asked.positions_of([digest.hex() for digest in hashes]) >= 0).sum())
