"""Rows of JSON files: one object per line or one document; posts alone, wrapped, or in response pages.

Source of the shapes: X API v2, "Tweet object" and the responses of GET /2/tweets and /2/tweets/search/recent, X
developer documentation, read 2026-11.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from adverse_events.errors import ContractError, UsageError
from adverse_events.source.files import open_bytes
from adverse_events.source.row import INVALID_UTF8, Refusal, Row

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

MAX_LINE_BYTES = 64 << 20
"""A response page of 500 posts with everything expanded stays below 10 MB."""

MAX_DOCUMENT_BYTES = 256 << 20
"""A whole document must be held in memory at once."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_AN_OBJECT = Refusal("not_a_post", "the value is no JSON object; write one post as one object")
_NO_POST = Refusal("not_a_post", "the response holds errors and no post")


def rows_of(path: Path, *, is_document: bool) -> Iterator[Row]:
    """Yield the posts of a JSON file, in order.

    Args:
        path: Plain or compressed.
        is_document: The file should hold one JSON value: a page, a post, or a list of either. A file whose first line
            is a whole object and not the only one is read as lines all the same.

    Raises:
        UsageError: No such file, an empty one, or a document too large to hold.
        ContractError: The file is cut short or damaged, or the document is not JSON.
    """
    with open_bytes(path) as stream:
        first = _line(stream, path, 1).removeprefix(_BYTE_ORDER_MARK)
        if not is_document or (_is_object(first) and stream.peek(1)):
            yield from _lines(first, stream, path)
        else:
            yield from _document(first, stream, path)


def _lines(first: bytes, stream: io.BufferedReader, path: Path) -> Iterator[Row]:
    line, number = first, 1
    while line:
        raw = line.strip()
        if raw:
            yield from posts_of(parsed(raw), number, raw)
        number += 1
        line = _line(stream, path, number)


def _line(stream: io.BufferedReader, path: Path, number: int) -> bytes:
    line = stream.readline(MAX_LINE_BYTES + 1)
    if len(line) > MAX_LINE_BYTES:
        msg = f"{path}: line {number} is longer than {MAX_LINE_BYTES >> 20} MiB; write one post or page per line"
        raise UsageError(msg)
    return line


def _document(first: bytes, stream: io.BufferedReader, path: Path) -> Iterator[Row]:
    raw = first + stream.read(MAX_DOCUMENT_BYTES + 1 - len(first))
    if len(raw) > MAX_DOCUMENT_BYTES:
        msg = (
            f"{path}: larger than {MAX_DOCUMENT_BYTES >> 20} MiB as one JSON document; write one post per line instead"
        )
        raise UsageError(msg)
    value = parsed(raw)
    if isinstance(value, Refusal):
        raise ContractError(str(path), f"{value.detail}; a file with one object per line should end in .jsonl")
    data = value.get("data") if isinstance(value, dict) else value
    elements = data if isinstance(data, list) else [value]
    for number, element in enumerate(elements, 1):
        yield from posts_of(element, number, None)


def parsed(raw: bytes) -> Any:
    """Return the value of `raw`, or the `Refusal` that says why it has none."""
    try:
        return from_json(raw)
    except ValueError:
        pass  # The fast parser also refuses what is sound but for a lone surrogate, perhaps in a field nobody reads.
    try:
        return json.loads(raw.decode())
    except UnicodeDecodeError:
        return INVALID_UTF8
    except RecursionError:
        return Refusal("malformed_json", "the JSON is nested too deeply")
    except json.JSONDecodeError as error:
        return Refusal("malformed_json", f"{error.msg} at character {error.pos + 1}")


def posts_of(value: Any, number: int, raw: bytes | None) -> Iterator[Row]:
    """Yield the posts that one line, one element of a document, or one answer of the API holds.

    Args:
        value: Its JSON, or why it has none.
        number: Its place.
        raw: Its bytes; None where it is part of something larger.
    """
    if isinstance(value, Refusal):
        yield Row(number, {}, raw or b"", value)
    elif not isinstance(value, dict):
        yield Row(number, {}, raw or _bytes(value), _NOT_AN_OBJECT)
    elif "id" in value or "text" in value:
        yield Row(number, value, raw or _bytes(value))
    elif isinstance(data := value.get("data"), list):
        for post in data:
            is_object = isinstance(post, dict)
            yield Row(number, post if is_object else {}, _bytes(post), None if is_object else _NOT_AN_OBJECT)
    elif isinstance(data, dict):
        yield Row(number, data, raw or _bytes(value))
    elif "errors" in value:
        yield Row(number, {}, raw or _bytes(value), _NO_POST)
    elif not _is_empty_page(value):
        yield Row(number, value, raw or _bytes(value))


def _is_empty_page(value: dict[str, Any]) -> bool:
    """Tell a search that found nothing, which answers ``{"meta": {"result_count": 0}}``."""
    meta = value.get("meta")
    return set(value) == {"meta"} and isinstance(meta, dict) and "result_count" in meta


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(from_json(line), dict)
    except ValueError:
        return False


def _bytes(value: Any) -> bytes:
    """Return a part of a larger text as bytes to hash."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
