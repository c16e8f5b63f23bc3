"""Chunks as requests and requests as chunks, without a network."""

from collections import deque
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adverse_events.classification.endpoint.batches import Limits, joined, rechunked, refused, requests_of
from adverse_events.classification.protocol import Scored
from adverse_events.serving import payload

TEXTS = st.lists(st.lists(st.text(max_size=30), max_size=12), max_size=6)


def _scored(numbers):
    column = np.array(numbers, np.float32)
    refusals = {i: f"post {n:g}" for i, n in enumerate(numbers) if n % 5 == 0}
    return Scored(np.stack([column, -column], axis=1), [bool(n % 2) for n in numbers], refusals)


@given(TEXTS, st.integers(1, 20), st.integers(200, 2000))
def test_requests_hold_every_text_once_in_order_within_their_limits(chunks, n_texts, n_bytes):
    lengths = deque()
    requests = list(requests_of(chunks, Limits(n_texts, n_bytes), lengths))
    assert [text for request in requests for text in request] == [text for texts in chunks for text in texts]
    assert list(lengths) == [len(texts) for texts in chunks]
    for request in requests:
        assert 1 <= len(request) <= n_texts
        assert len(payload.encode_request(request)) <= n_bytes or len(request) == 1


@given(TEXTS.filter(any))
def test_the_size_of_a_request_is_known_before_it_is_written(chunks):
    texts = [text for texts in chunks for text in texts]
    # The first text has no comma and no space before it.
    known = payload.ENVELOPE_BYTES + sum(map(payload.encoded_size, texts)) - 2
    assert len(payload.encode_request(texts)) == known


def test_no_request_is_split_without_need():
    chunks = [["a"] * 7, [], ["b"] * 7, ["c"] * 7]
    requests = list(requests_of(chunks, Limits(10, 10_000), deque()))
    assert [len(request) for request in requests] == [10, 10, 1]


def test_a_text_over_the_limit_has_a_request_of_its_own():
    requests = list(requests_of([["a", "x" * 5000, "b"]], Limits(10, 1000), deque()))
    assert [len(request) for request in requests] == [1, 1, 1]


def test_chunks_are_read_no_further_than_the_requests_taken():
    lengths = deque()
    requests = requests_of(([f"{i}"] * 5 for i in range(1000)), Limits(5, 10_000), lengths)
    next(requests)
    assert len(lengths) == 2


@given(st.lists(st.integers(0, 9), max_size=8), st.lists(st.integers(1, 12), max_size=30))
def test_rows_come_back_in_their_chunks_with_their_marks(lengths, sizes):
    """However the rows are cut into parts."""
    total = sum(lengths)
    cuts = sorted({min(total, sum(sizes[:i])) for i in range(len(sizes) + 1)} | {0, total})
    parts = [_scored(range(start, end)) for start, end in pairwise(cuts)]
    chunks = list(rechunked(parts, deque(lengths), 2))
    assert [len(chunk.probabilities) for chunk in chunks] == lengths
    start = 0
    for chunk, length in zip(chunks, lengths, strict=True):
        expected = _scored(range(start, start + length))
        np.testing.assert_array_equal(chunk.probabilities, expected.probabilities.reshape(length, 2))
        assert list(chunk.is_truncated) == expected.is_truncated
        assert chunk.refusals == expected.refusals
        start += length


def test_a_chunk_is_given_out_as_soon_as_its_rows_are_there():
    taken = []

    def parts():
        for i in range(4):
            taken.append(i)
            yield _scored(range(i * 3, i * 3 + 3))

    chunks = rechunked(parts(), deque([3, 4, 5]), 2)
    next(chunks)
    assert taken == [0]
    next(chunks)
    assert taken == [0, 1, 2]


def test_a_refused_text_has_a_reason_and_no_score():
    together = joined([_scored([1]), refused("too long", 2), _scored([3])], 2)
    assert together.refusals == {1: "too long"}
    assert together.is_truncated == [True, None, True]
    np.testing.assert_array_equal(together.probabilities[:, 0], [1, np.nan, 3])


def test_nothing_joined_has_the_columns_of_the_model():
    assert joined([], 3).probabilities.shape == (0, 3)


@pytest.mark.parametrize("n_chunks", [0, 3])
def test_chunks_without_texts_are_given_out_too(n_chunks):
    chunks = list(rechunked([], deque([0] * n_chunks), 2))
    assert [chunk.probabilities.shape for chunk in chunks] == [(0, 2)] * n_chunks
