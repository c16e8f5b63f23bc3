"""The parts of a trained text encoder, named alike whatever its family: what `export` writes from.

The families differ in the names of their weights, in where positions begin, in how the first token becomes classes, and
in MPNet's case in a bias that depends on how far apart two tokens are.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from safetensors.numpy import load_file

from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.float32]]

Activation = Literal["Tanh", "Gelu", "Relu", "Softmax"]


class Linear(NamedTuple):
    """A matrix product and what is added to it."""

    weight: NDArray[np.float32]
    """(outputs, inputs)"""
    bias: NDArray[np.float32]
    """(outputs,)"""


class Norm(NamedTuple):
    """What a normalised row is multiplied by, and what is added: (hidden,) each."""

    gain: NDArray[np.float32]
    shift: NDArray[np.float32]


class Layer(NamedTuple):
    """One layer: attention, then two products with GELU between them; each ends in a sum and a norm."""

    query: Linear
    key: Linear
    value: Linear
    mixed: Linear
    mixed_norm: Norm
    inner: Linear
    outer: Linear
    outer_norm: Norm


@dataclass(frozen=True)
class Encoder:
    """A classifier of texts, ready to be written down."""

    heads: int
    epsilon: float
    words: NDArray[np.float32]
    """(vocabulary, embedding)"""
    places: NDArray[np.float32]
    """(positions, embedding): of the first token on, with the one token type that is served added."""
    norm: Norm
    projection: Linear | None
    """From the embedding's size to the layers', where they differ."""
    layers: tuple[Layer, ...]
    distance_bias: NDArray[np.float32] | None
    """(heads, 2 x positions - 1), from the furthest to the right on: added to attention, where the family has one."""
    head: tuple[tuple[Linear, Activation], ...]
    """What the first token goes through; the last step's outputs are the classes."""

    @property
    def hidden(self) -> int:
        """Size of a token's row between layers."""
        return len(self.layers[0].outer_norm.gain)

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart."""
        return len(self.head[-1][0].bias)


class _Names(NamedTuple):
    """What a family calls its parts; a layer's are below ``stem.layer.N``."""

    stem: str
    query: str = "attention.self.query"
    key: str = "attention.self.key"
    value: str = "attention.self.value"
    mixed: str = "attention.output.dense"
    mixed_norm: str = "attention.output.LayerNorm"
    inner: str = "intermediate.dense"
    outer: str = "output.dense"
    outer_norm: str = "output.LayerNorm"


class _Family(NamedTuple):
    prefix: str
    names: _Names
    head: tuple[tuple[str, Activation], ...]
    counts_from_padding: bool = False
    """Positions are counted from the one after the padding index, not from 0."""
    padding: int | None = None
    """The padding index, where it is the family's and not the checkpoint's to say."""


_TANH: Final[tuple[tuple[str, Activation], ...]] = (("classifier.dense", "Tanh"), ("classifier.out_proj", "Softmax"))
_ROBERTA: Final = _Family("roberta", _Names("encoder"), _TANH, counts_from_padding=True)
_FAMILIES: Final[Mapping[str, _Family]] = {
    "bert": _Family("bert", _Names("encoder"), (("bert.pooler.dense", "Tanh"), ("classifier", "Softmax"))),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": _Family(
        "electra", _Names("encoder"), (("classifier.dense", "Gelu"), ("classifier.out_proj", "Softmax"))
    ),
    "mpnet": _Family(
        "mpnet",
        _Names(
            "encoder",
            query="attention.attn.q",
            key="attention.attn.k",
            value="attention.attn.v",
            mixed="attention.attn.o",
            mixed_norm="attention.LayerNorm",
        ),
        _TANH,
        counts_from_padding=True,
        padding=1,
    ),
    "distilbert": _Family(
        "distilbert",
        _Names(
            "transformer",
            query="attention.q_lin",
            key="attention.k_lin",
            value="attention.v_lin",
            mixed="attention.out_lin",
            mixed_norm="sa_layer_norm",
            inner="ffn.lin1",
            outer="ffn.lin2",
            outer_norm="output_layer_norm",
        ),
        (("pre_classifier", "Relu"), ("classifier", "Softmax")),
    ),
}
FAMILIES: Final = tuple(_FAMILIES)
"""Architectures that can be served, by the name a checkpoint's ``config.json`` gives them."""


