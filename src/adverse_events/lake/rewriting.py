"""Windows rewritten without the posts of the suppression list, from their own files."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adverse_events.errors import ContractError
from adverse_events.lake.assessment import CountedChunks
from adverse_events.lake.forgetting import ASSESSMENT_IDS, REJECT_IDS
from adverse_events.lake.parts import PartSize, write_parts, write_table
from adverse_events.lake.preparation import Prepared, parts_of
from adverse_events.lake.receipt import Receipt, restated, tally_of
from adverse_events.staging import Tally
from adverse_events.tables import ASSESSMENTS, REJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from adverse_events.lake.forgetting import Withheld
    from adverse_events.tables import Table

    Read = Callable[[str], "pa.NativeFile | str | None"]
    """Opens an object of the lake by key; None where it has just gone."""

_ROWS_AT_ONCE = 20_000
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_PART = PartSize(rows_per_part=PartSize().row_group_rows * 10**9)


@dataclass(frozen=True, order=True)
class Place:
    """The data objects that one receipt vouches for: those of a window, or the undated input of one source file.

    Attributes:
        receipt_key: Where the receipt lies, or would.
        versions: Each data object and its version, sorted by key.
    """

    receipt_key: str
    versions: tuple[tuple[str, str], ...]

    @property
    def is_undated(self) -> bool:
        """Whether it is the input of a source file whose time could not be read."""
        return not self.receipt_key.endswith("/receipt.parquet")

    @property
    def what(self) -> str:
        """Its name in messages."""
        _, date, time, name = self.receipt_key.split("/")
        if self.is_undated:
            return f"undated input {name.removesuffix('.parquet')}"
        clock = time.removeprefix("event_time=")
        return f"window {date.removeprefix('event_date=')}T{clock[:2]}:{clock[2:]}Z"

    @property
    def globs(self) -> tuple[str, ...]:
        """Patterns of every key that a rewriting replaces."""
        if self.is_undated:
            return (f"{REJECTS.name}/{self.receipt_key.partition('/')[2]}",)
        folder = self.receipt_key.partition("/")[2].rpartition("/")[0]
        return tuple(f"{table.name}/{folder}/part-*.parquet" for table in (ASSESSMENTS, REJECTS))

    def keys(self, table: Table) -> list[str]:
        """Return the data objects of one table, in order."""
        return [key for key, _ in self.versions if key.startswith(f"{table.name}/")]


def places_of(versions: Mapping[str, str]) -> list[Place]:
    """Sort data objects, given by key with their version, into places, in order of their receipts' keys."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for key, version in versions.items():
        folder, _, name = key.partition("/")[2].rpartition("/")
        receipt = name if name.startswith("undated-") else "receipt.parquet"
        grouped.setdefault(f"receipts/{folder}/{receipt}", []).append((key, version))
    return sorted(Place(receipt, tuple(sorted(objects))) for receipt, objects in grouped.items())


def look(place: Place, read: Read, withheld: Withheld) -> Withheld:
    """Count what a rewriting would take out; only ids are read.

    Raises:
        ContractError: An object cannot be read.
    """
    for _ in withheld.from_assessments(_stored(place.keys(ASSESSMENTS), read, ASSESSMENT_IDS)):
        pass
    for _ in withheld.from_rejects(_stored(place.keys(REJECTS), read, REJECT_IDS)):
        pass
    return withheld


def ids_of(place: Place, read: Read) -> Iterator[str]:
    """Yield every id that `place` holds: of posts, of their duplicates and of rejects."""
    for rows in _stored(place.keys(ASSESSMENTS), read, ASSESSMENT_IDS):
        yield from rows.column("tweet_id").to_pylist()
        yield from pc.list_flatten(rows.column("duplicate_tweet_ids")).to_pylist()
    for rows in _stored(place.keys(REJECTS), read, REJECT_IDS):
        yield from rows.column("tweet_id").drop_null().to_pylist()


def prepare_rewriting(
    place: Place, *, read: Read, receipt: pa.Table | None, withheld: Withheld, stem: Path, size: PartSize
) -> Prepared:
    """Write the files of `place` without what is withheld, under `stem`, streaming.

    Rows keep their order, columns and versions, so that the files are those a run would have written that had never
    read the posts.

    Args:
        place: What is rewritten.
        read: Opens its objects.
        receipt: Its receipt; None where a killed run left parts without one, and then there is none after.
        withheld: Takes the rows out.
        stem: Folder and first letters of the files' names.
        size: How the rows of a window are cut.

    Raises:
        ContractError: An object cannot be read.
        OSError: The disk refused.
    """
    size = _ONE_PART if place.is_undated else size
    rows = CountedChunks(withheld.from_assessments(_stored(place.keys(ASSESSMENTS), read)))
    assessments = write_parts(rows, ASSESSMENTS, stem, size, _schema(place.keys(ASSESSMENTS), read))
    rejects = withheld.from_rejects(_stored(place.keys(REJECTS), read))
    refused = write_parts(rejects, REJECTS, stem, size, _schema(place.keys(REJECTS), read))
    files = {
        glob.replace("part-*", f"part-{index:04d}"): part
        for table, parts in ((ASSESSMENTS, assessments), (REJECTS, refused))
        for glob in place.globs
        if glob.startswith(f"{table.name}/")
        for index, part in enumerate(parts)
    }
    stored = receipt.to_pylist()[0] if receipt else {}
    account = Receipt(
        key=place.receipt_key,
        window_start=stored.get("window_start", _NO_TIME),
        window_end=stored.get("window_end", _NO_TIME),
        tally=withheld.settle(tally_of(stored) if stored else Tally()),
        rows_assessed=rows.n_rows,
        rows_positive=rows.n_positive,
        n_events=rows.n_events,
        rows_unrepresented=(stored.get("rows_unrepresented") or 0) + withheld.rows_unrepresented,
    )
    account = replace(account, parts=parts_of(files))
    receipt_rows = receipt_file = None
    if receipt:
        receipt_rows = restated(receipt, account, datetime.now(UTC))
        receipt_file = stem.with_name(f"{stem.name}-receipt.parquet")
        write_table(receipt_rows, receipt_file)
    paths = {key: path for key, (path, _) in files.items()}
    return Prepared(paths, account, receipt_rows, receipt_file, place.globs, dict(place.versions))


def _stored(keys: Iterable[str], read: Read, columns: tuple[str, ...] | None = None) -> Iterator[pa.Table]:
    for key in keys:
        source = read(key)
        if source is None:
            continue
        try:
            with pq.ParquetFile(source) as file:
                for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(columns) if columns else None):
                    yield pa.Table.from_batches([batch])
        except (pa.ArrowInvalid, OSError) as error:
            detail = f"{key} cannot be read ({type(error).__name__}); remove it and run its window again"
            raise ContractError("lake", detail) from error


def _schema(keys: list[str], read: Read) -> pa.Schema | None:
    """Return the schema that the writer of these objects gave; Arrow's own reader adds field numbers to it."""
    source = read(keys[0]) if keys else None
    if source is None:
        return None
    with pq.ParquetFile(source) as file:
        given = (file.metadata.metadata or {}).get(b"ARROW:schema")
        if given is None:
            return file.schema_arrow
        return pa.ipc.read_schema(pa.BufferReader(base64.b64decode(given)))
