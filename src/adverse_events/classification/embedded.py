"""The classifier in process: the model of `serving`, without a server around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.classification.model_folder import read_manifest
from adverse_events.classification.protocol import Scored
from adverse_events.serving.facts import ModelFacts
from adverse_events.serving.model import GRAPHS, Arithmetic, OnnxModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["GRAPHS", "Arithmetic", "EmbeddedClassifier"]


class EmbeddedClassifier:
    """Runs an exported model folder; see `OnnxModel` for how.

    Args:
        folder: An exported model folder.
        arithmetic: int8 is the released arithmetic, which asks float32 where the decision is close; float32 the
            reference it is measured against.
        threads: Threads for one model call; 0 leaves the choice to ONNX Runtime.

    Raises:
        UsageError: A missing file.
        ContractError: A file that is not the one ``model.json`` names.
    """

    def __init__(self, folder: Path, *, arithmetic: Arithmetic = "int8", threads: int = 0) -> None:
        """Check the files and load them."""
        self.manifest = read_manifest(folder)
        facts = ModelFacts.read(folder)
        self._model = OnnxModel(folder, facts, arithmetic=arithmetic, threads=threads)

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
    def thresholds(self) -> Mapping[str, float]:
        """With more than two classes, the limit of each against all others, 0-1; empty with two."""
        return self.manifest.thresholds

    @property
    def served_by(self) -> str:
        """Empty: this one is in process."""
        return ""

    def score(self, chunks: Iterable[Sequence[str]]) -> Iterator[Scored]:
        """Score texts chunk by chunk; see `Classifier.score`."""
        for texts in chunks:
            scores = self._model.score(texts)
            yield Scored(scores.probabilities, scores.is_truncated)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the class probabilities of `texts`: array (len(texts), len(labels)), float32, same order."""
        return self._model.score(texts).probabilities
