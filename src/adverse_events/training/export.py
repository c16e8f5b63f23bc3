"""Export a classifier to ONNX: stored in int8, computed in int8 or float32.

The graph is written operator by operator rather than traced, because the quantisation is in the
operators. Weights are int8 with one scale per output channel. Activations are quantised row by row
(one scale per token) just before each matrix product, so that a token's numbers never depend on the
posts it shares a batch with: ONNX Runtime's own dynamic quantisation takes one scale per batch, which
flips 1 to 2 % of decisions and makes a score depend on its neighbours. `docs/adr` has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from adverse_events.classification.embedded import GRAPHS, Arithmetic
from adverse_events.training.architectures import Linear, read_encoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from adverse_events.training.architectures import Encoder, Layer, Norm

GELU_FLOOR = 0.17
"""GELU is never below -0.16998: adding this makes its output non-negative, so all 8 bits are used."""

_CONTRIB = "com.microsoft"
_OPSET = 21
_IR_VERSION = 10


@dataclass
class _Graph:
    """One graph being written: collects nodes and constants under unique names."""

    arithmetic: Arithmetic
    encoder: Encoder
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], domain=domain, **attributes))
        return output

    def linear(self, rows: str, name: str, linear: Linear, *, floor: float = 0.0) -> str:
        """Multiply `rows` (tokens, inputs) and add the bias; no value of `rows` is below -`floor`, if that is given."""
        weight, bias = linear
        quantised, scales = quantise_rows(weight)
        stored = self.constant(f"{name}.weight", quantised.T)
        scale = self.constant(f"{name}.scale", scales)
        if self.arithmetic == "float32":
            restored = self.op("DequantizeLinear", stored, scale, axis=1)
            return self.op("Add", self.op("MatMul", rows, restored), self.constant(f"{name}.bias", bias))
        # Unsigned codes throughout: the processor's int8 instructions multiply unsigned by signed.
        if floor:
            # x = (x + floor) - floor, and floor times the column sums is a constant: it joins the bias.
            bias = bias - np.float32(floor) * (quantised.astype(np.float32) * scales[:, None]).sum(axis=1)
            rows = self.op("Add", rows, self.constant("gelu_floor", np.float32(floor)))
            top, n_steps, middle = self.op("ReduceMax", rows, self._axis()), 255, 0
        else:
            top, n_steps, middle = self.op("ReduceMax", self.op("Abs", rows), self._axis()), 127, 128
        step = self.op(
            "Max",
            self.op("Mul", top, self.constant(f"one_{n_steps}th", np.float32(1 / n_steps))),
            self.constant("least_step", np.float32(1e-12)),
        )
        flat = self.op("Squeeze", step, self._axis())
        middles = self.op(
            "ConstantOfShape",
            self.op("Shape", flat),
            value=numpy_helper.from_array(np.array([middle], np.uint8)),
        )
        codes = self.op("QuantizeLinear", rows, flat, middles, axis=0)
        product = self.op(
            "MatMulIntegerToFloat",
            codes,
            stored,
            self.constant("one", np.float32(1)),
            scale,
            self.constant(f"middle_{middle}", np.uint8(middle)),
            domain=_CONTRIB,
        )
        return self.op("Add", self.op("Mul", product, step), self.constant(f"{name}.bias.{self.arithmetic}", bias))

    def _axis(self) -> str:
        return self.constant("last_axis", np.array([1], np.int64))


def quantise_rows(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 codes (-127..127) and one float32 scale per row, so that codes * scale is near `weight`."""
    scales = np.maximum(np.abs(weight).max(axis=1), 1e-12) / 127
    codes = np.clip(np.round(weight / scales[:, None]), -127, 127).astype(np.int8)
    return codes, scales.astype(np.float32)


