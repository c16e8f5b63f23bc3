"""Inputs gathered into chunks of bounded size: the same bounds for every source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.source.protocol import CHARACTERS_PER_CHUNK, ROWS_PER_CHUNK, Reject, SourceChunk, Tweet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def chunked(inputs: Iterable[tuple[str, Iterable[Tweet | Reject]]]) -> Iterator[SourceChunk]:
    """Yield `inputs` in their order, in chunks that end at whichever limit comes first: rows or characters.

    Args:
        inputs: Each origin and what it holds. One without a row is named all the same; the last chunk may be empty.
    """
    tweets: list[Tweet] = []
    rejects: list[Reject] = []
    origins: list[str] = []
    n_characters = 0
    for origin, outcomes in inputs:
        origins.append(origin)
        for outcome in outcomes:
            if isinstance(outcome, Tweet):
                tweets.append(outcome)
                n_characters += len(outcome.text)
            else:
                rejects.append(outcome)
            if len(tweets) + len(rejects) == ROWS_PER_CHUNK or n_characters > CHARACTERS_PER_CHUNK:
                yield SourceChunk(tuple(origins), tuple(tweets), tuple(rejects))
                tweets, rejects, origins, n_characters = [], [], [origin], 0
    yield SourceChunk(tuple(origins), tuple(tweets), tuple(rejects))
