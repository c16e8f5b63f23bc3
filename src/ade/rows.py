"""Rows of a user's file: each one's text, or why it has none, by the rules of the flows; and their summary."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ade import terminal
from ade.files import STANDARD_OUTPUT
from adverse_events.errors import UsageError
from adverse_events.source.columns import Columns
from adverse_events.source.posts import PostReader
from adverse_events.source.protocol import Reject
from adverse_events.source.rows import read_rows

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""The rules ask for a time; these commands have no use for it."""


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row.

    Attributes:
        number: Its position among the rows of the file, from 1.
        text: Not masked; None when the row was refused.
        error: Why it was refused, such as ``null_text``; None when it was not.
        values: The row's columns.
    """

    number: int
    text: str | None = field(repr=False)
    error: str | None
    values: Mapping[str, Any] = field(repr=False)


def text_rows(file: Path, text_column: str, *, max_characters: int, also: tuple[str, ...] = ()) -> Iterator[TextRow]:
    """Open `file` now and return its rows, read as they are asked for.

    Args:
        file: CSV, TSV, JSON lines or Parquet; text formats may be compressed.
        text_column: Column of the text; for posts in X API v2 shape, ``text`` prefers the whole ``note_tweet``.
        max_characters: Longest text taken.
        also: Further columns that must be there.

    Raises:
        UsageError: No such file, an empty file, a kind that is not known, or no such column.
        ContractError: Now or while reading: the file is damaged.
    """
    if not file.is_file():
        problem = "is a folder; name one file" if file.is_dir() else "no such file"
        msg = f"{file}: {problem}"
        raise UsageError(msg)
    rows = read_rows(file, needs=(text_column, *also))
    reader = PostReader(Columns(text_column, None, None, None, None), file.name, _ANY_TIME, max_characters)
    return (_text_row(number, reader.read(row), row.values) for number, row in enumerate(rows, 1))


def conclude(summary: dict[str, Any], line: str, output: Path, *, as_json: bool) -> None:
    """Print what became of a file: its `summary` as JSON or the `line` for people, and never among its rows."""
    if str(output) == STANDARD_OUTPUT:
        terminal.note(json.dumps(summary) if as_json else line)
    elif as_json:
        terminal.show_json(summary)
    else:
        terminal.show_line(f"{line}; written to {output}")


def refused_line(refused: Counter[str]) -> str:
    """Return how many rows were refused and why, such as ``2 rejected (2 null_text)``."""
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(refused.items()))
    return f"{refused.total():,} rejected{f' ({reasons})' if reasons else ''}"


def _text_row(number: int, outcome: Any, values: Mapping[str, Any]) -> TextRow:
    if isinstance(outcome, Reject):
        return TextRow(number, None, outcome.reason, values)
    return TextRow(number, outcome.text, None, values)
