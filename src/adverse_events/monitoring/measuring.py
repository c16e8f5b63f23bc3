"""What a stretch of a lake came to: counted in DuckDB, small however large the lake is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from adverse_events.lake.ranges import between, moment, ms, within

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from adverse_events.lake.reader import LakeReader

EDGES: Final = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
"""Where the scores are cut into ten classes; close at both ends, where a classifier's scores lie."""


class Stretch(BaseModel, frozen=True, extra="forbid"):
    """Counts of the windows that start in ``[start, end)``."""

    start: datetime
    end: datetime
    n_windows: int
    first_window: datetime | None = Field(description="Start of the first window there is.")
    rows_in: int
    rows_assessed: int
    rows_positive: int
    rows_rejected: int
    n_units: int = Field(description="Units paid services charged.")
    seconds: float = Field(description="Station seconds: the windows' part of their batches'.")
    scores: tuple[int, ...] = Field(description="Assessed posts by class of ade_probability, see `EDGES`.")
    languages: dict[str, int] = Field(description="Assessed posts by language; empty where none is known.")
    drugs: dict[str, int] = Field(description="Assessed posts that name an ingredient, by ingredient.")
    models: tuple[str, ...] = Field(description="Models that scored them.")
    coders: tuple[str, ...]

    @property
    def days(self) -> float:
        """Length, days."""
        return (self.end - self.start).total_seconds() / 86_400

    @property
    def days_covered(self) -> float:
        """Length from the first window there is, days; 0 without one."""
        return (self.end - self.first_window).total_seconds() / 86_400 if self.first_window else 0.0


def newest(reader: LakeReader) -> datetime | None:
    """Return the end of the last window there is; None where there is none."""
    with reader.connect() as connection:
        (found,) = _rows(connection, "SELECT max(epoch_ms(window_end)) AS at FROM receipts", [])
    # The receipts of undated input lie in 1970.
    return moment(found["at"]) if found["at"] and moment(found["at"]).year > _UNDATED_YEAR else None


_UNDATED_YEAR = 1970


def measure(
    reader: LakeReader, start: datetime, end: datetime, around: tuple[datetime, datetime] | None = None
) -> Stretch:
    """Measure the windows that start in ``[start, end)``.

    Args:
        reader: The lake.
        start: First instant, UTC.
        end: First instant after.
        around: Where further windows are looked for that were made in the same batches, whose time is shared.

    Raises:
        UsageError: No such lake.
    """
    bounds = between(ms(start), ms(end))
    with reader.connect() as connection:
        (counts,) = _rows(connection, _COUNTS, bounds)
        whole = between(*map(ms, around or (start, end)))
        (timed,) = _rows(connection, _SECONDS, [*bounds[2:], *whole])
        made_by = _rows(connection, _VERSIONS, bounds)
        scores = {row["class"]: row["n"] for row in _rows(connection, _SCORES, bounds)}
        languages = {row["lang"]: row["n"] for row in _rows(connection, _LANGUAGES, bounds)}
        drugs = {row["ingredient"]: row["n"] for row in _rows(connection, _DRUGS, bounds)}
    return Stretch(
        start=start,
        end=end,
        first_window=moment(earliest) if (earliest := counts.pop("first_ms")) else None,
        **counts,
        seconds=timed["seconds"],
        scores=tuple(scores.get(number, 0) for number in range(len(EDGES) + 1)),
        languages=languages,
        drugs=drugs,
        models=tuple(sorted({row["model_version"] for row in made_by})),
        coders=tuple(sorted({row["coder_version"] for row in made_by})),
    )


_OF_WINDOWS = f"FROM receipts WHERE {within('window_start')}"
_OF_POSTS = f"FROM assessments WHERE {within('created_at')}"

_COUNTS = f"""
    SELECT count(*)::BIGINT AS n_windows,
           min(epoch_ms(window_start)) AS first_ms,
           coalesce(sum(rows_in), 0)::BIGINT AS rows_in,
           coalesce(sum(rows_assessed), 0)::BIGINT AS rows_assessed,
           coalesce(sum(rows_positive), 0)::BIGINT AS rows_positive,
           coalesce(sum(rows_rejected), 0)::BIGINT AS rows_rejected,
           coalesce(sum(list_sum([u.n_units FOR u IN billable_units])), 0)::BIGINT AS n_units
    {_OF_WINDOWS}
"""
# Windows of one batch repeat its times: each window takes its part of them, by its inputs.
_SECONDS = f"""
    SELECT coalesce(sum(s * n_here / n), 0)::DOUBLE AS seconds
    FROM (
        SELECT sum(rows_in) AS n,
               sum(rows_in) FILTER (epoch_ms(window_start) >= ? AND epoch_ms(window_start) < ?) AS n_here,
               list_sum([d.seconds FOR d IN any_value(durations)]) AS s
        {_OF_WINDOWS}
        GROUP BY durations
    )
    WHERE n > 0
"""  # noqa: S608
_VERSIONS = f"SELECT DISTINCT model_version, coder_version {_OF_WINDOWS}"
_CLASS = " + ".join(f"(ade_probability >= {edge})::INT" for edge in EDGES)
_SCORES = f"SELECT {_CLASS} AS class, count(*)::BIGINT AS n {_OF_POSTS} GROUP BY ALL"
_LANGUAGES = f"SELECT coalesce(lang, '') AS lang, count(*)::BIGINT AS n {_OF_POSTS} GROUP BY ALL ORDER BY ALL"
_DRUGS = f"""
    SELECT ingredient, count(*)::BIGINT AS n
    FROM (SELECT unnest(list_distinct([d.ingredient FOR d IN drug_mentions])) AS ingredient {_OF_POSTS})
    GROUP BY ALL ORDER BY n DESC, ingredient
"""  # noqa: S608


def _rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[date | int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.sql(query, params=parameters).to_arrow_table().to_pylist()
    return rows
