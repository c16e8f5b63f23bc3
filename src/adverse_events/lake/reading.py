"""Reading what a lake holds of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_receipt(place: Path | pa.BufferReader, columns: Sequence[str] | None = None) -> pa.Table | None:
    """Return a stored receipt, or None where there is none that can be read: its window then counts as missing."""
    try:
        with pq.ParquetFile(place) as stored:
            return stored.read(columns=columns)
    except (OSError, pa.ArrowInvalid):
        return None
