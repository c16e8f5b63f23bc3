"""Fine-tune a sequence classifier; the same script in a SageMaker training job and on a laptop.

Channels are folders of CSV files with the columns text and label; a file's stem names its source.
Paths come from arguments whose defaults are SageMaker's ``SM_*`` variables. Metric lines look like
``validation/f1=0.8412`` so that a tuning job's regular expressions can read them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.metrics import average_precision_score, precision_recall_curve
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from adverse_events.training.corpus import read_labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

LABELS = ("NOT_ADE", "ADE")


@dataclass(frozen=True)
class Labelled:
    """One source's tokenised texts; a map-style dataset for the trainer."""

    name: str
    texts: list[str]
    labels: list[int]
    encodings: list[list[int]]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input_ids": self.encodings[index], "labels": self.labels[index]}


class AveragedWeights(TrainerCallback):  # type: ignore[misc] # transformers is not typed
    """Keep a moving average of the weights and put it in place of the last ones when training ends.

    The average is better calibrated and less at the mercy of the last batches than any single step.

    Args:
        model: The model being trained.
        decay: Share of the average kept at each step, 0-1.
    """

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        """Start the average at the model's present weights."""
        self._average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))  # type: ignore[no-untyped-call] # nor is this

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take one step's weights into the average."""
        del args, state, control
        self._average.update_parameters(kwargs["model"])

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the average in the model."""
        del args, state, control
        kwargs["model"].load_state_dict(self._average.module.state_dict())


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Train, score on the validation channel, save model, tokenizer and ``metrics.json``.

    Returns:
        What ``metrics.json`` holds: scores by source, the threshold and the recipe.
    """
    options = _parse(arguments)
    set_seed(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(options.model_name)
    train = _read_channel(options.train, tokenizer, options.max_length)
    validation = _read_channel(options.validation, tokenizer, options.max_length)
    trainer = _trainer(options, tokenizer, _weighted(train, options.source_weights), validation)
    if options.average_decay:
        trainer.add_callback(AveragedWeights(trainer.model, options.average_decay))
    trainer.train(resume_from_checkpoint=_has_checkpoint(options.checkpoint_dir) or None)

    scores = {source.name: _predict(trainer, source) for source in validation}
    threshold = choose_threshold(scores)
    metrics: dict[str, Any] = {
        "ade_threshold": threshold,
        "validation": {name: score(y, p, threshold) for name, (y, p) in scores.items()},
        "recipe": {k: v for k, v in sorted(vars(options).items()) if not isinstance(v, Path)},
    }
    options.model_dir.mkdir(parents=True, exist_ok=True)
    trainer.save_model(str(options.model_dir))
    tokenizer.save_pretrained(str(options.model_dir))
    (options.model_dir / "metrics.json").write_text(json.dumps(metrics, indent=2, sort_keys=True) + "\n")
    for name, values in metrics["validation"].items():
        print(f"{name} " + " ".join(f"validation/{k}={v:.4f}" for k, v in values.items()))  # noqa: T201 - read by a tuner's regex
    return metrics


def choose_threshold(scores: dict[str, tuple[NDArray[Any], NDArray[Any]]]) -> float:
    """Return the threshold (0-1, two decimals) with the best mean F1 over the sources."""
    candidates = np.round(np.arange(0.05, 0.96, 0.01), 2)
    means = [np.mean([score(y, p, t)["f1"] for y, p in scores.values()]) for t in candidates]
    return float(candidates[int(np.argmax(means))])


def score(labels: NDArray[Any], probabilities: NDArray[Any], threshold: float) -> dict[str, float]:
    """Score one source.

    Args:
        labels: 0 or 1, one per text.
        probabilities: 0-1, one per text, same order.
        threshold: Lowest probability called positive.

    Returns:
        precision, recall and F1 of the positive class at the threshold; the best F1 over all
        thresholds; average precision. All 0-1.
    """
    called = probabilities >= threshold
    hits = float((called & (labels == 1)).sum())
    precision = hits / max(float(called.sum()), 1.0)
    recall = hits / max(float((labels == 1).sum()), 1.0)
    curve_precision, curve_recall, _ = precision_recall_curve(labels, probabilities)
    f1 = 2 * curve_precision * curve_recall / np.maximum(curve_precision + curve_recall, 1e-12)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        "best_f1": float(f1.max()),
        "average_precision": float(average_precision_score(labels, probabilities)),
    }


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, default=env.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--validation", type=Path, default=env.get("SM_CHANNEL_VALIDATION"))
    parser.add_argument("--model-dir", type=Path, default=env.get("SM_MODEL_DIR"))
    parser.add_argument("--checkpoint-dir", type=Path, default=env.get("SM_CHECKPOINT_DIR", "/opt/ml/checkpoints"))
    parser.add_argument("--model-name", required=True, help="checkpoint name or folder")
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=128, help="tokens; longer texts are cut")
    parser.add_argument("--learning-rate", type=float, default=1.5e-4)
    parser.add_argument("--warmup-ratio", type=float, default=0.1)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--label-smoothing", type=float, default=0.05)
    parser.add_argument("--average-decay", type=float, default=0.0, help="moving average of weights; 0: none")
    parser.add_argument("--source-weights", default="", help="NAME=N,...: repeat a source's rows N times")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 arithmetic where the machine has it")
    parser.add_argument("--seed", type=int, default=13)
    options = parser.parse_args(arguments)
    for name in ("train", "validation", "model_dir"):
        if getattr(options, name) is None:
            parser.error(f"--{name.replace('_', '-')} is not given and its SM_ variable is not set")
    return options