def export(model_dir: Path, output_dir: Path, *, max_length: int, temperature: float = 1.0) -> None:
    """Write ``model.onnx`` (int8 arithmetic), ``reference.onnx`` (float32) and their shared ``weights.bin``.

    Both graphs take ``input_ids`` (int32, texts x tokens, padded at the right) and ``lengths`` (int32, texts),
    and return ``probabilities`` (float32, texts x classes).

    Args:
        model_dir: A saved classifier of one of `architectures.FAMILIES`: config.json and model.safetensors.
        output_dir: Where to write.
        max_length: Longest sequence served, tokens; at most the model's position count.
        temperature: What logits are divided by, so that the probabilities are calibrated.

    Raises:
        ContractError: Another architecture.
    """
    encoder = read_encoder(model_dir, max_length=max_length, temperature=temperature)
    output_dir.mkdir(parents=True, exist_ok=True)
    graphs: dict[Arithmetic, _Graph] = {name: _Graph(name, encoder) for name in ("int8", "float32")}
    for graph in graphs.values():
        _build(graph)
    shared = _write_weights(graphs.values(), output_dir / "weights.bin")
    for arithmetic, graph in graphs.items():
        _write_graph(graph, shared, output_dir / GRAPHS[arithmetic], encoder.n_classes)


def _build(graph: _Graph) -> None:
    encoder = graph.encoder
    rows = _embed(graph)
    bias = _bias_of_distances(graph)
    for number, layer in enumerate(encoder.layers):
        rows = _encode(graph, f"layer.{number}", layer, rows, bias)
    hidden = graph.constant("hidden", np.array([encoder.hidden], np.int64))
    tokens = graph.op("Reshape", rows, graph.op("Concat", "shape", hidden, axis=0))
    pooled = graph.op("Gather", tokens, graph.constant("first", np.array(0, np.int64)), axis=1)
    # These few numbers decide: they stay in float32.
    for number, (linear, activation) in enumerate(encoder.head):
        weight = graph.constant(f"head.{number}.weight", linear.weight)
        product = graph.op("Gemm", pooled, weight, graph.constant(f"head.{number}.bias", linear.bias), transB=1)
        pooled = graph.op(activation, product, domain=_CONTRIB if activation == "Gelu" else "")
    graph.nodes.append(helper.make_node("Identity", [pooled], ["probabilities"]))


def _embed(graph: _Graph) -> str:
    encoder = graph.encoder
    codes, scales = quantise_rows(encoder.words)
    graph.nodes.append(helper.make_node("Shape", ["input_ids"], ["shape"]))
    words = graph.op("Gather", graph.constant("words", codes), "input_ids")
    word_scales = graph.op("Gather", graph.constant("words.scale", scales[:, None]), "input_ids")
    embedded = graph.op("Mul", graph.op("Cast", words, to=TensorProto.FLOAT), word_scales)
    n_tokens = graph.op("Gather", "shape", graph.constant("second", np.array([1], np.int64)))
    zero = graph.constant("zero", np.array([0], np.int64))
    here = graph.op("Slice", graph.constant("places", encoder.places), zero, n_tokens, zero)
    rows = _normalise(
        graph, "embeddings.norm", encoder.norm, _flat(graph, graph.op("Add", embedded, here), encoder.words.shape[1])
    )
    return graph.linear(rows, "embeddings.projection", encoder.projection) if encoder.projection else rows


