"""Prepared files become those of a lake on S3, window by window, the receipt last."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from adverse_events.lake.reading import read_receipt
from adverse_events.lake.receipt import settled
from adverse_events.lake.s3.journal import S3Journal
from adverse_events.lake.s3.store import ChangedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adverse_events.lake.preparation import Prepared
    from adverse_events.lake.s3.lease import Lease
    from adverse_events.lake.s3.store import Found, S3Store, Seen

N_THREADS = 16
"""Requests in flight at once."""

_FOLDERS = ("assessments", "rejects", "receipts")

_PARTS_SEEN = "parts-seen"
"""Metadata of a receipt: a hash of its parts' keys and ETags, by which a listing shows that none was replaced."""

_WINDOW_TRIES = 3
"""Tries to replace a window that others keep changing."""


class Listing:
    """What the lake holds between two partitions, listed once (a `windowed.Standing`).

    Args:
        store: The lake's objects.
        receipt_keys: The receipts asked about; their partitions are listed, with all between.
    """

    def __init__(self, store: S3Store, receipt_keys: Iterable[str]) -> None:
        """List; read the receipts that there are."""
        self._store = store
        keys = sorted(set(receipt_keys))
        self._seen: dict[str, Seen] = {}
        if keys:
            first, last = (partition_of(key) for key in (keys[0], keys[-1]))
            with ThreadPoolExecutor(len(_FOLDERS)) as pool:
                for listed in pool.map(
                    lambda folder: store.list_between(f"{folder}/{first}/", f"{folder}/{last}/"), _FOLDERS
                ):
                    self._seen |= listed
        self._receipts = read_all(store, [key for key in keys if key in self._seen])

    def receipt(self, key: str, columns: Sequence[str] | None = None) -> pa.Table | None:
        """Return a stored receipt; see `publishing.read_receipt`."""
        found = self._receipts.get(key)
        return read_receipt(pa.BufferReader(found.data), columns) if found else None

    def size_of(self, key: str) -> int | None:
        """Return an object's size in bytes, None where there is none."""
        seen = self._seen.get(key)
        return seen.n_bytes if seen else None

    def etag_of(self, key: str) -> str | None:
        """Return the version of an object, None where there is none."""
        seen = self._seen.get(key)
        return seen.etag if seen else None

    def rows_recorded(self, key: str) -> int:
        """Return the inputs a stored receipt accounts for; 0 where there is no receipt."""
        stored = self.receipt(key, ["rows_in"])
        return stored["rows_in"][0].as_py() if stored else 0

    def present(self, prepared: Prepared) -> dict[str, str]:
        """Return the ETag of every object that `prepared` replaces, receipt aside, by key."""
        return {
            key: self._seen[key].etag
            for glob in prepared.globs
            for key in self._by_folder.get(glob.rpartition("/")[0], ())
            if fnmatchcase(key, glob)
        }

    def is_outdated(self, prepared: Prepared) -> bool:
        """Tell whether others replaced what `prepared` was made from."""
        return prepared.based_on is not None and self.present(prepared) != prepared.based_on

    def stands(self, prepared: Prepared) -> bool:
        """Tell whether the lake already holds exactly what was prepared, made by the same recipe."""
        key = prepared.receipt.key
        stored = self.receipt(key)
        if stored is None or prepared.receipt_rows is None or not stored.schema.equals(prepared.receipt_rows.schema):
            return False
        return (
            settled(stored) == settled(prepared.receipt_rows)
            and self.present(prepared).keys() == prepared.parts.keys()
            and self._receipts[key].metadata.get(_PARTS_SEEN) == _parts_seen(self.present(prepared))
        )

    @cached_property
    def _by_folder(self) -> Mapping[str, list[str]]:
        folders: dict[str, list[str]] = {}
        for key in self._seen:
            folders.setdefault(key.rpartition("/")[0], []).append(key)
        return folders


def partition_of(key: str) -> str:
    """Return the partition of an object, such as ``event_date=2026-03-01/event_time=0000``."""
    return key.partition("/")[2].rpartition("/")[0]


def read_all(store: S3Store, keys: Sequence[str]) -> dict[str, Found]:
    """Return many small objects, read at once; one that has just gone is left out."""
    if not keys:
        return {}
    with ThreadPoolExecutor(min(N_THREADS, len(keys))) as pool:
        return {key: found for key, found in zip(keys, pool.map(store.get, keys), strict=True) if found}


def publish(store: S3Store, lease: Lease, listing: Listing, prepared: Prepared) -> None:
    """Put the objects of one window in place; the caller holds `lease` and has just made `listing`.

    The old receipt goes first and the new one comes last: a receipt that stands vouches for whole data, and a
    window whose writer was killed in between has none and counts as missing.

    Raises:
        TransientServiceError: S3 did not answer, the lease was lost, or others keep changing the window.
        ServiceError: S3 refused. The window may be incomplete, and then has no receipt.
    """
    for left in reversed(range(_WINDOW_TRIES)):
        try:
            _replace(store, lease, listing, prepared)
        except ChangedError:
            # A writer that lost its lease may still have had a put on its way.
            if not left:
                raise
            listing = Listing(store, [prepared.receipt.key])
        else:
            return


def _replace(store: S3Store, lease: Lease, listing: Listing, prepared: Prepared) -> None:
    receipt_key = prepared.receipt.key
    old_receipt = listing.etag_of(receipt_key)
    present = listing.present(prepared)
    journal = S3Journal(store) if prepared.is_rewriting else None
    if journal:
        journal.keep(lease, prepared)
    if old_receipt:
        lease.check()
        store.delete(receipt_key, old_receipt)
    etags = {}
    for key, path in prepared.parts.items():
        lease.check()
        etags[key] = store.put(key, path, replaces=present.get(key))
    for key in present.keys() - prepared.parts.keys():
        lease.check()
        store.delete(key, present[key])
    if prepared.receipt_file is None:
        return
    lease.check()
    store.put(receipt_key, prepared.receipt_file, replaces=None, metadata={_PARTS_SEEN: _parts_seen(etags)})
    if journal:
        journal.drop(receipt_key)


def _parts_seen(etags: Mapping[str, str]) -> str:
    return hashlib.sha256("\n".join(f"{key} {etag}" for key, etag in sorted(etags.items())).encode()).hexdigest()
