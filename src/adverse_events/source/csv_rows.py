"""Rows of CSV and TSV files as people really write them."""

from __future__ import annotations

import csv
from collections import deque
from typing import TYPE_CHECKING

from adverse_events.errors import UsageError
from adverse_events.source.files import open_bytes
from adverse_events.source.row import INVALID_UTF8, Refusal, Row

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

MAX_RECORD_BYTES = 4 << 20
"""A longer record is a quotation mark that nobody closed, not a post."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_BARE_RETURN = "\udc0d"
"""Stands for a carriage return inside a line while the csv module looks at it, which would end the row there.

No decoded text can hold it: surrogateescape makes U+DC80 to U+DCFF only.
"""

_MALFORMED = Refusal("malformed_csv", "a quotation mark opens a field and is not closed; double quotes inside fields")


def columns_of(path: Path, *, delimiter: str) -> tuple[str, ...]:
    """Return the column names of a CSV file, blanks around them removed.

    Args:
        path: File with a header, plain or compressed.
        delimiter: Between fields.

    Raises:
        UsageError: No such file, an empty one, or a header that cannot be read or repeats a name.
        ContractError: The file is cut short or damaged.
    """
    with open_bytes(path) as stream:
        return _header(next(_records(stream, delimiter), (b"", None)), path)


def rows_of(path: Path, *, delimiter: str) -> Iterator[Row]:
    """Yield the rows of a CSV file, in order; arguments and errors as for `columns_of`.

    Only a line feed outside quotes ends a row; blank lines are no rows. A row that cannot be read is refused by
    itself: reading goes on at the line after its first.
    """
    with open_bytes(path) as stream:
        records = _records(stream, delimiter)
        header = _header(next(records, (b"", None)), path)
        for number, (raw, fields) in enumerate(records, 1):
            if fields is None:
                yield Row(number, {}, raw, _MALFORMED)
            elif len(fields) != len(header):
                detail = f"{len(fields)} fields where the header has {len(header)}; quote fields that hold a delimiter"
                yield Row(number, {}, raw, Refusal("ragged_row", detail))
            elif raw.isascii() or _is_utf8(raw):
                yield Row(number, dict(zip(header, fields, strict=True)), raw)
            else:
                yield Row(number, {}, raw, INVALID_UTF8)


def _header(record: tuple[bytes, list[str] | None], path: Path) -> tuple[str, ...]:
    raw, fields = record
    if fields is None or not _is_utf8(raw):
        msg = f"{path}: the first line is no header of column names in UTF-8"
        raise UsageError(msg)
    names = tuple(name.strip() for name in fields)
    twice = next((number for number, name in enumerate(names, 1) if name and name in names[: number - 1]), None)
    if twice is not None:
        msg = f"{path}: column {twice} has the name of an earlier one; rename it"
        raise UsageError(msg)
    return names


def _records(stream: io.BufferedReader, delimiter: str) -> Iterator[tuple[bytes, list[str] | None]]:
    """Yield each record's bytes and fields, None for fields that cannot be told apart."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    lines = _Lines(stream)
    # Strict, or else an unclosed quotation mark would silently swallow the rows after it.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.held.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.give_back_all_but_first()
            yield _unended(lines.held[0]), _lenient_fields(lines.held[0], delimiter)
            continue
        raw = _unended(b"".join(lines.held))
        if raw.strip(b" \r\n"):
            if b"\r" in raw:
                fields = [field.replace(_BARE_RETURN, "\r") for field in fields]
            yield raw, fields


def _lenient_fields(line: bytes, delimiter: str) -> list[str] | None:
    """Return the fields of a line with stray quotation marks, as spreadsheets read it; None if it has no end."""
    reader = csv.reader([_decoded(line), "\n"], delimiter=delimiter)
    try:
        fields = next(reader)
    except csv.Error:
        return None
    return [field.replace(_BARE_RETURN, "\r") for field in fields] if reader.line_num == 1 else None


class _Lines:
    """Lines of a file, held until the record they belong to is complete."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self.held: list[bytes] = []
        self._stream = stream
        self._again: deque[bytes] = deque()
        self._at_start = True

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline()
        if self._at_start:
            line, self._at_start = line.removeprefix(_BYTE_ORDER_MARK), False
        if not line:
            raise StopIteration
        self.held.append(line)
        return _decoded(line)

    def give_back_all_but_first(self) -> None:
        """Have the lines after the first of the current record read again."""
        self._again.extendleft(reversed(self.held[1:]))


def _decoded(line: bytes) -> str:
    text = line.decode("utf-8", "surrogateescape")
    if "\r" not in text:
        return text
    body, end = (text[:-2], "\r\n") if text.endswith("\r\n") else (text, "")
    return body.replace("\r", _BARE_RETURN) + end


def _unended(raw: bytes) -> bytes:
    return raw.removesuffix(b"\n").removesuffix(b"\r")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
