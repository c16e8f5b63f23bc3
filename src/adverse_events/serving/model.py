"""The model: ONNX Runtime and a tokenizer, no torch. In process and in the container alike, so scores are equal."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Encoding

    from .facts import ModelFacts

TOKENS_PER_BATCH = 1024
"""Tokens, padding included, in one call of the model: large enough for the matrix products, small
enough to stay in the processor's cache."""

DOUBT = 0.1
"""Probability either side of the model's own decision limit within which int8 asks float32: few posts, and nearly all
of those on which the two would decide differently. The model's own, whatever limit is in force: a score may not depend
on a setting, or an endpoint and this process would disagree."""

OVERLAP = 4
"""Neighbouring pieces of a long text share one part in this many: a phrase cut in one is whole in the other."""

PIECES_PER_TEXT = 64
"""Pieces of one text that are read, about 6,000 tokens: far above any post, so that one crafted text costs a second and
not minutes."""

CHARACTERS_PER_TEXT = 100_000
"""Characters of one text that are tokenised: more than `PIECES_PER_TEXT` pieces of any prose."""

Arithmetic = Literal["int8", "float32"]

GRAPHS: dict[Arithmetic, str] = {"int8": "model.onnx", "float32": "reference.onnx"}


class Scores(NamedTuple):
    """Scores of some texts, one row per text, same order.

    Attributes:
        probabilities: Array (n texts, n labels), float32, 0-1.
        is_truncated: Whether only the beginning of the text was read.
    """

    probabilities: NDArray[np.float32]
    is_truncated: list[bool]


class Stopped(Exception):  # noqa: N818 - nothing went wrong: nobody waits for the scores any more
    """Scoring ended early because it was asked to."""


def never() -> bool:
    """Return False: scoring goes on to the end."""
    return False


class OnnxModel:
    """Scores texts with an exported model folder; safe to share between threads.

    A text longer than the model's length is scored in overlapping pieces, and the piece most
    likely to report an ADE speaks for it.

    Args:
        folder: An exported model folder, its files checked.
        facts: What its manifest says.
        arithmetic: int8 is the released arithmetic, which asks float32 where the decision is close; float32 the
            reference it is measured against.
        threads: Threads for one model call; 0 leaves the choice to ONNX Runtime.
    """

    def __init__(self, folder: Path, facts: ModelFacts, *, arithmetic: Arithmetic = "int8", threads: int = 0) -> None:
        """Load the tokenizer and the graphs."""
        self.facts = facts
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(facts.max_length, stride=facts.max_length // OVERLAP)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin between two calls take the processor from whatever else runs: with them a batch of 256 texts
        # costs 1.7 times the processor time, at 0.6 times the speed where two cores are shared. Measured 2026-11.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Left to itself, ONNX Runtime (1.31) computes products with dequantised weights in int8: float32 would not be.
        options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
        options.log_severity_level = 3
        # The arena keeps the largest batch's memory for ever; without it memory follows the batch.
        options.enable_cpu_mem_arena = False
        self._sessions = [
            ort.InferenceSession(str(folder / GRAPHS[name]), options, ["CPUExecutionProvider"])
            for name in dict.fromkeys((arithmetic, "float32"))
        ]

    def score(self, texts: Sequence[str], is_stopped: Callable[[], bool] = never) -> Scores:
        """Score texts, any number; a score depends on its text alone, not on the texts beside it.

        Args:
            texts: Texts without lone surrogates.
            is_stopped: Asked before each call of the model.

        Raises:
            Stopped: `is_stopped` said so.
        """
        read = [text[:CHARACTERS_PER_TEXT] for text in texts]
        encodings = self._tokenizer.encode_batch_fast(read)
        taken = [list(itertools.islice(_pieces(encoding), PIECES_PER_TEXT)) for encoding in encodings]
        pieces = [piece.ids for members in taken for piece in members]
        owners = [owner for owner, members in enumerate(taken) for _ in members]

        scores = self._run(pieces, self._sessions[0], is_stopped)
        doubtful = np.flatnonzero(np.abs(scores[:, -1] - self.facts.ade_threshold) < DOUBT)
        scores[doubtful] = self._run([pieces[i] for i in doubtful], self._sessions[-1], is_stopped)
        result = np.full((len(texts), len(self.facts.labels)), np.nan, np.float32)
        for owner, score in zip(owners, scores, strict=True):
            if np.isnan(result[owner, -1]) or score[-1] > result[owner, -1]:
                result[owner] = score
        cut = [
            len(text) > CHARACTERS_PER_TEXT or len(encoding.overflowing) >= PIECES_PER_TEXT
            for text, encoding in zip(texts, encodings, strict=True)
        ]
        return Scores(result, cut)

    def _run(
        self, pieces: Sequence[list[int]], session: ort.InferenceSession, is_stopped: Callable[[], bool]
    ) -> NDArray[np.float32]:
        scores = np.empty((len(pieces), len(self.facts.labels)), np.float32)
        for members in batches([len(piece) for piece in pieces]):
            if is_stopped():
                raise Stopped
            scores[members] = _run([pieces[i] for i in members], session)
        return scores


def _pieces(encoding: Encoding) -> Iterator[Encoding]:
    yield encoding
    yield from encoding.overflowing


def _run(pieces: list[list[int]], session: ort.InferenceSession) -> NDArray[np.float32]:
    lengths = np.array([len(piece) for piece in pieces], np.int32)
    input_ids = np.zeros((len(pieces), int(lengths.max())), np.int32)
    for row, piece in zip(input_ids, pieces, strict=True):
        row[: len(piece)] = piece
    (scores,) = session.run(["probabilities"], {"input_ids": input_ids, "lengths": lengths})
    return np.asarray(scores, np.float32)


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield indices in batches of like length, each at most `TOKENS_PER_BATCH` with its padding."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    start = 0
    for end in itertools.count(1):
        if start >= len(order):
            return
        if end >= len(order) or (end - start + 1) * lengths[order[end]] > TOKENS_PER_BATCH:
            yield order[start:end]
            start = end
