"""Where things lie in a lake: object keys relative to its root, the same on a disk and in a bucket.

Keys depend on the window (or, for input without a readable time, on the file it came from) and
on nothing else, so that writing again replaces instead of adding.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adverse_events.windows import Window

MARKER_KEY = "_lake.json"
"""Says what the lake is; engines that read the folder skip names with a leading underscore."""

UNDATED_PARTITION = "event_date=1970-01-01/event_time=0000"
"""Partition of the input whose time could not be read."""


def part_key(table: str, window: Window, index: int) -> str:
    """Return the key of the `index`-th (from 0) data object of `table` in `window`."""
    return f"{table}/{window.partition}/part-{index:04d}.parquet"


def part_name(key: str) -> str:
    """Return a name for a copy of a data object, unlike that of any other of its window."""
    table, _, rest = key.partition("/")
    return f"{table}-{rest.rpartition('/')[2]}"


def part_globs(window: Window) -> tuple[str, ...]:
    """Return patterns that match every part of `window`, whatever their number."""
    return tuple(f"{table}/{window.partition}/part-*.parquet" for table in ("assessments", "rejects"))


def receipt_key(window: Window) -> str:
    """Return the key of the receipt of `window`."""
    return f"receipts/{window.partition}/receipt.parquet"


def undated_part_key(origin: str) -> str:
    """Return the key of the undated rejects of the source file `origin`."""
    return f"rejects/{UNDATED_PARTITION}/{_undated_name(origin)}"


def undated_receipt_key(origin: str) -> str:
    """Return the key of the receipt for the undated rejects of the source file `origin`."""
    return f"receipts/{UNDATED_PARTITION}/{_undated_name(origin)}"


def _undated_name(origin: str) -> str:
    return f"undated-{hashlib.sha256(origin.encode()).hexdigest()[:16]}.parquet"