def _bias_of_distances(graph: _Graph) -> str:
    """Return (1, heads, tokens, tokens) to add to attention, or nothing where the family has no such bias."""
    bias = graph.encoder.distance_bias
    if bias is None:
        return ""
    number = graph.op("Gather", "shape", graph.constant("one_index", np.array(1, np.int64)))
    start, step = graph.constant("start", np.array(0, np.int64)), graph.constant("one_index", np.array(1, np.int64))
    places = graph.op("Range", start, number, step)
    last, first = graph.constant("as_columns", np.array([1], np.int64)), graph.constant("zero", np.array([0], np.int64))
    back = graph.op("Sub", graph.op("Unsqueeze", places, last), graph.op("Unsqueeze", places, first))
    middle = graph.constant("no_distance", np.array(bias.shape[1] // 2, np.int64))
    chosen = graph.op("Gather", graph.constant("distances", bias), graph.op("Add", back, middle), axis=1)
    return graph.op("Unsqueeze", chosen, first)


def _encode(graph: _Graph, name: str, layer: Layer, rows: str, bias: str) -> str:
    hidden = graph.encoder.hidden
    parts = (layer.query, layer.key, layer.value)
    weight, addition = (np.concatenate(each) for each in zip(*parts, strict=True))
    joined = graph.linear(rows, f"{name}.attention", Linear(weight, addition))
    shape = graph.op("Concat", "shape", graph.constant("hidden3", np.array([3 * hidden], np.int64)), axis=0)
    thirds = [f"{name}.{part}" for part in ("q", "k", "v")]
    graph.nodes.append(helper.make_node("Split", [graph.op("Reshape", joined, shape)], thirds, axis=2, num_outputs=3))
    given = [*thirds, "", "lengths", *([bias] if bias else [])]
    mixed = graph.op("MultiHeadAttention", *given, domain=_CONTRIB, num_heads=graph.encoder.heads)
    product = graph.linear(_flat(graph, mixed, hidden), f"{name}.mixed", layer.mixed)
    rows = _normalise(graph, f"{name}.mixed_norm", layer.mixed_norm, graph.op("Add", product, rows))
    inner = graph.op("Gelu", graph.linear(rows, f"{name}.inner", layer.inner), domain=_CONTRIB)
    product = graph.linear(inner, f"{name}.outer", layer.outer, floor=GELU_FLOOR)
    return _normalise(graph, f"{name}.outer_norm", layer.outer_norm, graph.op("Add", product, rows))


def _normalise(graph: _Graph, name: str, norm: Norm, rows: str) -> str:
    gain, shift = graph.constant(f"{name}.gain", norm.gain), graph.constant(f"{name}.shift", norm.shift)
    return graph.op("LayerNormalization", rows, gain, shift, axis=-1, epsilon=graph.encoder.epsilon)


def _flat(graph: _Graph, tokens: str, size: int) -> str:
    """Turn (texts, tokens, size) into (texts x tokens, size): one row per token."""
    return graph.op("Reshape", tokens, graph.constant(f"rows_of_{size}", np.array([-1, size], np.int64)))


def _write_weights(graphs: Iterable[_Graph], path: Path) -> dict[str, tuple[int, int]]:
    """Write every constant of all graphs once; return name -> (offset, length) in bytes."""
    places: dict[str, tuple[int, int]] = {}
    offset = 0
    with path.open("wb") as file:
        for graph in graphs:
            for name, tensor in sorted(graph.constants.items()):
                if name not in places and len(tensor.raw_data) >= 256:  # noqa: PLR2004 - tiny ones stay in the graph
                    padding = -offset % 64
                    file.write(b"\0" * padding + tensor.raw_data)
                    places[name] = (offset + padding, len(tensor.raw_data))
                    offset += padding + len(tensor.raw_data)
    return places


def _write_graph(graph: _Graph, places: Mapping[str, tuple[int, int]], path: Path, n_classes: int) -> None:
    constants = []
    for name, tensor in sorted(graph.constants.items()):
        if name in places:
            outside = TensorProto(
                name=name, dims=tensor.dims, data_type=tensor.data_type, data_location=TensorProto.EXTERNAL
            )
            for key, value in zip(("location", "offset", "length"), ("weights.bin", *places[name]), strict=True):
                outside.external_data.add(key=key, value=str(value))
            constants.append(outside)
        else:
            constants.append(tensor)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "ade_classifier",
            [
                helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["texts", "tokens"]),
                helper.make_tensor_value_info("lengths", TensorProto.INT32, ["texts"]),
            ],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["texts", n_classes])],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)],
        ir_version=_IR_VERSION,
        producer_name="adverse_events",
    )
    path.write_bytes(model.SerializeToString())
