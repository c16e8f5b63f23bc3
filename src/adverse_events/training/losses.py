"""What a training run minimises: labels and teachers, with the usual regularisers.

Focal loss: Lin et al. 2017. R-Drop (two passes under different dropout must agree): Wu et al. 2021. Distillation from
softened scores: Hinton et al. 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_LABEL = -1
"""Label of a text that only teachers have judged."""


@dataclass(frozen=True)
class Loss:
    """One training run's loss.

    Attributes:
        label_smoothing: Share of a label spread over all classes, 0-1.
        focal_gamma: How much texts already right are discounted; 0 is cross-entropy.
        class_weights: One weight per class, or None.
        distil_weight: Weight of the teachers' scores against the label, 0-1, for texts that have both.
        distil_temperature: What scores are divided by before they are compared, above 0.
        r_drop: Weight of the disagreement between two passes; 0 needs one pass only.
    """

    label_smoothing: float = 0.0
    focal_gamma: float = 0.0
    class_weights: Sequence[float] | None = None
    distil_weight: float = 0.0
    distil_temperature: float = 1.0
    r_drop: float = 0.0

    def __call__(self, passes: Sequence[torch.Tensor], labels: torch.Tensor, teachers: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of a batch.

        Args:
            passes: Logits (texts x classes) of one forward pass, or of two with R-Drop.
            labels: Class index per text, `NO_LABEL` where there is none.
            teachers: Teachers' log-probabilities (texts x classes), NaN where there are none.
        """
        per_text = torch.stack([self._one(logits.float(), labels, teachers) for logits in passes]).mean(dim=0)
        if self.r_drop and len(passes) > 1:
            one, other = (functional.log_softmax(logits.float(), dim=-1) for logits in passes)
            both_ways = _divergence(one, other) + _divergence(other, one)
            per_text = per_text + self.r_drop * both_ways / 2
        return per_text.mean()

    def _one(self, logits: torch.Tensor, labels: torch.Tensor, teachers: torch.Tensor) -> torch.Tensor:
        has_label, is_taught = labels != NO_LABEL, ~teachers.isnan().any(dim=-1)
        by_label = self._by_label(logits, labels.clamp(min=0)) * has_label
        by_teacher = self._by_teacher(logits, teachers.nan_to_num())
        # A text that has only one of the two learns from that one in full.
        weight = self.distil_weight * is_taught + (1 - self.distil_weight) * (is_taught & ~has_label)
        return weight * by_teacher + (1 - weight) * by_label

    def _by_label(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        weights = None if self.class_weights is None else logits.new_tensor(self.class_weights)
        loss = functional.cross_entropy(
            logits, labels, weight=weights, label_smoothing=self.label_smoothing, reduction="none"
        )
        if self.focal_gamma:
            right = functional.softmax(logits, dim=-1).gather(-1, labels[:, None])[:, 0]
            loss = loss * (1 - right) ** self.focal_gamma
        return loss

    def _by_teacher(self, logits: torch.Tensor, teachers: torch.Tensor) -> torch.Tensor:
        softened = functional.softmax(teachers / self.distil_temperature, dim=-1)
        own = functional.log_softmax(logits / self.distil_temperature, dim=-1)
        # Times the temperature squared: gradients keep their size as it grows.
        return -(softened * own).sum(dim=-1) * self.distil_temperature**2


def balanced(counts: Sequence[int]) -> tuple[float, ...]:
    """Return a weight per class that makes every class weigh the same, 1 on average over texts."""
    total = sum(counts)
    return tuple(total / (len(counts) * max(count, 1)) for count in counts)


def _divergence(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return functional.kl_div(one, other, log_target=True, reduction="none").sum(dim=-1)
