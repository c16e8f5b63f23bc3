"""Fine-tune a sequence classifier; the same script in a SageMaker training job and on a laptop.

Channels are folders of CSV files with the columns text and label; a file's stem names its source. Run again after an
interruption, it goes on from the last checkpoint. The log holds lines that `metrics.METRIC_DEFINITIONS` reads.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import TrainingArguments, set_seed

from adverse_events.corpus.channel import read_channel
from adverse_events.errors import AdverseEventsError, ContractError
from adverse_events.training.checkpoint import open_model, open_tokenizer
from adverse_events.training.losses import Loss, balanced
from adverse_events.training.metrics import flat, metric_lines, report
from adverse_events.training.options import parse
from adverse_events.training.predicting import predict_channels
from adverse_events.training.run import data_of, has_bf16, recipe_of, resumable
from adverse_events.training.sampling import repeats
from adverse_events.training.texts import (
    TrainingTexts,
    check_not_cases,
    collator,
    indexed,
    teachers_of,
    with_extra_texts,
)
from adverse_events.training.thresholds import choose_threshold
from adverse_events.training.trainer import AveragedWeights, CompleteCheckpoints, EpochReport, TextTrainer

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerBase

    from adverse_events.training.texts import Augment
    from adverse_events.training.trainer import Tracker

METRICS = "metrics.json"


def main(
    arguments: Sequence[str] | None = None, *, tracker: Tracker | None = None, augment: Augment | None = None
) -> dict[str, Any]:
    """Train, score on the validation channel, save model, tokenizer and ``metrics.json``.

    Args:
        arguments: As on the command line; the command line's when None.
        tracker: Where parameters and curves go too.
        augment: Changes a text each time it is drawn.

    Returns:
        What ``metrics.json`` holds: scores by source, curves, the threshold, the recipe and the hashes of the data.

    Raises:
        UsageError: An argument that cannot be used.
        ContractError: Texts or a checkpoint that cannot be used, or a loss that is no number.
    """
    options = parse(arguments, os.environ)
    set_seed(options.seed)
    tokenizer = open_tokenizer(options.model_name)
    validation = read_channel(options.validation, options.labels)
    texts = _training_texts(options, tokenizer, augment)
    model = open_model(options.model_name, options.labels, max_length=options.max_length, dropout=options.dropout)
    run: dict[str, Any] = {"recipe": recipe_of(options), "data": data_of(options), "labels": list(options.labels)}
    resumed_from = resumable(options.checkpoint_dir, run)
    if tracker:
        tracker.start({**run["recipe"], **{f"sha256/{name}": value for name, value in run["data"].items()}})

    def judge(judged: torch.nn.Module) -> dict[str, float]:
        scored = predict_channels(judged, tokenizer, validation, options.max_length)
        return flat(report(scored, choose_threshold(scored)))

    average = AveragedWeights(model, options.average_decay, resumed_from) if options.average_decay else None
    epochs = EpochReport(judge, average, options.checkpoint_dir, options.patience, tracker)
    trainer = TextTrainer(
        _loss(options, texts),
        texts,
        model=model,
        args=_training_arguments(options),
        train_dataset=texts,
        processing_class=tokenizer,
        data_collator=collator(tokenizer),
        callbacks=[each for each in (average, epochs, CompleteCheckpoints()) if each],
    )
    trainer.train(resume_from_checkpoint=str(resumed_from) if resumed_from else None)
    epochs.finish(model)

    scored = predict_channels(model, tokenizer, validation, options.max_length)
    threshold = choose_threshold(scored)
    scores = report(scored, threshold)
    metrics: dict[str, Any] = {
        **run,
        "ade_threshold": threshold,
        "validation": scores,
        "curves": epochs.curves,
        "taught": int((~np.isnan(texts.teachers[:, 0])).sum()),
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "device": "cuda" if torch.cuda.is_available() else "cpu",
    }
    _save(options, trainer, tokenizer, metrics)
    for line in metric_lines(scores):
        print(line, flush=True)  # noqa: T201 - a job's log is where a tuner reads
    if tracker:
        tracker.finish([options.model_dir / METRICS])
    shutil.rmtree(options.checkpoint_dir, ignore_errors=True)
    return metrics


def _training_texts(
    options: argparse.Namespace, tokenizer: PreTrainedTokenizerBase, augment: Augment | None
) -> TrainingTexts:
    channels = read_channel(options.train, options.labels)
    sources, texts, named = with_extra_texts(channels, options.extra_texts, options.labels)
    check_not_cases(sources, texts)
    labels = indexed(named, options.labels)
    absent = set(range(len(options.labels))) - set(labels)
    if absent:
        names = ", ".join(options.labels[label] for label in sorted(absent))
        raise ContractError(str(options.train), f"no text is labelled {names}; a classifier needs every class")

    def encode(text: str) -> list[int]:
        return list(tokenizer(text, truncation=True, max_length=options.max_length)["input_ids"])

    return TrainingTexts(
        sources,
        texts,
        labels,
        tokenizer(texts, truncation=True, max_length=options.max_length)["input_ids"],
        teachers_of(texts, options.teacher_scores, len(options.labels)),
        repeats(
            sources, labels, source_weights=options.source_weights, oversample=options.oversample, seed=options.seed
        ),
        augment,
        encode,
        options.seed,
    )


def _loss(options: argparse.Namespace, texts: TrainingTexts) -> Loss:
    counts = np.bincount([texts.labels[i] for i in texts.chosen if texts.labels[i] >= 0], minlength=len(options.labels))
    return Loss(
        label_smoothing=options.label_smoothing,
        focal_gamma=options.focal_gamma,
        class_weights=balanced(counts.tolist()) if options.class_weights == "balanced" else None,
        distil_weight=options.distil_weight if options.teacher_scores else 0.0,
        distil_temperature=options.distil_temperature,
        r_drop=options.r_drop,
    )


def _training_arguments(options: argparse.Namespace) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(options.checkpoint_dir),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        warmup_steps=options.warmup_ratio,
        weight_decay=options.weight_decay,
        train_sampling_strategy="group_by_length",
        bf16=has_bf16() if options.bf16 is None else options.bf16,
        use_cpu=not torch.cuda.is_available(),
        seed=options.seed,
        save_strategy="steps" if options.save_steps else "epoch",
        save_steps=options.save_steps or 500,
        save_total_limit=2,
        eval_strategy="no",
        logging_steps=50,
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        disable_tqdm=not sys.stderr.isatty(),
    )


def _save(
    options: argparse.Namespace, trainer: TextTrainer, tokenizer: PreTrainedTokenizerBase, metrics: dict[str, Any]
) -> None:
    options.model_dir.mkdir(parents=True, exist_ok=True)
    tokenizer.model_max_length = options.max_length
    trainer.save_model(str(options.model_dir))
    tokenizer.save_pretrained(str(options.model_dir))
    text = json.dumps(metrics, indent=2, sort_keys=True) + "\n"
    (options.model_dir / METRICS).write_text(text, encoding="utf-8")
    if options.output_data_dir:
        options.output_data_dir.mkdir(parents=True, exist_ok=True)
        (options.output_data_dir / METRICS).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except AdverseEventsError as error:
        sys.exit(f"error: {error}")
