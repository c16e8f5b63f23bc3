"""Whether two lakes hold the same assessments, row for row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.tables import ASSESSMENTS, PARTITION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from adverse_events.lake.reader import LakeReader

NAMES_THE_MAKER = frozenset({"coder_version"})
"""Columns that must differ: another part coded the posts."""


@dataclass(frozen=True)
class Comparison:
    """What became of the same posts in two lakes.

    Attributes:
        n_rows: Assessments in the one lake.
        n_rows_other: In the other.
        differing: Rows in which a column differs, by column; all columns but `NAMES_THE_MAKER` are compared, windows
            included. Empty where the numbers of rows differ.
    """

    n_rows: int
    n_rows_other: int
    differing: Mapping[str, int]

    @property
    def is_equal(self) -> bool:
        """Whether every row of one is in the other, equal in every column compared."""
        return self.n_rows == self.n_rows_other and not self.differing


def compare(one: LakeReader, other: LakeReader) -> Comparison:
    """Compare the assessments of two lakes.

    Raises:
        UsageError: One is no lake.
        ContractError: One is damaged.
        ServiceError: A remote one does not answer.
    """
    rows, rows_other = assessments(one), assessments(other)
    if rows.num_rows != rows_other.num_rows:
        return Comparison(rows.num_rows, rows_other.num_rows, {})
    differing = {}
    for name in rows.column_names:
        pairs = zip(rows.column(name).to_pylist(), rows_other.column(name).to_pylist(), strict=True)
        if n_differing := sum(value != value_other for value, value_other in pairs):
            differing[name] = n_differing
    return Comparison(rows.num_rows, rows_other.num_rows, differing)


def assessments(lake: LakeReader) -> pa.Table:
    """Return the assessments of a lake, the columns that are compared, in the order of windows and ids."""
    columns = [column.name for column in (*PARTITION_COLUMNS, *ASSESSMENTS.columns)]
    with lake.connect() as connection:
        rows = connection.table("assessments").select(*(name for name in columns if name not in NAMES_THE_MAKER))
        return rows.order("event_date, event_time, tweet_id").to_arrow_table()
