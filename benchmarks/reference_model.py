"""The shipped weights as the older sample would have served them: one text, padded to 64 tokens, in float32.

The package holds the model as ONNX only, so the torch model is rebuilt from its stored tensors. Both it and its
tokenizer are then used the ordinary Hugging Face way.
"""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from adverse_events.classification.embedded import GRAPHS
from adverse_events.classification.model_folder import read_manifest
from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PADDED_LENGTH = 64
"""Tokens every text is padded or cut to.

Source:
    The serving script of aws-samples/aws-cdk-adverse-event-detection-app (2021): ``max_length=64``.
"""

TOLERANCE = 1e-4
"""Largest difference in a probability between the rebuilt model and the shipped float32 graph: rounding only."""

_LAYER = re.compile(r"bert\.encoder\.layer\.(\d+)\.attention\.self\.weight")


class ReferenceModel(Protocol):
    """Scores one text at a time.

    Attributes:
        kind: What computes: torch or onnxruntime.
    """

    kind: str

    def ade_probability(self, text: str) -> float:
        """Return the probability of the ADE class, 0-1, of the first `PADDED_LENGTH` tokens of `text`."""
        ...


def load_reference(folder: Path) -> ReferenceModel:
    """Load the model in `folder` for one-at-a-time use: in torch where the training extra is installed.

    Raises:
        UsageError: A missing file.
        ContractError: A file that is not the one ``model.json`` names.
    """
    read_manifest(folder)
    has_torch = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "onnx"))
    return TorchReference(folder) if has_torch else OnnxReference(folder)


def check_same_weights(model: ReferenceModel, folder: Path, texts: Sequence[str]) -> None:
    """Make sure that `model` computes what the shipped float32 graph computes.

    Args:
        model: A reference.
        folder: The model folder it was loaded from.
        texts: At least one.

    Raises:
        ContractError: A probability differs by more than `TOLERANCE`.
    """
    shipped = OnnxReference(folder)
    difference = max(abs(model.ade_probability(text) - shipped.ade_probability(text)) for text in texts)
    if not difference <= TOLERANCE:  # nor when it is no number
        detail = (
            f"the {model.kind} reference differs from {GRAPHS['float32']} by {difference:.2g}; they must be one model"
        )
        raise ContractError(str(folder), detail)


def token_counter(folder: Path) -> Callable[[str], int]:
    """Return a function that counts the tokens of a text, however long, as the model in `folder` splits it."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text).ids)


class TorchReference:
    """``BertForSequenceClassification`` rebuilt from the shipped weights, with its Hugging Face tokenizer.

    Args:
        folder: An exported model folder.
    """

    kind = "torch"

    def __init__(self, folder: Path) -> None:
        """Rebuild the model."""
        # Seconds and a gigabyte of libraries: imported only where the reference is wanted.
        import torch  # noqa: PLC0415
        from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast  # noqa: PLC0415

        config, weights = _stored(folder / GRAPHS["float32"])
        self._torch = torch
        self._model = BertForSequenceClassification(BertConfig(**config)).eval()
        self._model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
        self._tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(folder / "tokenizer.json"),
            pad_token="[PAD]",  # noqa: S106 - a word of BERT's vocabulary
            padding_side="right",
        )

    def ade_probability(self, text: str) -> float:
        """Score one text; see `ReferenceModel`."""
        encoded = self._tokenizer(
            text,
            padding="max_length",
            max_length=PADDED_LENGTH,
            truncation=True,
            return_tensors="pt",
            return_token_type_ids=False,
        )
        with self._torch.no_grad():
            logits = self._model(**encoded).logits
        return float(self._torch.softmax(logits, dim=1)[0, -1])


class OnnxReference:
    """The shipped float32 graph, for machines without torch.

    Args:
        folder: An exported model folder.
    """

    kind = "onnxruntime"

    def __init__(self, folder: Path) -> None:
        """Load the graph."""
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(PADDED_LENGTH)
        self._tokenizer.enable_padding(length=PADDED_LENGTH)
        options = ort.SessionOptions()
        options.log_severity_level = 3
        # Left on, ONNX Runtime fuses the stored int8 weights and their products into a kernel that computes in int8.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self._session = ort.InferenceSession(str(folder / GRAPHS["float32"]), options, ["CPUExecutionProvider"])

    def ade_probability(self, text: str) -> float:
        """Score one text; see `ReferenceModel`."""
        encoding = self._tokenizer.encode(text)
        inputs = {
            "input_ids": np.array([encoding.ids], np.int32),
            "lengths": np.array([sum(encoding.attention_mask)], np.int32),
        }
        (scores,) = self._session.run(["probabilities"], inputs)
        return float(scores[0, -1])


def _stored(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
    """Return configuration and tensors of an exported graph, named as in `BertForSequenceClassification`.

    The graph is `adverse_events.training.export`'s: matrices are int8, transposed, with a scale per output; query,
    key and value are joined; the one token type in use is part of the positions.
    """
    import onnx  # noqa: PLC0415 - part of the training extra

    graph = onnx.load(path).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    attributes = {
        (node.op_type, a.name): onnx.helper.get_attribute_value(a) for node in graph.node for a in node.attribute
    }
    n_layers = 1 + max(int(found[1]) for found in map(_LAYER.fullmatch, stored) if found)
    words = stored["words"].astype(np.float32) * stored["words.scale"]
    places = stored["places"]
    weights = {
        "bert.embeddings.word_embeddings.weight": words,
        "bert.embeddings.position_embeddings.weight": places,
        "bert.embeddings.token_type_embeddings.weight": np.zeros((1, words.shape[1]), np.float32),
    }
    for name, value in stored.items():
        if _is_plain(name, value):
            weights[name] = value
        elif name.endswith(".attention.self.weight"):
            weights.update(_split(name.removesuffix(".weight"), _restored(stored, name), "weight"))
        elif name.endswith(".attention.self.bias"):
            weights.update(_split(name.removesuffix(".bias"), value, "bias"))
        elif value.dtype == np.int8 and name != "words":
            weights[name] = _restored(stored, name)
    config = {
        "vocab_size": len(words),
        "hidden_size": words.shape[1],
        "num_hidden_layers": n_layers,
        "num_attention_heads": attributes["MultiHeadAttention", "num_heads"],
        "intermediate_size": len(stored["bert.encoder.layer.0.intermediate.dense.bias"]),
        "max_position_embeddings": len(places),
        "type_vocab_size": 1,
        "layer_norm_eps": attributes["LayerNormalization", "epsilon"],
        "hidden_act": "gelu",
        "num_labels": len(stored["classifier.bias"]),
    }
    return config, weights


def _is_plain(name: str, value: NDArray[Any]) -> bool:
    """Tell a tensor that is stored as the model has it."""
    named = name.startswith(("bert.", "classifier.")) and name.endswith((".weight", ".bias"))
    return named and value.dtype == np.float32 and ".attention.self." not in name


def _restored(stored: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    """Return a quantised matrix as (outputs, inputs) in float32."""
    scales = stored[f"{name.removesuffix('.weight')}.scale"]
    return np.ascontiguousarray((stored[name].astype(np.float32) * scales).T)


def _split(prefix: str, joined: NDArray[np.float32], suffix: str) -> dict[str, NDArray[np.float32]]:
    parts = np.split(joined, 3)
    return {f"{prefix}.{name}.{suffix}": part for name, part in zip(("query", "key", "value"), parts, strict=True)}
