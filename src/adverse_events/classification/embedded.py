"""The classifier in process: ONNX Runtime and a tokenizer, no server and no torch."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from adverse_events.classification.model_folder import read_manifest
from adverse_events.classification.protocol import Scored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TOKENS_PER_BATCH = 1024
"""Tokens, padding included, in one call of the model: large enough for the matrix products, small
enough to stay in the processor's cache."""

DOUBT = 0.1
"""Probability either side of the decision limit within which int8 asks float32: few posts, and nearly all of those on
which the two would decide differently."""

OVERLAP = 4
"""Neighbouring pieces of a long text share one part in this many: a phrase cut in one is whole in the other."""

Arithmetic = Literal["int8", "float32"]

GRAPHS: dict[Arithmetic, str] = {"int8": "model.onnx", "float32": "reference.onnx"}


class EmbeddedClassifier:
    """Runs an exported model folder.

    A text longer than the model's length is scored in overlapping pieces, and the piece most
    likely to report an ADE speaks for it.

    Args:
        folder: An exported model folder.
        arithmetic: int8 is the released arithmetic, which asks float32 where the decision is close; float32 the
            reference it is measured against.
        ade_threshold: Decision limit in force, 0-1; the model's own when None.
        threads: Threads for one model call; 0 leaves the choice to ONNX Runtime.

    Raises:
        UsageError: A missing file.
        ContractError: A file that is not the one ``model.json`` names.
    """

    def __init__(
        self, folder: Path, *, arithmetic: Arithmetic = "int8", threads: int = 0, ade_threshold: float | None = None
    ) -> None:
        """Check the files and load them."""
        self.manifest = read_manifest(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.manifest.max_length, stride=self.manifest.max_length // OVERLAP)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # The arena keeps the largest batch's memory for ever; without it memory follows the batch.
        options.enable_cpu_mem_arena = False
        self._limit = self.manifest.ade_threshold if ade_threshold is None else ade_threshold
        self._sessions = [
            ort.InferenceSession(str(folder / GRAPHS[name]), options, ["CPUExecutionProvider"])
            for name in dict.fromkeys((arithmetic, "float32"))
        ]

    @property
    def model_version(self) -> str:
        """Name and content hash of the model folder."""
        return self.manifest.version

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in column order; the last is the ADE class."""
        return self.manifest.labels

    @property
    def ade_threshold(self) -> float:
        """Decision limit chosen when the model was released, 0-1."""
        return self.manifest.ade_threshold

    @property
    def served_by(self) -> str:
        """Empty: this one is in process."""
        return ""

    def score(self, chunks: Iterable[Sequence[str]]) -> Iterator[Scored]:
        """Score texts chunk by chunk; see `Classifier.score`."""
        for texts in chunks:
            yield Scored(self.probabilities(texts), [False] * len(texts))

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the class probabilities of `texts`: array (len(texts), len(labels)), float32, same order."""
        pieces, owners = self._tokenise(texts)
        scores = self._score(pieces, self._sessions[0])
        doubtful = np.flatnonzero(np.abs(scores[:, -1] - self._limit) < DOUBT)
        scores[doubtful] = self._score([pieces[i] for i in doubtful], self._sessions[-1])
        result = np.full((len(texts), len(self.labels)), np.nan, np.float32)
        for owner, score in zip(owners, scores, strict=True):
            if np.isnan(result[owner, -1]) or score[-1] > result[owner, -1]:
                result[owner] = score
        return result

    def _tokenise(self, texts: Sequence[str]) -> tuple[list[list[int]], list[int]]:
        pieces: list[list[int]] = []
        owners: list[int] = []
        for owner, encoding in enumerate(self._tokenizer.encode_batch_fast(list(texts))):
            for piece in (encoding, *encoding.overflowing):
                pieces.append(piece.ids)
                owners.append(owner)
        return pieces, owners

    def _score(self, pieces: list[list[int]], session: ort.InferenceSession) -> NDArray[np.float32]:
        scores = np.empty((len(pieces), len(self.labels)), np.float32)
        for members in _batches([len(piece) for piece in pieces]):
            scores[members] = _run([pieces[i] for i in members], session)
        return scores


def _run(pieces: list[list[int]], session: ort.InferenceSession) -> NDArray[np.float32]:
    lengths = np.array([len(piece) for piece in pieces], np.int32)
    input_ids = np.zeros((len(pieces), int(lengths.max())), np.int32)
    for row, piece in zip(input_ids, pieces, strict=True):
        row[: len(piece)] = piece
    (scores,) = session.run(["probabilities"], {"input_ids": input_ids, "lengths": lengths})
    return np.asarray(scores, np.float32)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield indices in batches of like length, each at most `TOKENS_PER_BATCH` with its padding."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    start = 0
    for end in itertools.count(1):
        if start >= len(order):
            return
        if end >= len(order) or (end - start + 1) * lengths[order[end]] > TOKENS_PER_BATCH:
            yield order[start:end]
            start = end
