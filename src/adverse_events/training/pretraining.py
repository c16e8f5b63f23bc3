"""Masked language modelling on the training texts: the base reads how patients and case reports speak before it judges.

Gururangan et al. 2020. Only the encoder is kept; the head that guesses words is thrown away.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from transformers import (
    AutoModelForMaskedLM,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
    set_seed,
)

from adverse_events.training.checkpoint import open_tokenizer
from adverse_events.training.run import has_bf16

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RECORD = "pretraining.json"
_NOT_MASKED = -100
"""Label that the collator gives to words that are not to be guessed."""


class _MaskedTrainer(Trainer):  # type: ignore[misc] # transformers is not typed
    """Guesses only the words that were masked: the scores over the vocabulary are most of the work."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], **_: Any) -> torch.Tensor:
        """Return the mean loss of the masked words of a batch."""
        labels = inputs["labels"]
        is_masked = labels != _NOT_MASKED
        hidden = model.bert(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state
        return functional.cross_entropy(model.cls(hidden[is_masked]).float(), labels[is_masked])


def pretrain(
    base: Path,
    texts: Sequence[str],
    output: Path,
    *,
    epochs: float,
    batch_size: int = 64,
    learning_rate: float = 2e-4,
    masked: float = 0.2,
    max_length: int = 128,
    seed: int = 13,
) -> dict[str, Any]:
    """Write `base` as it is after reading `texts`; returns what was done, for the recipe.

    Args:
        base: Folder of a pretrained checkpoint.
        texts: What to read; evaluation texts must not be among them.
        output: Folder to write: encoder and tokenizer.
        epochs: Times every text is read.
        batch_size: Texts a step.
        learning_rate: Highest, after the first tenth of the steps.
        masked: Share of words to guess, 0-1.
        max_length: Tokens; longer texts are cut.
        seed: Of order, masks and the new head.
    """
    set_seed(seed)
    tokenizer = open_tokenizer(str(base))
    model = AutoModelForMaskedLM.from_pretrained(base)
    encoded = tokenizer(list(texts), truncation=True, max_length=max_length)["input_ids"]
    scratch = output.with_name(f"{output.name}-scratch")
    trainer = _MaskedTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(scratch),
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            learning_rate=learning_rate,
            warmup_steps=0.1,
            train_sampling_strategy="group_by_length",
            bf16=has_bf16(),
            use_cpu=not torch.cuda.is_available(),
            seed=seed,
            save_strategy="no",
            logging_steps=100,
            report_to=[],
            dataloader_pin_memory=torch.cuda.is_available(),
            disable_tqdm=not sys.stderr.isatty(),
        ),
        train_dataset=[{"input_ids": ids} for ids in encoded],
        processing_class=tokenizer,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=masked),
    )
    trainer.train()
    shutil.rmtree(scratch, ignore_errors=True)
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    output.mkdir(parents=True, exist_ok=True)
    model.base_model.save_pretrained(output)
    tokenizer.save_pretrained(output)
    done = {
        "texts": len(texts),
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "masked": masked,
        "seed": seed,
        "last_loss": float(losses[-1]) if losses else None,
    }
    (output / RECORD).write_text(json.dumps(done, indent=2) + "\n", encoding="utf-8")
    return done
