"""What every classifier offers, in process or behind an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class Classifier(Protocol):
    """Scores texts; `classify` decides."""

    @property
    def model_version(self) -> str:
        """Name and content hash of the model, stored with every row it scores."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, in the order of the probability columns."""

    @property
    def ade_threshold(self) -> float:
        """Decision limit the model was released with, 0-1."""

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Score masked texts.

        Returns:
            Array (len(texts), len(labels)), float32, 0-1, one row per text, same order.

        Raises:
            TransientServiceError: A remote model that may answer if asked again.
        """
