"""What every lake does, wherever it is kept: which files a batch becomes, and which windows are due."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from adverse_events.errors import UsageError
from adverse_events.lake import layout
from adverse_events.lake.account import check_account
from adverse_events.lake.forgetting import Withheld
from adverse_events.lake.grouping import GroupedRows
from adverse_events.lake.preparation import prepare_undated, prepare_window
from adverse_events.lake.rewriting import ids_of, look, places_of, prepare_rewriting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from adverse_events.lake.parts import PartSize
    from adverse_events.lake.preparation import Prepared
    from adverse_events.lake.receipt import Receipt
    from adverse_events.lake.rewriting import Place
    from adverse_events.lake.suppression import Suppression, SuppressionFiles
    from adverse_events.provenance import Provenance
    from adverse_events.staging import Batch
    from adverse_events.windows import Window

_OF_PENDING = ("recipe_sha256", "rows_in", "parts", "rows_unrepresented")


@dataclass(frozen=True)
class Job:
    """One thing to replace: a window, or the undated input of one source file.

    Attributes:
        what: Its name in messages.
        receipt_key: Where its receipt lies.
        prepare: Writes its files; takes ``stem`` and ``withheld``, see `preparation.prepare_window`.
    """

    what: str
    receipt_key: str
    prepare: Callable[..., Prepared]


class Standing(Protocol):
    """What a lake holds for some receipts and their parts."""

    def receipt(self, key: str, columns: Sequence[str] | None = None) -> pa.Table | None:
        """Return a stored receipt, or None where there is none that can be read: its window counts as missing."""

    def size_of(self, key: str) -> int | None:
        """Return an object's size in bytes, None where there is none."""


