"""The trainer: transformers' own, with this house's loss.

An average of the weights survives interruptions, and training stops at the first loss that is no number.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from safetensors.torch import load_file, save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import Trainer, TrainerCallback
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from adverse_events.errors import ContractError
from adverse_events.training.run import COMPLETE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from adverse_events.training.losses import Loss
    from adverse_events.training.texts import TrainingTexts

AVERAGE = "average.safetensors"
PROGRESS = "progress.json"
BEST = "best.safetensors"
_NAMED = 8


class Tracker(Protocol):
    """Where a run's parameters and curves go, beside its files."""

    def start(self, parameters: Mapping[str, Any]) -> None:
        """Begin a run: its recipe and the hashes of its data."""

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Record metrics of one epoch at a step."""

    def finish(self, artifacts: Sequence[Path]) -> None:
        """End the run with the files it made."""


class TextTrainer(Trainer):  # type: ignore[misc] # transformers is not typed
    """Transformers' trainer with the loss of `losses`, and errors that name where a batch came from.

    Args:
        loss: What is minimised.
        texts: The training texts, to name the rows of a batch by.
        **kwargs: As for `transformers.Trainer`.
    """

    def __init__(self, loss: Loss, texts: TrainingTexts, **kwargs: Any) -> None:
        """Keep the loss and the texts."""
        super().__init__(**kwargs)
        self._loss, self._texts = loss, texts

    def compute_loss(self, model: Any, inputs: dict[str, Any], **_: Any) -> torch.Tensor:
        """Return the loss of a batch.

        Raises:
            ContractError: It is not a finite number; names the step and the rows.
        """
        given = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"]}
        passes = [model(**given).logits for _ in range(2 if self._loss.r_drop else 1)]
        loss = self._loss(passes, inputs["labels"], inputs["teachers"])
        if not torch.isfinite(loss):
            raise ContractError("training", self._not_finite(inputs["index"].tolist()))
        return loss

    def _not_finite(self, rows: Sequence[int]) -> str:
        first_of = {source: self._texts.sources.index(source) for source in set(self._texts.sources)}
        named = [f"{self._texts.sources[row]}:{row - first_of[self._texts.sources[row]] + 2}" for row in rows[:_NAMED]]
        share = dict(Counter(self._texts.sources[row] for row in rows))
        return (
            f"the loss is not a number at step {self.state.global_step + 1}, epoch {self.state.epoch or 0:.2f}; the "
            f"batch holds {share}, rows {', '.join(named)}...; a lower --learning-rate or --bf16 false often mends it"
        )


class AveragedWeights(TrainerCallback):  # type: ignore[misc] # transformers is not typed
    """Keep a moving average of the weights, through interruptions too.

    The average is better calibrated and less at the mercy of the last batches than any single step.

    Args:
        model: The model being trained.
        decay: Share of the average kept at each step, 0-1.
        resumed_from: Checkpoint that training goes on from, if any.
    """

    def __init__(self, model: torch.nn.Module, decay: float, resumed_from: Path | None) -> None:
        """Start the average at the model's present weights, or where it was."""
        self._average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))  # type: ignore[no-untyped-call] # nor is this
        if resumed_from and (resumed_from / AVERAGE).is_file():
            self._average.load_state_dict(load_file(resumed_from / AVERAGE))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take one step's weights into the average."""
        del args, state, control
        self._average.update_parameters(kwargs["model"])

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep the average beside the checkpoint that was just written."""
        del control, kwargs
        folder = Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        save_file({name: tensor.contiguous() for name, tensor in self._average.state_dict().items()}, folder / AVERAGE)

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the averaged weights under the model's own names."""
        return {name: tensor.clone() for name, tensor in self._average.module.state_dict().items()}


class CompleteCheckpoints(TrainerCallback):  # type: ignore[misc] # as above
    """Say of a checkpoint that all of it is there; goes after every other part that writes into one."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the checkpoint that was just written."""
        del control, kwargs
        (Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}" / COMPLETE).touch()


class EpochReport(TrainerCallback):  # type: ignore[misc] # as above
    """After every epoch: score the validation channel, report, keep the best weights, stop when nothing improves.

    Args:
        judge: Scores a model; returns flat metrics with ``validation/best_f1`` among them.
        average: The average to score instead of the last weights, if one is kept.
        folder: Checkpoint folder: what must survive an interruption goes there.
        patience: Epochs without a better F1 before stopping; 0 runs all and keeps the last weights.
        tracker: Where the metrics go too.
    """

    def __init__(
        self,
        judge: Callable[[torch.nn.Module], dict[str, float]],
        average: AveragedWeights | None,
        folder: Path,
        patience: int,
        tracker: Tracker | None,
    ) -> None:
        """Take up the curves of an interrupted run."""
        self._judge, self._average, self._folder = judge, average, folder
        self._patience, self._tracker = patience, tracker
        progress = folder / PROGRESS
        self.curves: list[dict[str, float]] = json.loads(progress.read_text()) if progress.is_file() else []

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Let every epoch change texts in its own way."""
        del args, control
        kwargs["train_dataloader"].dataset.epoch = int(state.epoch or 0)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Score, report and decide whether to go on."""
        del args
        model = kwargs["model"]
        metrics = self._scored(model)
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        point = {"epoch": round(float(state.epoch or 0), 3), "step": state.global_step, **metrics}
        if losses:
            point["train/loss"] = float(losses[-1])
        self.curves = [each for each in self.curves if each["step"] < state.global_step] + [point]
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / PROGRESS).write_text(json.dumps(self.curves))
        print(  # noqa: T201 - a job's log is where a tuner reads
            f"epoch={point['epoch']} step={point['step']} train/loss={point.get('train/loss', 0.0):.4f} "
            f"epoch/best_f1={metrics['validation/best_f1']:.4f}",
            flush=True,
        )
        if self._tracker:
            self._tracker.log(
                {key: value for key, value in point.items() if key not in {"epoch", "step"}}, point["step"]
            )
        best = max(range(len(self.curves)), key=lambda place: self.curves[place]["validation/best_f1"])
        if self._patience and best == len(self.curves) - 1:
            save_file(self._weights(model), self._folder / BEST)
        if self._patience and len(self.curves) - 1 - best >= self._patience:
            control.should_training_stop = True

    def finish(self, model: torch.nn.Module) -> None:
        """Leave in `model` the weights to keep: the best, where stopping early was asked for, else the last average."""
        best = self._folder / BEST
        model.load_state_dict(load_file(best) if self._patience and best.is_file() else self._weights(model))

    def _weights(self, model: torch.nn.Module) -> dict[str, torch.Tensor]:
        weights = self._average.weights() if self._average else model.state_dict()
        return {name: tensor.detach().contiguous() for name, tensor in weights.items()}

    def _scored(self, model: torch.nn.Module) -> dict[str, float]:
        if self._average is None:
            return self._judge(model)
        own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        model.load_state_dict(self._average.weights())
        try:
            return self._judge(model)
        finally:
            model.load_state_dict(own)
