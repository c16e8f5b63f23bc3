"""Open a pretrained checkpoint, and refuse one that cannot do before hours are spent on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from adverse_events.errors import ContractError, UsageError
from adverse_events.training.architectures import check_exportable, first_position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)


def check_base(name: str) -> None:
    """Refuse a checkpoint that could be trained but not exported, before it is trained.

    Raises:
        UsageError: There is no such checkpoint.
        ContractError: Its architecture cannot be exported.
    """
    _check_reachable(name)
    check_exportable(_config(name).to_dict(), name)


def open_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """Open the tokenizer of a checkpoint.

    Raises:
        UsageError: There is no such checkpoint, or it has no tokenizer.
    """
    _check_reachable(name)
    if Path(name).is_dir() and not any((Path(name) / file).is_file() for file in VOCABULARIES):
        # Transformers would make an empty one up.
        msg = f"{name} holds no tokenizer; save it beside the weights (tokenizer.json)"
        raise UsageError(msg)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{name} has no tokenizer that can be used; save it beside the weights (tokenizer.json)"
        raise UsageError(msg) from error
    if not tokenizer.is_fast:
        msg = f"{name} has no tokenizer.json; serving needs one: save the fast tokenizer beside the weights"
        raise UsageError(msg)
    return tokenizer


def open_model(name: str, labels: Sequence[str], *, max_length: int, dropout: float) -> PreTrainedModel:
    """Open a checkpoint as a classifier of `labels`.

    Args:
        name: A name on the hub, or a folder.
        labels: Class names in the order of the output.
        max_length: Longest sequence trained on, tokens.
        dropout: Share of activations dropped in training, 0-1.

    Raises:
        UsageError: There is no such checkpoint, it is no text encoder, or it cannot take so long a sequence.
        ContractError: It was trained for other classes.
    """
    _check_reachable(name)
    config = _config(name)
    limit = getattr(config, "max_position_embeddings", None)
    usable = limit - first_position(config.to_dict()) if limit else None
    if usable and max_length > usable:
        msg = f"--max-length {max_length} is beyond {name}'s {usable} positions; choose at most {usable}"
        raise UsageError(msg)
    architectures = config.architectures or []
    if any(each.endswith("ForSequenceClassification") for each in architectures) and config.num_labels != len(labels):
        detail = f"it was trained for {config.num_labels} classes, not {len(labels)}; start from a pretrained encoder"
        raise ContractError(name, detail)
    named: dict[str, Any] = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    for key, value in named.items():
        if hasattr(config, key):
            setattr(config, key, value)
    config.num_labels = len(labels)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: number for number, label in enumerate(labels)}
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # a new head is meant to be new
    try:
        return AutoModelForSequenceClassification.from_pretrained(name, config=config)
    except (OSError, ValueError, RuntimeError) as error:
        msg = f"{name} ({config.model_type}) is no checkpoint that a text classifier can start from"
        raise UsageError(msg) from error
    finally:
        transformers_logging.set_verbosity(verbosity)


def _config(name: str) -> Any:
    try:
        return AutoConfig.from_pretrained(name)
    except (OSError, ValueError, KeyError, StrictDataclassError) as error:
        msg = f"{name} has no config.json that transformers knows; name a checkpoint of a text encoder"
        raise UsageError(msg) from error


def _check_reachable(name: str) -> None:
    if Path(name).is_dir():
        return
    if name.startswith((".", "/")) or name.count("/") > 1:
        msg = f"{name} is no folder; name a checkpoint's folder, or its name on the hub"
        raise UsageError(msg)
    try:
        AutoConfig.from_pretrained(name)
    except OSError as error:
        msg = (
            f"{name} is neither a folder nor reachable on the hub; without a way there, download it and name its folder"
        )
        raise UsageError(msg) from error
    except ValueError as error:
        msg = f"{name} is of a kind that transformers does not know"
        raise UsageError(msg) from error
