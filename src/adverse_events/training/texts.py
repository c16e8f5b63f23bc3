"""The texts of a training run, tokenised: from channels, from a file of further texts, with what teachers said."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from adverse_events.corpus.keys import text_key
from adverse_events.errors import ContractError, UsageError
from adverse_events.training.losses import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

    from adverse_events.corpus.channel import Channel

    Augment = Callable[[str, random.Random], str]

EXTRA = "extra"
"""Source under which texts of ``--extra-texts`` are counted."""


@dataclass
class TrainingTexts:
    """What one epoch draws from, in the order of `chosen`; a map-style dataset for the trainer.

    Attributes:
        sources: Source of each text.
        texts: The texts.
        labels: Class of each; `NO_LABEL` where there is none.
        encodings: Token ids of each.
        teachers: Teachers' log-probabilities (texts x classes), NaN where there are none.
        chosen: Index of the text at each place of an epoch.
        augment: Changes a text when it is drawn; None leaves all as they are.
        encode: Tokenises one text that was changed.
        seed: Of the changes.
        epoch: Set as training goes, so that every epoch changes texts in its own way.
    """

    sources: list[str]
    texts: list[str]
    labels: list[int]
    encodings: list[list[int]]
    teachers: NDArray[np.float32]
    chosen: NDArray[np.int64]
    augment: Augment | None = None
    encode: Callable[[str], list[int]] | None = None
    seed: int = 0
    epoch: int = field(default=0)

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, place: int) -> dict[str, Any]:
        index = int(self.chosen[place])
        ids = self.encodings[index]
        if self.augment is not None and self.encode is not None:
            text = self.augment(self.texts[index], random.Random(f"{self.seed}:{self.epoch}:{place}"))  # noqa: S311 - not a secret
            ids = ids if text == self.texts[index] else self.encode(text)
        return {"input_ids": ids, "labels": self.labels[index], "teachers": self.teachers[index], "index": index}


def collator(tokenizer: PreTrainedTokenizerBase) -> Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]]:
    """Return what pads drawn texts to one length and stacks everything beside them."""

    def collate(drawn: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        padded = tokenizer.pad({"input_ids": [each["input_ids"] for each in drawn]}, return_tensors="pt")
        return {
            "input_ids": padded["input_ids"],
            "attention_mask": padded["attention_mask"],
            "labels": torch.tensor([each["labels"] for each in drawn]),
            "teachers": torch.from_numpy(np.stack([each["teachers"] for each in drawn])),
            "index": torch.tensor([each["index"] for each in drawn]),
        }

    return collate


def with_extra_texts(channels: Sequence[Channel], path: Path | None, labels: Sequence[str]) -> tuple[list[str], ...]:
    """Return the sources, texts and labels (as text, for the caller to index) of channels and further texts.

    Args:
        channels: The train channel.
        path: CSV with the columns text and label; an empty label leaves the text to the teachers.
        labels: Class names.

    Raises:
        UsageError: The file or a column is missing.
        ContractError: A label is no class.
    """
    sources = [channel.name for channel in channels for _ in channel.texts]
    texts = [text for channel in channels for text in channel.texts]
    named = [labels[label] for channel in channels for label in channel.labels]
    if path is not None:
        frame = _extra(path)
        outside = ~frame["label"].isin([*labels, ""])
        if outside.any():
            row = int(frame.index[outside][0]) + 2
            raise ContractError(str(path), f"row {row}: the label is neither empty nor one of {', '.join(labels)}")
        sources += [EXTRA] * len(frame)
        texts += frame["text"].tolist()
        named += frame["label"].tolist()
    return sources, texts, named


def indexed(named: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the class index of each label name, `NO_LABEL` for an empty one."""
    index = {label: number for number, label in enumerate(labels)}
    return [index.get(label, NO_LABEL) for label in named]


def teachers_of(texts: Sequence[str], path: Path | None, n_classes: int) -> NDArray[np.float32]:
    """Return the teachers' log-probabilities of every text (texts x classes), NaN where the file has none.

    Args:
        texts: The training texts.
        path: Archive of numpy arrays: keys (uint64, `corpus.keys.text_key` as a number) and logits (texts x classes).
        n_classes: Classes of this run.

    Raises:
        UsageError: The file is missing.
        ContractError: It is no such archive, or has another number of classes.
    """
    if path is None:
        return np.full((len(texts), n_classes), np.nan, np.float32)
    if not path.is_file():
        msg = f"{path} does not exist; leave --teacher-scores out, or have the teachers score the texts first"
        raise UsageError(msg)
    try:
        with np.load(path, allow_pickle=False) as archive:
            keys, logits = archive["keys"], archive["logits"].astype(np.float32)
    except (OSError, ValueError, KeyError) as error:
        raise ContractError(str(path), "it is no archive of the arrays keys and logits") from error
    if logits.shape != (len(keys), n_classes):
        raise ContractError(str(path), f"logits are {logits.shape}, not {len(keys)} keys by {n_classes} classes")
    place = {int(key): number for number, key in enumerate(keys)}
    rows = np.array([place.get(int(text_key(text), 16), -1) for text in texts])
    found = logits[rows]
    found -= np.logaddexp.reduce(found, axis=1, keepdims=True)
    found[rows < 0] = np.nan
    return np.asarray(found, np.float32)


def _extra(path: Path) -> pd.DataFrame:
    if not path.is_file():
        msg = f"{path} does not exist; --extra-texts names a CSV file with the columns text and label"
        raise UsageError(msg)
    frame = pd.read_csv(path, lineterminator="\n", dtype=str, keep_default_na=False)
    missing = {"text", "label"} - set(frame.columns)
    if missing:
        msg = f"{path} has no column {' or '.join(sorted(missing))}; it has {', '.join(frame.columns)}"
        raise UsageError(msg)
    return frame
