"""Chunks of texts as requests, and the answers of requests as chunks again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adverse_events.classification.protocol import Scored
from adverse_events.serving import payload

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable, Iterator, Sequence

MOST_BYTES = 6_291_456
"""Bytes of the largest request that SageMaker takes.

Source:
    InvokeEndpoint API reference, Body; read 2026-11.
"""


@dataclass(frozen=True)
class Limits:
    """Size of one request.

    Attributes:
        n_texts: Most texts.
        n_bytes: Most bytes, envelope included; a text that is larger alone has a request of its own.
    """

    n_texts: int
    n_bytes: int


def requests_of(chunks: Iterable[Sequence[str]], limits: Limits, lengths: deque[int]) -> Iterator[list[str]]:
    """Yield the texts of `chunks` in order, as full requests: a request may span chunks.

    Args:
        chunks: Texts; taken as requests are asked for.
        limits: Size of one request.
        lengths: Takes the length of each chunk as it is read.
    """
    request: list[str] = []
    n_bytes = payload.ENVELOPE_BYTES
    for texts in chunks:
        lengths.append(len(texts))
        for text in texts:
            size = payload.encoded_size(text)
            if request and (len(request) >= limits.n_texts or n_bytes + size > limits.n_bytes):
                yield request
                request, n_bytes = [], payload.ENVELOPE_BYTES
            request.append(text)
            n_bytes += size
    if request:
        yield request


def joined(parts: Sequence[Scored], n_labels: int) -> Scored:
    """Return `parts` as one, rows in their order.

    Args:
        parts: Any number.
        n_labels: Columns of the result where there are none.
    """
    refusals: dict[int, str] = {}
    n_rows = 0
    for part in parts:
        refusals.update({n_rows + index: why for index, why in part.refusals.items()})
        n_rows += len(part.probabilities)
    probabilities = [np.empty((0, n_labels), np.float32), *(part.probabilities for part in parts)]
    return Scored(np.concatenate(probabilities), [cut for part in parts for cut in part.is_truncated], refusals)


def refused(why: str, n_labels: int) -> Scored:
    """Return what is said of one text that was refused."""
    return Scored(np.full((1, n_labels), np.nan, np.float32), [None], {0: why})


def rechunked(parts: Iterable[Scored], lengths: deque[int], n_labels: int) -> Iterator[Scored]:
    """Yield the rows of `parts` as chunks again.

    Args:
        parts: Consecutive rows, any number at a time.
        lengths: Length of each chunk; known at the latest when the rows of the chunk have come.
        n_labels: Columns.
    """
    held: list[Scored] = []
    n_held = 0
    for part in parts:
        held.append(part)
        n_held += len(part.probabilities)
        if not lengths or n_held < lengths[0]:
            continue
        together, start = joined(held, n_labels), 0
        while lengths and n_held - start >= lengths[0]:
            end = start + lengths.popleft()
            yield _rows(together, start, end)
            start = end
        held, n_held = [_rows(together, start, n_held)], n_held - start
    for _ in range(len(lengths)):
        # Only chunks without texts are left when every row has been given out.
        yield _rows(joined(held, n_labels), 0, lengths.popleft())


def _rows(scored: Scored, start: int, end: int) -> Scored:
    refusals = {index - start: why for index, why in scored.refusals.items() if start <= index < end}
    return Scored(scored.probabilities[start:end], scored.is_truncated[start:end], refusals)
