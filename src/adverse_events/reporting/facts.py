"""The facts of a stretch of the lake: the account, the counts, and the positives a person may read.

Counting happens in DuckDB; what leaves it is small however large the lake is.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from adverse_events.errors import TransientServiceError, UsageError
from adverse_events.lake.query import LocalReader
from adverse_events.lake.ranges import between, moment, ms, within
from adverse_events.reporting.account import UNDATED, Account, account_of
from adverse_events.reporting.positive import (
    NOT_READ,
    PRIORITIES,
    ROUTINE,
    SERIOUS,
    SPECIAL,
    UNCODED,
    Positive,
    positive_of,
)
from adverse_events.windows import as_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from adverse_events.lake.reader import LakeReader

MAX_POSITIVES = 2_000
"""Posts a report carries in full: about 1.5 MB of page, and more than one person reads."""

MAX_HOURLY_CELLS = 50_000
"""Above this many cells by the hour, a report counts by the day: its page would pass 5 MB."""

_ATTEMPTS = 3
"""A writer may replace a file between listing and reading; the next look finds the new one."""

_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cell:
    """How many positive posts share a stretch of time, the drugs they name, the events they report and a priority.

    Attributes:
        start: First instant of the hour or day, UTC.
        ingredients: Distinct, sorted; empty when screening did not ask for a drug.
        codes: Distinct ICD-10-CM codes of the events that count (`positive.EventSpan.is_event`), sorted; without a
            category that another of the post's codes belongs to (`select.most_specific`).
        n_posts: At least 1.
        priority: One of `positive.PRIORITIES`.
    """

    start: datetime
    ingredients: tuple[str, ...]
    codes: tuple[str, ...]
    n_posts: int
    priority: str = ROUTINE


@dataclass(frozen=True)
class ReportFacts:
    """Everything a report states about the windows that start in ``[start, end)``.

    Attributes:
        start: Asked for; None for no limit.
        end: Asked for; None for no limit.
        account: What the receipts say. Undated input is part of it only when neither limit is given.
        n_positives: Positive posts in the lake. Differs from ``account.rows_positive`` only while a window
            is being written, or after a run was killed in the middle of one.
        positives: At most the cap asked for, by priority and then highest probability first.
        cells: All positive posts, counted.
        minutes_per_cell: 60, or 1440 when there would be more than `MAX_HOURLY_CELLS`.
        descriptions: Description of every code found in the positive posts, counted or not.
    """

    start: datetime | None
    end: datetime | None
    account: Account
    n_positives: int
    positives: tuple[Positive, ...]
    cells: tuple[Cell, ...]
    minutes_per_cell: int
    descriptions: Mapping[str, str]

    def posts_by_start(self) -> dict[datetime, int]:
        """Return positive posts by hour or day (see `minutes_per_cell`), in time order."""
        counts: Counter[datetime] = Counter()
        for cell in self.cells:
            counts[cell.start] += cell.n_posts
        return dict(sorted(counts.items()))

    def posts_by_priority(self) -> dict[str, int]:
        """Return positive posts by priority, most urgent first; only priorities that occur."""
        counts: Counter[str] = Counter()
        for cell in self.cells:
            counts[cell.priority] += cell.n_posts
        return {priority: counts[priority] for priority in PRIORITIES if counts[priority]}

    def top_ingredients(self, limit: int | None = None) -> list[tuple[str, int]]:
        """Return the ingredients named in most positive posts, with those posts."""
        return _top(((cell.ingredients, cell.n_posts) for cell in self.cells), limit)

    def top_codes(self, limit: int | None = None) -> list[tuple[str, int]]:
        """Return the codes of the events reported in most positive posts, with those posts; may hold `UNCODED`."""
        return _top(((cell.codes, cell.n_posts) for cell in self.cells), limit)

    def top_pairs(self, limit: int | None = None) -> list[tuple[tuple[str, str], int]]:
        """Return (ingredient, code) named in one post most often, with those posts. Together is not caused by."""
        pairs = (
            ([(drug, code) for drug in cell.ingredients for code in cell.codes], cell.n_posts) for cell in self.cells
        )
        return _top(pairs, limit)


def gather(
    lake: LakeReader | Path,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    max_positives: int = MAX_POSITIVES,
) -> ReportFacts:
    """Gather the facts of the windows that start in ``[start, end)``.

    Args:
        lake: What reads the lake, or the root folder of one on this machine.
        start: First instant, aware; None for the lake's first window.
        end: First instant after, aware; None for no end.
        max_positives: Posts carried in full; all are counted.

    Raises:
        UsageError: No such lake, a naive time, or an end that is not after the start.
        ContractError: The lake's marker is damaged, or newer code wrote it.
        ServiceError: The lake's bucket did not answer.
    """
    reader = LocalReader(lake) if isinstance(lake, Path) else lake
    first, last = _limits(start, end)
    for _ in range(_ATTEMPTS - 1):
        with suppress(duckdb.IOException, TransientServiceError):
            return _gather(reader, first, last, max_positives)
    return _gather(reader, first, last, max_positives)


def _gather(reader: LakeReader, first: datetime | None, last: datetime | None, max_positives: int) -> ReportFacts:
    with reader.connect() as connection:
        account = account_of(_receipts(connection, first, last))
        span = account.span
        bounds = between(ms(span.start), ms(span.end)) if span else between(0, 0)
        cells, minutes = _cells(connection, bounds)
        return ReportFacts(
            start=first,
            end=last,
            account=account,
            n_positives=sum(cell.n_posts for cell in cells),
            positives=_positives(connection, bounds, max_positives, with_reference=_is_signal_mode(account)),
            cells=cells,
            minutes_per_cell=minutes,
            descriptions=_descriptions(connection, bounds),
        )


def _limits(start: datetime | None, end: datetime | None) -> tuple[datetime | None, datetime | None]:
    first = None if start is None else as_utc(start, "start")
    last = None if end is None else as_utc(end, "end")
    if first is not None and last is not None and last <= first:
        msg = f"end {last:%Y-%m-%dT%H:%MZ} is not after start {first:%Y-%m-%dT%H:%MZ}"
        raise UsageError(msg)
    return first, last


def _receipts(connection: duckdb.DuckDBPyConnection, start: datetime | None, end: datetime | None) -> pa.Table:
    """Undated receipts lie in 1970: outside any range, inside no range."""
    is_bounded = start is not None or end is not None
    lowest = ms(start) if start else (ms(UNDATED) + 1 if is_bounded else ms(UNDATED))
    highest = ms(end) if end else ms(_LAST)
    query = f"SELECT * FROM receipts WHERE {within('window_start')}"  # noqa: S608 - this module's own text
    return connection.sql(query, params=between(lowest, highest)).to_arrow_table()


_PRIORITY = f"""
    CASE
        WHEN seriousness IS NULL THEN '{NOT_READ}'
        WHEN len(seriousness) > 0 THEN '{SERIOUS}'
        WHEN len(special_situations) > 0 THEN '{SPECIAL}'
        ELSE '{ROUTINE}'
    END