def _read_channel(folder: Path, tokenizer: PreTrainedTokenizerBase, max_length: int) -> list[Labelled]:
    files = sorted(folder.glob("*.csv"))
    if not files:
        sys.exit(f"{folder} holds no CSV file; prepare the corpus first")
    sources = []
    for path in files:
        frame = read_labelled(path)
        texts = frame["text"].tolist()
        encodings = tokenizer(texts, truncation=True, max_length=max_length)["input_ids"]
        sources.append(Labelled(path.stem, texts, frame["label"].tolist(), encodings))
    return sources


def _weighted(sources: list[Labelled], weights: str) -> Labelled:
    times = {name: int(n) for name, n in (pair.split("=") for pair in weights.split(",") if pair)}
    unknown = set(times) - {s.name for s in sources}
    if unknown:
        sys.exit(f"--source-weights names {', '.join(sorted(unknown))}, which the train channel does not hold")
    parts = [s for s in sources for _ in range(times.get(s.name, 1))]
    return Labelled(
        "train",
        [t for s in parts for t in s.texts],
        [y for s in parts for y in s.labels],
        [e for s in parts for e in s.encodings],
    )


def _trainer(
    options: argparse.Namespace, tokenizer: PreTrainedTokenizerBase, train: Labelled, validation: list[Labelled]
) -> Trainer:
    model = AutoModelForSequenceClassification.from_pretrained(
        options.model_name,
        num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)),
        label2id=dict(zip(LABELS, (0, 1), strict=True)),
    )
    return Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(options.checkpoint_dir),
            num_train_epochs=options.epochs,
            per_device_train_batch_size=options.batch_size,
            per_device_eval_batch_size=64,
            learning_rate=options.learning_rate,
            warmup_steps=options.warmup_ratio,
            weight_decay=options.weight_decay,
            label_smoothing_factor=options.label_smoothing,
            train_sampling_strategy="group_by_length",
            bf16=options.bf16,
            use_cpu=not torch.cuda.is_available(),
            seed=options.seed,
            save_strategy="epoch",
            save_total_limit=2,
            eval_strategy="epoch",
            logging_steps=50,
            report_to=[],
            disable_tqdm=not sys.stderr.isatty(),
        ),
        train_dataset=train,
        eval_dataset={s.name: s for s in validation},
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=_epoch_metrics,
    )


def _epoch_metrics(prediction: Any) -> dict[str, float]:
    probabilities = torch.softmax(torch.as_tensor(prediction.predictions, dtype=torch.float32), dim=-1)[:, 1]
    return score(prediction.label_ids, probabilities.numpy(), 0.5)


def _predict(trainer: Trainer, source: Labelled) -> tuple[NDArray[Any], NDArray[Any]]:
    # Grouping by length reorders evaluation too: labels must be the ones that come back with the predictions.
    output = trainer.predict(source)
    logits = torch.as_tensor(output.predictions, dtype=torch.float32)
    return np.asarray(output.label_ids), np.asarray(torch.softmax(logits, dim=-1)[:, 1])


def _has_checkpoint(folder: Path) -> bool:
    return folder.is_dir() and any(folder.glob("checkpoint-*"))


if __name__ == "__main__":
    main()
