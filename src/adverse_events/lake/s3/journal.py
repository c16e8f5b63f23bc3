"""What a rewriting is about to put in place in a lake on S3, kept until it stands; see `lake.journal`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pyarrow as pa

from adverse_events.lake.journal import FOLDER, RECEIPT, folder_of, globs_of, parts_of, receipt_key_of
from adverse_events.lake.layout import part_name
from adverse_events.lake.reading import read_receipt
from adverse_events.lake.s3.store import ChangedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.lake.preparation import Prepared
    from adverse_events.lake.s3.lease import Lease
    from adverse_events.lake.s3.store import S3Store


@dataclass(frozen=True)
class Pending:
    """A rewriting that was begun: the key of its receipt, and where its files lie, by their keys in the lake."""

    receipt_key: str
    receipt: pa.Table
    folder: str


class S3Journal:
    """The journal of the lake in `store`; whoever writes or recovers a date holds its lease."""

    def __init__(self, store: S3Store) -> None:
        """Look into `store` when asked."""
        self._store = store

    def keep(self, lease: Lease, prepared: Prepared) -> None:
        """Keep the files of a rewriting, receipt last."""
        folder = folder_of(prepared.receipt.key)
        self.drop(prepared.receipt.key)
        copies = {f"{folder}/{part_name(key)}": path for key, path in prepared.parts.items()}
        if prepared.receipt_file:
            copies[f"{folder}/{RECEIPT}"] = prepared.receipt_file
        for key, path in copies.items():
            lease.check()
            self._store.put(key, path, replaces=None)

    def drop(self, receipt_key: str) -> None:
        """Forget a rewriting that stands, or was given up; its receipt first, without which it counts for nothing."""
        folder = f"{folder_of(receipt_key)}/"
        listed = self._store.list_between(folder)
        for key in sorted(listed, key=lambda key: key != f"{folder}{RECEIPT}"):
            with suppress(ChangedError):
                self._store.delete(key, listed[key].etag)

    def dates(self) -> list[str]:
        """Return the dates that have begun rewritings, such as ``event_date=2026-03-01``."""
        return sorted(
            {key.removeprefix(f"{FOLDER}/").partition("+")[0] for key in self._store.list_between(f"{FOLDER}/")}
        )

    def recover(self, lease: Lease, date: str) -> int:
        """Put in place what killed rewritings of `date` had begun to, and return how much that was."""
        n_recovered = 0
        for receipt_key, folder in self._begun(date):
            found = self._store.get(f"{folder}/{RECEIPT}")
            receipt = read_receipt(pa.BufferReader(found.data)) if found else None
            stands = self._store.get(receipt_key, n_last_bytes=1) is not None
            if found and receipt is not None and not stands:
                self._put_in_place(lease, Pending(receipt_key, receipt, folder))
                n_recovered += 1
            self.drop(receipt_key)
        return n_recovered

    def _begun(self, date: str) -> Iterator[tuple[str, str]]:
        listed = self._store.list_between(f"{FOLDER}/{date}+")
        for folder in sorted({key.rpartition("/")[0] for key in listed}):
            yield receipt_key_of(folder), folder

    def _put_in_place(self, lease: Lease, pending: Pending) -> None:
        present = {
            key: seen.etag
            for glob in globs_of(pending.receipt_key)
            for key, seen in self._store.list_between(f"{glob.rpartition('/')[0]}/").items()
            if fnmatchcase(key, glob)
        }
        keys = parts_of(pending.receipt)
        for key in keys:
            copy = self._store.get(f"{pending.folder}/{part_name(key)}")
            if copy:
                lease.check()
                self._store.put(key, copy.data, replaces=present.get(key))
        for key in present.keys() - set(keys):
            lease.check()
            self._store.delete(key, present[key])
        receipt = self._store.get(f"{pending.folder}/{RECEIPT}")
        if receipt:
            lease.check()
            self._store.put(pending.receipt_key, receipt.data, replaces=None)