"""
_RANK = f"list_position([{', '.join(map(repr, PRIORITIES))}], {_PRIORITY})"

# As select.most_specific does.
_CODES = f"""
    list_filter(
        [coalesce(e.icd10cm_code, '{UNCODED}') FOR e IN events IF e.is_event],
        lambda c: c = '{UNCODED}' OR len(list_filter(
            [e.icd10cm_code FOR e IN events IF e.is_event], lambda o: o <> c AND starts_with(o, c)
        )) = 0
    )
"""

_POSITIVES = f"FROM assessments WHERE is_ade AND {within('created_at')}"


def _cells(connection: duckdb.DuckDBPyConnection, bounds: list[date | int]) -> tuple[tuple[Cell, ...], int]:
    for step in (_HOUR_MS, _DAY_MS):
        rows = _rows(
            connection,
            f"""
            SELECT epoch_ms(created_at) // {step} * {step} AS start_ms,
                   list_sort(list_distinct([d.ingredient FOR d IN drug_mentions])) AS ingredients,
                   list_sort(list_distinct({_CODES})) AS codes,
                   {_PRIORITY} AS priority,
                   count(*) AS n_posts
            {_POSITIVES}
            GROUP BY ALL ORDER BY ALL
            """,
            bounds,
        )
        if len(rows) <= MAX_HOURLY_CELLS:
            break
    cells = (
        Cell(moment(r["start_ms"]), tuple(r["ingredients"]), tuple(r["codes"]), r["n_posts"], r["priority"])
        for r in rows
    )
    return tuple(cells), step // 60_000


def _positives(
    connection: duckdb.DuckDBPyConnection, bounds: list[date | int], limit: int, *, with_reference: bool
) -> tuple[Positive, ...]:
    rows = _rows(
        connection,
        f"""
        SELECT tweet_id, text, epoch_ms(created_at) AS created_ms, lang, ade_probability, drug_mentions, events,
               n_duplicates, seriousness, special_situations
        {_POSITIVES}
        ORDER BY {_RANK}, ade_probability DESC, created_ms, tweet_id
        LIMIT ?
        """,
        [*bounds, limit],
    )
    return tuple(positive_of(row, with_reference=with_reference) for row in rows)


def _descriptions(connection: duckdb.DuckDBPyConnection, bounds: list[date | int]) -> dict[str, str]:
    rows = _rows(
        connection,
        f"""
        SELECT event.icd10cm_code AS code, max(event.icd10cm_description) AS description
        FROM (SELECT unnest(events) AS event {_POSITIVES})
        WHERE event.icd10cm_code IS NOT NULL
        GROUP BY code ORDER BY code
        """,  # noqa: S608 - built from this module's own constants
        bounds,
    )
    return {row["code"]: row["description"] or "" for row in rows}


def _is_signal_mode(account: Account) -> bool:
    (modes,) = (entry.values for entry in account.in_force if entry.name == "Privacy mode")
    return modes == ("signal",)


def _rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[date | int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.sql(query, params=parameters).to_arrow_table().to_pylist()
    return rows


def _top(weighted: Iterable[tuple[Iterable[Any], int]], limit: int | None) -> list[tuple[Any, int]]:
    counts: Counter[Any] = Counter()
    for keys, n_posts in weighted:
        for key in keys:
            counts[key] += n_posts
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
