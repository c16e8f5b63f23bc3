"""What every classifier offers, in process or behind an endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Scored:
    """What a classifier says of some texts, one row per text, same order.

    Attributes:
        probabilities: Array (n texts, n labels), float32, 0-1. A row that is no probability is rejected by the station.
        is_truncated: Whether the model read only the beginning of the text; None where it does not say.
        refusals: For each text the model refused to read, by position, why; its row of `probabilities` is NaN.
    """

    probabilities: NDArray[np.float32]
    is_truncated: Sequence[bool | None]
    refusals: Mapping[int, str] = field(default_factory=dict)


class Classifier(Protocol):
    """Scores texts; `classify` decides."""

    @property
    def model_version(self) -> str:
        """Name and content hash of the model, stored with every row it scores."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, in the order of the probability columns; the last is the ADE class."""

    @property
    def ade_threshold(self) -> float:
        """Decision limit the model was released with, 0-1."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """With more than two classes, the limit of each against all others, 0-1; empty where the model has none."""

    @property
    def served_by(self) -> str:
        """The remote part that answered so far, such as an endpoint and its variant; empty for one in process."""

    def score(self, chunks: Iterable[Sequence[str]]) -> Iterator[Scored]:
        """Score masked texts that arrive in chunks.

        Chunks are taken as the classifier can work on them: one at a time, a few ahead, or all before the first
        answer. A score depends on its text alone, not on the texts beside it.

        Args:
            chunks: Texts, any number at a time, none included.

        Yields:
            One `Scored` per chunk, same order.

        Raises:
            TransientServiceError: A remote model that may answer if asked again.
            PermanentServiceError: A remote model that will not.
            ContractError: A remote model whose answers break the contract, or that was replaced while it answered.
        """
