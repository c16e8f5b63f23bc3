"""The lake in a bucket: the objects of a local lake, byte for byte, each window written whole or not at all.

Files are prepared exactly as for a local lake, in a private temporary folder, and their bytes are put under
deterministic keys through awswrangler, one conditional request each (`upload`); an object longer than its parts goes
in one request of boto3. awswrangler also reads them back (``wr.s3.read_parquet(url, dataset=True)``) and finds the
newest part when a lake is opened. What of it is not used, because

* ``wr.s3.to_parquet(dataset=True)`` names files by random UUIDs, deletes before it writes or duplicates on a retry,
  and takes the rows through pandas, which changes types and bytes;
* ``wr.s3.delete_objects`` passes over keys that S3 answers with InternalError, and would leave old rows standing.

(awswrangler 3.17.1, ``s3/_delete.py``, read and tried.) Writers of one date take turns by a lease, see `lease`.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from contextvars import copy_context
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.parquet as pq

from adverse_events import __version__
from adverse_events.errors import ContractError, PermanentServiceError, ServiceError
from adverse_events.lake.marker import Marker
from adverse_events.lake.parts import PartSize
from adverse_events.lake.s3.lease import LOCKS, LeaseTerms, leased
from adverse_events.lake.s3.opening import check_newest_part, marker_of
from adverse_events.lake.s3.publishing import N_THREADS, Listing, partition_of, publish, read_all
from adverse_events.lake.s3.store import S3Store
from adverse_events.lake.windowed import WindowedLake
from adverse_events.staging import workspace
from adverse_events.tables import RECEIPTS, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from adverse_events.aws.session import Cloud
    from adverse_events.lake.preparation import Prepared
    from adverse_events.lake.receipt import Receipt
    from adverse_events.lake.windowed import Job

_GROUP = 256
"""Most windows of a date whose files wait in the temporary folder together."""


class S3Lake(WindowedLake):
    """A lake under a prefix of a bucket; get one with `open`.

    Args:
        store: Its objects.
        window_minutes: Length of its windows.
        privacy_mode: signal or case.
        part_size: How a window's rows are cut into objects.
        lease_terms: How long writers hold a date and wait for it.
    """

    def __init__(
        self, store: S3Store, window_minutes: int, privacy_mode: str, part_size: PartSize, lease_terms: LeaseTerms
    ) -> None:
        """Take the prefix as it is."""
        super().__init__(store.url, window_minutes, privacy_mode, part_size)
        self._store, self._lease_terms = store, lease_terms

    @classmethod
    def open(
        cls,
        cloud: Cloud,
        url: str,
        *,
        window_minutes: int,
        privacy_mode: str,
        key_fingerprint: str,
        part_size: PartSize | None = None,
        lease_terms: LeaseTerms | None = None,
    ) -> Self:
        """Open the lake at `url`, ``s3://bucket/folder``, created when missing; the bucket must be there.

        Raises:
            UsageError: `url` is no such address, holds something else, or was made with another window length,
                privacy mode or key.
            ContractError: Its marker is damaged, newer code wrote it, or its parts have columns of other types.
            ServiceError: The bucket cannot be reached, read or written.
        """
        store = S3Store(cloud, url)
        wanted = Marker(
            schema_version=SCHEMA_VERSION,
            window_minutes=window_minutes,
            privacy_mode=privacy_mode,
            key_fingerprint=key_fingerprint,
            created_by=__version__,
        )
        marker, is_new = marker_of(store, wanted)
        marker.check_same_lake(wanted, store.url)
        if not is_new:
            check_newest_part(cloud, store)
        return cls(store, window_minutes, privacy_mode, part_size or PartSize(), lease_terms or LeaseTerms())

    def receipts(self) -> pa.Table:
        """Return all receipts, schema `tables.RECEIPTS`, by window and then by file name.

        Raises:
            ContractError: One cannot be read; names it.
            ServiceError: The bucket cannot be read.
        """
        keys = [key for key in self._store.list_between("receipts/") if key.endswith(".parquet")]
        tables = [RECEIPTS.schema.empty_table()]
        for key, found in read_all(self._store, keys).items():
            try:
                tables.append(pq.read_table(pa.BufferReader(found.data), schema=RECEIPTS.schema))
            except pa.ArrowInvalid as error:
                detail = f"{self.name}/{key}: {error}; delete that object and run its window again"
                raise ContractError("receipts", detail) from error
        return pa.concat_tables(tables)

    def _standing(self, receipt_keys: Sequence[str]) -> Listing:
        return Listing(self._store, receipt_keys)

    def _replace(self, jobs: Sequence[Job]) -> list[Receipt]:
        """Run `jobs` date by date: one lease and one listing serve all windows of a date."""
        with closing(_prepared_ahead(_groups(jobs))) as dates:
            return [receipt for date, prepared in dates for receipt in self._replace_group(date, prepared)]

    def _replace_group(self, date: str, prepared: dict[str, Prepared]) -> list[Receipt]:
        with leased(self._store, f"{LOCKS}/{date}.json", self._lease_terms) as lease:
            listing = Listing(self._store, [window.receipt.key for window in prepared.values()])
            changed = {what: window for what, window in prepared.items() if not listing.stands(window)}

            def put(what: str, window: Prepared) -> None:
                with _naming(what):
                    publish(self._store, lease, listing, window)

            with ThreadPoolExecutor(N_THREADS) as pool:
                writing = [pool.submit(put, *entry) for entry in changed.items()]
                try:
                    for window in writing:
                        window.result()
                finally:
                    # After a failure, windows not begun are left as they are.
                    pool.shutdown(cancel_futures=True)
        return [
            replace(
                window.receipt,
                is_unchanged=what not in changed,
                rows_before=listing.rows_recorded(window.receipt.key),
            )
            for what, window in prepared.items()
        ]


def _groups(jobs: Sequence[Job]) -> Iterator[tuple[str, list[Job]]]:
    """Yield the jobs of each date, at most `_GROUP` at a time."""
    for date, of_date in groupby(jobs, lambda job: partition_of(job.receipt_key).partition("/")[0]):
        waiting = list(of_date)
        for begin in range(0, len(waiting), _GROUP):
            yield date, waiting[begin : begin + _GROUP]


def _prepared_ahead(groups: Iterable[tuple[str, list[Job]]]) -> Generator[tuple[str, dict[str, Prepared]]]:
    """Yield each group with its files, those of the next one being written while this one's travel.

    A group's files are there until the next is asked for.
    """
    writer = ThreadPoolExecutor(1, "prepare")
    ahead: deque[tuple[str, ExitStack, Future[dict[str, Prepared]]]] = deque()

    def first() -> Iterator[tuple[str, dict[str, Prepared]]]:
        date, staging, writing = ahead.popleft()
        with staging:
            yield date, writing.result()

    try:
        for date, jobs in groups:
            staging = ExitStack()
            folder = staging.enter_context(workspace())
            # In this context: progress is told to who listens in it.
            ahead.append((date, staging, writer.submit(copy_context().run, _prepared, jobs, folder)))
            if len(ahead) > 1:
                yield from first()
        while ahead:
            yield from first()
    finally:
        writer.shutdown(cancel_futures=True)
        for _, staging, _ in ahead:
            staging.close()


def _prepared(jobs: Sequence[Job], staging: Path) -> dict[str, Prepared]:
    prepared = {}
    for number, job in enumerate(jobs):
        with _disk_errors(staging, job.what):
            prepared[job.what] = job.prepare(stem=staging / str(number))
    return prepared


@contextmanager
def _naming(what: str) -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        detail = f"{error.detail}; {what} may be incomplete, and then has no receipt: run it again; others stand"
        raise type(error)(error.service, error.operation, detail) from error


@contextmanager
def _disk_errors(folder: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        detail = f"{folder}: {reason}; {what} is unchanged; free space there or set TMPDIR elsewhere, then run again"
        raise PermanentServiceError("workspace", "write", detail) from error
