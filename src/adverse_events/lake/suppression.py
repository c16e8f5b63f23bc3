"""The suppression list: keyed hashes of posts that may never be stored again, kept beside the lake's tables.

Files are only ever added, each named by the hash of its rows: two runs at once add two files, a run that is repeated
adds none, and one that was killed added a whole file or none. Where many have gathered, one file takes their place.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adverse_events.errors import ContractError
from adverse_events.tables import TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

FOLDER = "_suppressed"
"""Where the files lie in the lake; engines that read the folder skip names with a leading underscore."""

DIGEST_BYTES = 16
_DIGEST = f"S{DIGEST_BYTES}"
_HEX_DIGITS = 2 * DIGEST_BYTES

MOST_FILES = 32
"""Files beyond which they are made one: a list that grows daily would else cost a request per day of its life."""

SCHEMA = pa.schema(
    [
        pa.field("tweet_hash", pa.binary(DIGEST_BYTES), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("suppressed_at", TIMESTAMP, nullable=False),
    ]
)


@dataclass(frozen=True)
class Suppression:
    """Posts that may not be stored, by the keyed hash of their id.

    Attributes:
        rows: Schema `SCHEMA`, sorted by hash, each hash once.
        token: Names the files it was read from; equal tokens, equal lists.
    """

    rows: pa.Table = field(default_factory=SCHEMA.empty_table)
    token: str = ""

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def positions_of(self, hashes: Sequence[str | None]) -> NDArray[np.int64]:
        """Return where each hash stands in `rows`; -1 where it does not.

        Args:
            hashes: As `privacy.IdentityKey.pseudonym` writes them; whatever else is given is not found.
        """
        found = np.full(len(hashes), -1, np.int64)
        if not len(self) or not hashes:
            return found
        wanted = _digests(hashes)
        places = np.searchsorted(self._hashes, wanted).clip(max=len(self) - 1)
        is_found = (self._hashes[places] == wanted) & (wanted != b"")
        found[is_found] = places[is_found]
        return found

    def reasons_at(self, positions: NDArray[np.int64]) -> list[str]:
        """Return the reasons at `positions`, none of them -1."""
        return [str(reason) for reason in self._reasons[positions]]

    def with_more(self, more: pa.Table) -> Suppression:
        """Return the list with `more` rows, which count where a hash is new."""
        return Suppression(_merged([self.rows, more]), self.token)

    def without_known(self, rows: pa.Table) -> pa.Table:
        """Return those of `rows` whose hash is not on the list, each once, sorted."""
        rows = _merged([rows])
        digests = _array(rows)
        if not len(self):
            return rows
        places = np.searchsorted(self._hashes, digests).clip(max=len(self) - 1)
        return rows.filter(pa.array(self._hashes[places] != digests))

    @cached_property
    def _hashes(self) -> NDArray[Any]:
        return _array(self.rows)

    @cached_property
    def _reasons(self) -> NDArray[Any]:
        return np.asarray(self.rows.column("reason").to_pylist(), dtype=object)


def rows_of(entries: Iterable[tuple[str, str]], at: datetime) -> pa.Table:
    """Return entries (hash, 32 hex digits, and reason) as rows of `SCHEMA`, suppressed `at`."""
    pairs = list(entries)
    columns = [
        pa.array([bytes.fromhex(digest) for digest, _ in pairs], SCHEMA.field("tweet_hash").type),
        pa.array([reason for _, reason in pairs], pa.string()),
        pa.array([at] * len(pairs), TIMESTAMP),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


class SuppressionFiles(ABC):
    """The files of one lake's list. A subclass says where they lie, and is hashable by that place."""

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Return the names of the files there are, sorted."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; None where it has just gone."""

    @abstractmethod
    def add(self, name: str, data: bytes) -> None:
        """Keep `data` for good under `name`; one that is there already is the same."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file whose rows another holds."""

    def load(self) -> Suppression:
        """Return the list as it is now.

        Raises:
            ContractError: A file is damaged.
            ServiceError: The disk or the service refused.
        """
        while True:
            names = self.names()
            loaded = _load(self, names)
            if loaded is not None:
                return loaded

    def suppress(self, rows: pa.Table) -> int:
        """Put `rows` on the list and return how many were new.

        Raises:
            ContractError: A file is damaged.
            ServiceError: The disk or the service refused.
        """
        known = self.load()
        new = known.without_known(rows)
        if not new.num_rows:
            return 0
        names = self.names()
        folded = names if len(names) >= MOST_FILES else ()
        kept = known.with_more(new).rows if folded else new
        name, data = _file_of(kept)
        self.add(name, data)
        for old in folded:
            if old != name:
                self.remove(old)
        return int(new.num_rows)

    def token(self) -> str:
        """Return the token of the list as it is now."""
        return self.token_of(self.names())

    @staticmethod
    def token_of(names: Sequence[str]) -> str:
        """Return the token of the list in the files `names`."""
        return hashlib.sha256("\n".join(names).encode()).hexdigest() if names else ""


@lru_cache(maxsize=2)
def _load(files: SuppressionFiles, names: tuple[str, ...]) -> Suppression | None:
    tables = []
    for name in names:
        data = files.read(name)
        if data is None:
            return None
        try:
            tables.append(pq.read_table(pa.BufferReader(data), schema=SCHEMA))
        except (pa.ArrowInvalid, OSError) as error:
            detail = f"{FOLDER}/{name} is damaged ({type(error).__name__}); restore that file from a backup"
            raise ContractError("suppression list", detail) from error
    return Suppression(_merged(tables), files.token_of(names)) if tables else Suppression()


def _file_of(rows: pa.Table) -> tuple[str, bytes]:
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd", use_dictionary=["reason"])
    content = hashlib.sha256(_array(rows).tobytes()).hexdigest()
    return f"part-{content[:32]}.parquet", sink.getvalue().to_pybytes()


def _merged(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of `tables` by hash; of several with one hash, the earliest."""
    rows = (
        pa.concat_tables(tables)
        .combine_chunks()
        .sort_by([("tweet_hash", "ascending"), ("suppressed_at", "ascending"), ("reason", "ascending")])
    )
    digests = _array(rows)
    is_first = np.concatenate(([True], digests[1:] != digests[:-1])) if len(digests) else np.zeros(0, bool)
    return rows.filter(pa.array(is_first)).combine_chunks()


def _array(rows: pa.Table) -> NDArray[Any]:
    column = rows.column("tweet_hash").combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    digests = column.buffers()[1]
    if not len(column) or digests is None:
        return np.zeros(0, _DIGEST)
    return np.frombuffer(digests, _DIGEST, count=len(column), offset=column.offset * DIGEST_BYTES)


def _digests(hashes: Sequence[str | None]) -> NDArray[Any]:
    """Return hashes as bytes; what is none is empty, which no hash is."""
    try:
        if all(value is not None and len(value) == _HEX_DIGITS for value in hashes):
            return np.frombuffer(bytes.fromhex("".join(hashes)), _DIGEST)  # type: ignore[arg-type]
    except ValueError:
        pass
    return np.array([_digest(value) for value in hashes], _DIGEST)


def _digest(value: str | None) -> bytes:
    try:
        return bytes.fromhex(value) if value is not None and len(value) == _HEX_DIGITS else b""
    except ValueError:
        return b""