class WindowedLake(ABC):
    """A lake whose windows are replaced whole; a subclass says how files become the lake's.

    Args:
        name: The lake in messages.
        window_minutes: Length of its windows.
        privacy_mode: signal or case.
        part_size: How a window's rows are cut into files.
        hash_of: Keyed hash of a post id; needed by a lake of case mode that has a suppression list.
    """

    def __init__(
        self,
        name: str,
        window_minutes: int,
        privacy_mode: str,
        part_size: PartSize,
        hash_of: Callable[[str], str] | None,
    ) -> None:
        """Take the lake as it is."""
        self.name, self.window_minutes, self.privacy_mode = name, window_minutes, privacy_mode
        self._part_size, self._hash_of = part_size, hash_of

    def write(self, batch: Batch, provenance: Provenance) -> list[Receipt]:
        """Replace the windows of `batch`, each whole or not at all, its receipt last.

        A window that already holds exactly these data, made by the same recipe, is left untouched, receipt included.

        Returns:
            One receipt per window, in the batch's order.

        Raises:
            AccountingError: Rows were lost or doubled on the way; nothing was written.
            ContractError: Rows break the tables' promises; their window and later ones are unchanged, and nearby
                earlier ones may be.
            ServiceError: The disk or the service refused; says which window and what state it is in.
        """
        self._check_fits(batch, provenance)
        with (
            GroupedRows([batch.rows], "window_start") as rows,
            GroupedRows(batch.rejects, "window_start") as rejects,
        ):
            check_account(batch, rows, rejects)
            prepare = partial(
                prepare_window, batch=batch, rows=rows, rejects=rejects, provenance=provenance, size=self._part_size
            )
            return self._replace(
                [Job(f"window {w}", layout.receipt_key(w), partial(prepare, w)) for w in batch.windows]
            )

    def write_undated(self, rejects: Path, provenance: Provenance, origins: Iterable[str] = ()) -> list[Receipt]:
        """Replace the rejects whose time could not be read, one part and one receipt per source file.

        Args:
            rejects: Staged rejects without window_start.
            provenance: What made them.
            origins: Every file that was read; one that has no such reject any more loses its part.

        Returns:
            One receipt per source file that has such rejects or had them before, sorted by name.

        Raises:
            ContractError: A reject has a window, or breaks the table's promises.
            ServiceError: The disk or the service refused.
        """
        with GroupedRows([rejects], "origin") as grouped:
            keys = {origin: layout.undated_receipt_key(origin) for origin in (*origins, *grouped.groups)}
            standing = self._standing(list(keys.values()))
            before = {origin for origin, key in keys.items() if standing.size_of(key) is not None}
            prepare = partial(
                prepare_undated, rejects=grouped, window_minutes=self.window_minutes, provenance=provenance
            )
            return self._replace(
                [
                    Job(f"undated input of {origin}", keys[origin], partial(prepare, origin))
                    for origin in sorted({*grouped.groups, *before})
                ]
            )

    def pending(self, rows_in: Mapping[Window, int], recipe_sha256: str) -> tuple[list[Window], list[Window]]:
        """Return the windows without a receipt and the stale ones, each in given order.

        Stale: made by another recipe or from another number of inputs, a part that the receipt lists is missing or
        has another size, or a post that stood for others was deleted.

        Args:
            rows_in: The windows asked about, with the inputs their source has for each now.
            recipe_sha256: Hash of today's versions and choices.
        """
        standing = self._standing([layout.receipt_key(window) for window in rows_in])
        missing: list[Window] = []
        stale: list[Window] = []
        for window, n_rows in rows_in.items():
            receipt = standing.receipt(layout.receipt_key(window), _OF_PENDING)
            if receipt is None:
                missing.append(window)
            elif (
                receipt["recipe_sha256"][0].as_py() != recipe_sha256
                or receipt["rows_in"][0].as_py() != n_rows
                or any(standing.size_of(part["key"]) != part["n_bytes"] for part in receipt["parts"][0].as_py())
                or ("rows_unrepresented" in receipt.column_names and receipt["rows_unrepresented"][0].as_py())
            ):
                stale.append(window)
        return missing, stale

    def suppressed(self) -> Suppression:
        """Return the suppression list as it is now.

        Raises:
            ContractError: A file of it is damaged.
            ServiceError: The disk or the service refused.
        """
        return self._suppression_files().load()

    @abstractmethod
    def suppress(self, rows: pa.Table) -> int:
        """Put `rows` (`suppression.SCHEMA`) on the list for good, and return how many were new.

        No run that is under way, nor any later one, puts such a post into a window after that.

        Raises:
            ContractError: A file of the list is damaged.
            ServiceError: The disk or the service refused.
        """

    @abstractmethod
    def recover(self) -> int:
        """Finish rewritings that a killed run had begun to put in place; returns their number.

        Raises:
            ServiceError: The disk or the service refused.
        """

    def holding(self, suppression: Suppression, among: Iterable[Place] | None = None) -> dict[Place, Withheld]:
        """Return the places that hold posts of `suppression`, and what a rewriting would take out of each.

        Only ids are read. Parts are looked at whether or not a receipt vouches for them.

        Args:
            suppression: The list.
            among: Places to look at; the whole lake when None.

        Raises:
            ContractError: An object cannot be read.
            ServiceError: The disk or the service refused.
        """
        places = list(self.places() if among is None else among)

        def looked(place: Place) -> Withheld:
            return look(place, self._read, self._withheld(suppression))

        with ThreadPoolExecutor(self._n_readers) as pool:
            found = dict(zip(places, pool.map(looked, places), strict=True))
        return {place: withheld for place, withheld in found.items() if withheld.has_any}

    def forget(self, places: Iterable[Place]) -> list[Receipt]:
        """Rewrite `places` without the posts on the suppression list, each whole or not at all.

        Returns:
            One receipt per place, same order; `is_skipped` where another run replaced it meanwhile.

        Raises:
            ContractError: An object cannot be read.
            ServiceError: The disk or the service refused; says which window and what state it is in.
        """
        listed = list(places)
        standing = self._standing([place.receipt_key for place in listed])
        return self._replace(
            [
                Job(
                    place.what,
                    place.receipt_key,
                    partial(
                        prepare_rewriting,
                        place,
                        read=self._read,
                        receipt=standing.receipt(place.receipt_key),
                        size=self._part_size,
                    ),
                )
                for place in listed
            ]
        )

    def stored_ids(self) -> Iterator[str]:
        """Yield every id the lake holds, as it is stored; some more than once."""
        for place in self.places():
            yield from ids_of(place, self._read)

    def places(self) -> list[Place]:
        """Return every window that has data, and every source file with undated input."""
        return places_of(self._data_versions())

    _n_readers = 2

    def _withheld(self, suppression: Suppression) -> Withheld:
        return Withheld(suppression, self._hashes_of)

    def _hashes_of(self, ids: Sequence[str | None]) -> Sequence[str | None]:
        if self.privacy_mode == "signal":
            return ids
        if self._hash_of is None:
            msg = f"lake {self.name} has a suppression list; open it with the key that the list was made with"
            raise UsageError(msg)
        return [None if tweet_id is None else self._hash_of(tweet_id) for tweet_id in ids]

    @abstractmethod
    def _suppression_files(self) -> SuppressionFiles:
        """Return the files of the list."""

    @abstractmethod
    def _data_versions(self) -> dict[str, str]:
        """Return the version of every data object, by key."""

    @abstractmethod
    def _read(self, key: str) -> pa.NativeFile | str | None:
        """Open a data object; None where it has just gone."""

    @abstractmethod
    def _standing(self, receipt_keys: Sequence[str]) -> Standing:
        """Return what the lake holds for these receipts and their parts."""

    @abstractmethod
    def _replace(self, jobs: Sequence[Job]) -> list[Receipt]:
        """Prepare `jobs` and put their files in place; one receipt each, same order."""

    def _check_fits(self, batch: Batch, provenance: Provenance) -> None:
        others = sorted({window.minutes for window in batch.windows} - {self.window_minutes})
        if others:
            msg = f"lake {self.name} keeps windows of {self.window_minutes} minutes, not of {others[0]}"
            raise UsageError(msg)
        if provenance.privacy_mode != self.privacy_mode:
            msg = f"lake {self.name} keeps data of {self.privacy_mode} mode, not of {provenance.privacy_mode} mode"
            raise UsageError(msg)