def check_exportable(config: Mapping[str, Any], name: str) -> None:
    """Refuse an architecture whose arithmetic is not known here, best before it is trained.

    Args:
        config: What the checkpoint's ``config.json`` says.
        name: The checkpoint, for the error.

    Raises:
        ContractError: Another family than those of `FAMILIES`, or one of them with GELU or absolute positions replaced.
    """
    kind = config.get("model_type")
    activation = config.get("hidden_act") or config.get("activation")
    positions = config.get("position_embedding_type") or "absolute"
    if kind not in _FAMILIES or activation != "gelu" or positions != "absolute":
        detail = (
            f"export knows {', '.join(FAMILIES)} with GELU and absolute positions, "
            f"not {kind} with {activation} and {positions} ones"
        )
        raise ContractError(name, detail)


def first_position(config: Mapping[str, Any]) -> int:
    """Return the row of the position table that the first token of a text takes."""
    family = _FAMILIES.get(config["model_type"])
    if family is None or not family.counts_from_padding:
        return 0
    return (config["pad_token_id"] if family.padding is None else family.padding) + 1


def read_encoder(folder: Path, *, max_length: int, temperature: float = 1.0) -> Encoder:
    """Read a trained classifier.

    Args:
        folder: A saved checkpoint: config.json and model.safetensors.
        max_length: Longest sequence served, tokens; at most the model's position count.
        temperature: What logits are divided by, so that the probabilities are calibrated.

    Raises:
        ContractError: Another architecture.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    check_exportable(config, str(folder))
    weights = load_file(folder / "model.safetensors")
    family = _FAMILIES[config["model_type"]]
    prefix = f"{family.prefix}.embeddings"
    first = first_position(config)
    places = weights[f"{prefix}.position_embeddings.weight"][first : first + max_length]
    token_types = weights.get(f"{prefix}.token_type_embeddings.weight")
    heads = config.get("num_attention_heads") or config["n_heads"]
    project = f"{family.prefix}.embeddings_project"
    *before, (last, softmax) = [(_linear(weights, name), activation) for name, activation in family.head]
    scale = np.float32(temperature)
    return Encoder(
        heads=heads,
        epsilon=config.get("layer_norm_eps", 1e-12),  # DistilBERT's is not in its configuration
        words=weights[f"{prefix}.word_embeddings.weight"],
        places=places if token_types is None else places + token_types[0],
        norm=_norm(weights, f"{prefix}.LayerNorm"),
        projection=_linear(weights, project) if f"{project}.weight" in weights else None,
        layers=tuple(_layers(weights, family, config.get("num_hidden_layers") or config["n_layers"])),
        distance_bias=_distance_bias(weights, len(places)) if config["model_type"] == "mpnet" else None,
        head=(*before, (Linear(last.weight / scale, last.bias / scale), softmax)),
    )


def _linear(weights: Weights, name: str) -> Linear:
    return Linear(weights[f"{name}.weight"], weights[f"{name}.bias"])


def _norm(weights: Weights, name: str) -> Norm:
    return Norm(weights[f"{name}.weight"], weights[f"{name}.bias"])


def _layers(weights: Weights, family: _Family, n_layers: int) -> list[Layer]:
    stem, *names = family.names
    read: list[Callable[[Weights, str], Any]] = [_norm if part.endswith("norm") else _linear for part in Layer._fields]
    stems = [f"{family.prefix}.{stem}.layer.{number}" for number in range(n_layers)]
    return [Layer(*(take(weights, f"{each}.{name}") for take, name in zip(read, names, strict=True))) for each in stems]


def _distance_bias(weights: Weights, n_positions: int) -> NDArray[np.float32]:
    """Return MPNet's bias by how far back a token looks: near distances have a bucket each, far ones share some.

    As T5 does (Raffel et al. 2020, section 2.1), with half of the buckets for each direction and 128 as the far end.
    """
    table = weights["mpnet.encoder.relative_attention_bias.weight"]
    half, far = len(table) // 2, 128
    near = half // 2
    back = np.arange(1 - n_positions, n_positions)
    distance = np.abs(back)
    # In float32, as it is in training: a distance at the edge of two buckets falls on the same side.
    spread = np.log(np.maximum(distance, 1).astype(np.float32) / near) / math.log(far / near) * (half - near)
    bucket = np.where(distance < near, distance, np.minimum(near + spread.astype(np.int64), half - 1))
    return np.ascontiguousarray(table[bucket + np.where(back < 0, half, 0)].T)
