"""The texts of a training run, tokenised: from channels, from a file of further texts, with what teachers said."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from adverse_events.corpus.keys import normalised, text_key
from adverse_events.errors import ContractError, UsageError
from adverse_events.evaluation.capabilities.cases import hashes
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
NAMED = 5


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


def check_not_cases(sources: Sequence[str], texts: Sequence[str]) -> None:
    """Refuse training texts that are capability cases: what a model was taught, it cannot be asked.

    Raises:
        ContractError: Some are; names their rows.
    """
    cases, seen, wrong = hashes(), Counter[str](), []
    for source, text in zip(sources, texts, strict=True):
        seen[source] += 1
        if text_key(normalised(text)) in cases:
            wrong.append(f"{source}:{seen[source] + 1}")
    if wrong:
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        detail = f"{', '.join(wrong[:NAMED])}{more}: capability cases, which models are evaluated on; take them out"
        raise ContractError("training texts", detail)


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


def teachers_of(texts: Sequence[str], paths: Sequence[Path], n_classes: int) -> NDArray[np.float32]:
    """Return the teachers' log-probabilities of every text (texts x classes), NaN where none has scored it.

    Args:
        texts: The training texts.
        paths: Archives of numpy arrays: keys (uint64, `corpus.keys.text_key` as a number) and logits (texts x classes).
            The mean of those that have a text counts.
        n_classes: Classes of this run.

    Raises:
        UsageError: A file is missing.
        ContractError: A file is no such archive, or has another number of classes.
    """
    keys = [int(text_key(text), 16) for text in texts]
    total, n_teachers = np.zeros((len(texts), n_classes)), np.zeros(len(texts))
    for path in paths:
        said = _scores_in(path, n_classes)
        rows = [row for row, key in enumerate(keys) if key in said]
        if rows:
            found = np.stack([said[keys[row]] for row in rows]).astype(np.float64)
            total[rows] += found - np.logaddexp.reduce(found, axis=1, keepdims=True)
            n_teachers[rows] += 1
    result = np.full(total.shape, np.nan, np.float32)
    known = n_teachers > 0
    if known.any():
        mean = total[known] / n_teachers[known][:, None]
        result[known] = mean - np.logaddexp.reduce(mean, axis=1, keepdims=True)
    return result


def _scores_in(path: Path, n_classes: int) -> dict[int, NDArray[np.float16]]:
    if not path.is_file():
        msg = (
            f"{path} does not exist; leave --teacher-scores out, or have teachers score the texts (ade cross-validate)"
        )
        raise UsageError(msg)
    try:
        with np.load(path, allow_pickle=False) as archive:
            keys, logits = archive["keys"], archive["logits"]
    except (OSError, ValueError, KeyError) as error:
        raise ContractError(str(path), "it is no archive of the arrays keys and logits") from error
    if logits.shape != (len(keys), n_classes):
        raise ContractError(str(path), f"logits are {logits.shape}, not {len(keys)} keys by {n_classes} classes")
    return dict(zip(keys.tolist(), logits, strict=True))


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
