"""What a torch model says of texts, in float32: the reference that everything faster is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

    from adverse_events.corpus.channel import Channel

TEXTS_PER_CALL: Final = 64


def predict(
    model: Any, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int
) -> NDArray[np.float64]:
    """Return the logits of `texts` (texts x classes), same order, computed in float32 in batches of like length."""
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    encoded = tokenizer(list(texts), truncation=True, max_length=max_length)["input_ids"]
    order = np.argsort([len(ids) for ids in encoded], kind="stable")
    result = np.empty((len(texts), model.config.num_labels))
    with torch.inference_mode():
        for start in range(0, len(order), TEXTS_PER_CALL):
            members = order[start : start + TEXTS_PER_CALL]
            padded = tokenizer.pad({"input_ids": [encoded[i] for i in members]}, return_tensors="pt").to(device)
            given = {"input_ids": padded["input_ids"], "attention_mask": padded["attention_mask"]}
            result[members] = model(**given).logits.float().cpu().numpy()
    model.train(was_training)
    return result


def predict_channels(
    model: Any, tokenizer: PreTrainedTokenizerBase, channels: Sequence[Channel], max_length: int
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Return labels (texts) and probabilities (texts x classes) by source, in the channels' order."""
    return {
        channel.name: (np.array(channel.labels), softmax(predict(model, tokenizer, channel.texts, max_length)))
        for channel in channels
    }


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities (texts x classes); rows sum to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
