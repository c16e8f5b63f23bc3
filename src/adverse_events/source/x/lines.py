"""Lines of an HTTP answer, as bytes, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from adverse_events.errors import TransientServiceError
from adverse_events.source.x.errors import SERVICE, dropped

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE_BYTES = 4 << 20
"""A post with everything expanded stays below 100 KB."""


def lines_of(response: httpx.Response, operation: str, *, is_file: bool = False) -> Iterator[bytes]:
    """Yield the lines of `response` without their ends; only a line feed ends a line, for a post may hold others.

    Args:
        response: Open.
        operation: Name of the request.
        is_file: The last line may have no end, as in a file; of a stream, such a line is half a post.

    Raises:
        TransientServiceError: The answer stopped coming, was cut, ended in the middle of a line, or a line never ends.
    """
    rest = b""
    try:
        for part in response.iter_bytes():
            *whole, rest = (rest + part).split(b"\n") if b"\n" in part else [rest + part]
            for line in whole:
                yield line.removesuffix(b"\r")
            if len(rest) > MAX_LINE_BYTES:
                detail = f"a line is longer than {MAX_LINE_BYTES >> 20} MiB"
                raise TransientServiceError(SERVICE, operation, detail)
    except httpx.HTTPError as error:
        raise dropped(operation, error) from error
    if is_file:
        yield rest
    elif rest.strip():
        raise TransientServiceError(SERVICE, operation, "the answer ended in the middle of a line")
