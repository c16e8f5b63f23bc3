"""Deletion lists: files of post ids that may no longer be kept, read line by line.

Source of the wire names of reasons and of the shape of a line of a compliance job's result: X API v2, "Batch
compliance", X developer documentation, read 2026-11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adverse_events.errors import UsageError
from adverse_events.source.files import format_of, open_bytes
from adverse_events.source.rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from adverse_events.source.row import Row

REASONS = ("deleted", "protected", "suspended", "deactivated", "withheld", "user_request")
"""Why a post may no longer be kept."""

ID_NAMES = ("id", "tweet_id", "id_str", "post_id", "status_id")
REASON_NAMES = ("reason", "why", "action")
KEEPS_POST = frozenset({"scrub_geo"})
"""What X asks for without asking for the post: only its place goes, and no place is stored as written."""

MAX_LINE_BYTES = 4096
LONGEST_ID = 512
DETAILS_KEPT = 20
"""Malformed lines that are named one by one; the rest are counted."""

_NO_ID = "\0"
"""Stands for a value that is neither text nor a whole number."""

_ROUNDED = re.compile(r"\d(?:\.\d*)?[eE]\+?\d+")
_ALIASES = {"delete": "deleted", "removed": "deleted", "private": "protected", "withheld_in": "withheld"}


@dataclass(frozen=True, slots=True)
class Deletion:
    """One post that may no longer be kept."""

    tweet_id: str
    reason: str


@dataclass
class Read:
    """What reading a list came to; complete once its entries were taken.

    Attributes:
        n_lines: Lines with content.
        n_malformed: Of those, lines that name no post.
        n_kept_posts: Lines that ask for less than the post, see `KEEPS_POST`.
        malformed: The first of the malformed, each as file, line and why; never what the line says.
    """

    n_lines: int = 0
    n_malformed: int = 0
    n_kept_posts: int = 0
    malformed: list[str] = field(default_factory=list)

    def refuse(self, origin: str, number: int, why: str) -> None:
        """Count a malformed line."""
        self.n_malformed += 1
        if len(self.malformed) < DETAILS_KEPT:
            self.malformed.append(f"{origin} line {number}: {why}")


def read_list(path: Path, read: Read, reason: str = "user_request") -> Iterator[Deletion]:
    """Yield the entries of a deletion list.

    CSV, TSV, JSON lines and Parquet name the id's column (`ID_NAMES`; a lone column needs no name) and perhaps the
    reason's; anything else is text with one id a line, a reason after it if it has its own. Blank lines and lines
    that begin with # are passed over. Any of them may be compressed.

    Args:
        path: The file.
        read: Counts what is read.
        reason: Reason of entries that give none.

    Raises:
        UsageError: No such file, an empty one, no column of ids, or nothing in it that names a post.
        ContractError: The file is cut short or damaged.
    """
    if reason not in REASONS:
        msg = f"{reason!r} is no reason for a deletion; it is one of {', '.join(REASONS)}"
        raise UsageError(msg)
    if not path.is_file():
        msg = f"{path}: no such file; give a file of post ids"
        raise UsageError(msg)
    entries = _table(path, read) if format_of(path) else _lines(path, read)
    for number, tweet_id, why in entries:
        read.n_lines += 1
        found = _id_problem(tweet_id)
        if found:
            read.refuse(path.name, number, found)
            continue
        given = reason_of(why, reason)
        if given is None:
            read.refuse(path.name, number, f"unknown reason; write one of {', '.join(REASONS)}, or none")
        elif given in KEEPS_POST:
            read.n_kept_posts += 1
        else:
            yield Deletion(tweet_id.strip(), given)
    if read.n_malformed and read.n_malformed == read.n_lines:
        msg = f"{path}: no line names a post ({read.malformed[0]}); write one id per line"
        raise UsageError(msg)


def reason_of(given: str | None, default: str) -> str | None:
    """Return a reason under our name, `default` where none is given, None where it is none of ours."""
    name = (given or "").strip().lower().replace(" ", "_").replace("-", "_")
    name = _ALIASES.get(name, name) or default
    return name if name in REASONS or name in KEEPS_POST else None


def _id_problem(tweet_id: str) -> str | None:
    given = tweet_id.strip()
    if not given:
        return "no id"
    if _ROUNDED.fullmatch(given):
        return "the id was rounded, as spreadsheets do; export ids as text"
    if len(given) > LONGEST_ID or not given.isprintable():
        return "not an id"
    try:
        given.encode()
    except UnicodeEncodeError:
        return "not UTF-8"
    return None


def _lines(path: Path, read: Read) -> Iterator[tuple[int, str, str | None]]:
    with open_bytes(path) as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                msg = f"{path}: line {number} is longer than {MAX_LINE_BYTES} bytes; this is no list of ids"
                raise UsageError(msg)
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError:
                read.n_lines += 1
                read.refuse(path.name, number, "not UTF-8; convert the file (iconv -t UTF-8)")
                continue
            if "\0" in text:
                msg = f"{path}: line {number} holds NUL bytes; this is no list of ids"
                raise UsageError(msg)
            if text and not text.startswith("#"):
                tweet_id, _, why = text.replace(",", " ").replace("\t", " ").partition(" ")
                yield number, tweet_id, why.strip() or None


def _table(path: Path, read: Read) -> Iterator[tuple[int, str, str | None]]:
    rows = read_rows(path)
    id_column = _named(rows.columns, ID_NAMES) or (rows.columns[0] if len(rows.columns) == 1 else None)
    reason_column = _named(rows.columns, REASON_NAMES)
    if id_column is None and rows.columns:
        msg = f"{path}: no column of ids; name one {', '.join(ID_NAMES)}"
        raise UsageError(msg)
    header = id_column if len(rows.columns) == 1 else None
    if header and header.strip().isdigit():
        # A lone column without a header: its first id was taken for the name.
        yield 0, header, None
    for row in _readable(rows, path, read):
        value = row.values.get(id_column or "id")
        yield row.number, _as_text(value), _as_reason(row.values, reason_column)


def _readable(rows: Iterable[Row], path: Path, read: Read) -> Iterator[Row]:
    for row in rows:
        if row.refusal:
            read.n_lines += 1
            read.refuse(path.name, row.number, row.refusal.detail)
        else:
            yield row


def _named(columns: tuple[str, ...], names: tuple[str, ...]) -> str | None:
    by_name = {column.strip().lower(): column for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), None)


def _as_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return "" if value is None else _NO_ID
    return str(value)


def _as_reason(values: Mapping[str, Any], column: str | None) -> str | None:
    value = values.get(column) if column else None
    return value if isinstance(value, str) else None
