"""What travels between the classifier's client and the container: one module, used by both.

The Hugging Face text-classification payload, so that any endpoint of that kind can be asked. A request is
``{"inputs": [text, ...], "parameters": {"top_k": null, "truncation": true}}``; an answer has, per input, one
``{"label": ..., "score": ...}`` for every class, in any order. Our container adds ``"truncated": true`` to each of
those where it read only the beginning of the text, and names its model in a header.

Source:
    SageMaker Hugging Face Inference Toolkit, text-classification; InvokeEndpoint API reference; read 2026-11.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CONTENT_TYPE = "application/json"
LINES_TYPE = "application/jsonlines"
ATTRIBUTES_HEADER = "X-Amzn-SageMaker-Custom-Attributes"
"""Header that InvokeEndpoint passes through both ways: at most 1,024 visible ASCII characters."""

PARAMETERS = {"top_k": None, "truncation": True}
"""Every class of every input; text over the model's length is cut by the server instead of failing the request."""


class PayloadError(ValueError):
    """A request or an answer that breaks the contract; the message never quotes a text.

    Attributes:
        status: HTTP status by which a server answers such a request.
    """

    status = 400


class TooLargeError(PayloadError):
    """A request of more bytes or texts than a server takes."""

    status = 413


class ContentTypeError(PayloadError):
    """A request of a type that the server does not read."""

    status = 415


class AcceptError(PayloadError):
    """A request for an answer of a type that the server does not write."""

    status = 406


class TextScores(NamedTuple):
    """One text's answer.

    Attributes:
        scores: Score, 0-1, by label; NaN where the model gave no number.
        truncated: Whether only the beginning was read; None where the server does not say.
    """

    scores: Mapping[str, float]
    truncated: bool | None


class ModelCard(NamedTuple):
    """What a server of this project says of its model in the header; empty and None where another server is silent."""

    version: str = ""
    ade_label: str = ""
    ade_threshold: float | None = None
    thresholds: tuple[tuple[str, float], ...] = ()


def encode_request(texts: Sequence[str]) -> bytes:
    """Return the request for `texts` as UTF-8 JSON."""
    return json.dumps({"inputs": list(texts), "parameters": PARAMETERS}, ensure_ascii=False).encode()


def encoded_size(text: str) -> int:
    """Return the bytes that `text` adds to a request, its comma included."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")) + 2


ENVELOPE_BYTES = len(encode_request([]))
"""Bytes of a request without its texts."""


def decode_request(body: bytes) -> list[str]:
    """Return the texts of a request: ``inputs`` may be one text or a list of texts.

    Raises:
        PayloadError: Not UTF-8 JSON, no ``inputs``, or one that is not text; says which.
    """
    return texts_of(decode_json(body))


def decode_json(body: bytes) -> Any:
    """Return the value of a body.

    Raises:
        PayloadError: Not UTF-8 JSON, or deeper or with longer numbers than Python reads.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        msg = 'the body is not UTF-8 JSON; send {"inputs": ["text", ...]}'
        raise PayloadError(msg) from error


def texts_of(request: Any) -> list[str]:
    """Return the texts of a decoded request; see `decode_request`."""
    if not isinstance(request, dict) or "inputs" not in request:
        msg = 'the request has no "inputs"; send {"inputs": ["text", ...]}'
        raise PayloadError(msg)
    inputs = request["inputs"]
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list):
        msg = f'"inputs" is a {type(inputs).__name__}; it must be a text or a list of texts'
        raise PayloadError(msg)
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            msg = f'"inputs"[{index}] is a {type(text).__name__}; every input must be a text'
            raise PayloadError(msg)
    return [_encodable(text) for text in texts]


def _encodable(text: str) -> str:
    """Return `text` with U+FFFD for each half of a character, which JSON can escape and no tokenizer reads."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def answer_of(
    labels: Sequence[str], scores: Iterable[Sequence[float]], truncated: Iterable[bool]
) -> list[list[dict[str, Any]]]:
    """Return the answer, ready for JSON: every input, every class, best first; NaN is null and last."""
    answer = []
    for row, is_cut in zip(scores, truncated, strict=True):
        ranked = sorted(zip(labels, row, strict=True), key=lambda pair: math.inf if math.isnan(pair[1]) else -pair[1])
        classes = [{"label": label, "score": None if math.isnan(score) else float(score)} for label, score in ranked]
        answer.append([{**item, "truncated": True} for item in classes] if is_cut else classes)
    return answer


def decode_answer(body: bytes, n_texts: int, *, says_truncated: bool) -> list[TextScores]:
    """Return the scores of an answer to a request of `n_texts` texts, in their order.

    Args:
        body: The answer as it came.
        n_texts: Texts that were sent.
        says_truncated: Whether the server marks what it cut, so that no mark means none was.

    Raises:
        PayloadError: Not JSON (such as a proxy's HTML page), another number of rows, or rows of another shape.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        msg = f"the answer of {len(body)} bytes is not JSON; is a proxy in between?"
        raise PayloadError(msg) from error
    if not isinstance(answer, list):
        msg = f"the answer is a JSON {type(answer).__name__}, not a list of scores; is it a text classifier?"
        raise PayloadError(msg)
    if n_texts == 1 and answer and isinstance(answer[0], dict):
        answer = [answer]  # transformers' pipeline drops the outer list of a single input
    if len(answer) != n_texts:
        msg = f"{len(answer)} answers came back for {n_texts} texts"
        raise PayloadError(msg)
    return [text_scores(row, says_truncated=says_truncated) for row in answer]


def text_scores(row: Any, *, says_truncated: bool) -> TextScores:
    """Return one row of an answer; see `decode_answer`."""
    if not isinstance(row, list) or not row or not all(isinstance(item, dict) for item in row):
        msg = "an answer is not a list of classes; is it a text classifier, asked for every class?"
        raise PayloadError(msg)
    scores: dict[str, float] = {}
    for item in row:
        label, score = item.get("label"), item.get("score")
        if not isinstance(label, str) or not (score is None or isinstance(score, int | float)):
            msg = "an answer's class lacks its label or its score; is it a text classifier?"
            raise PayloadError(msg)
        scores[label] = math.nan if score is None else float(score)
    if len(scores) != len(row):
        msg = "an answer names one class twice"
        raise PayloadError(msg)
    truncated = row[0].get("truncated")
    return TextScores(scores, truncated if isinstance(truncated, bool) else (False if says_truncated else None))


def encode_card(card: ModelCard) -> str:
    """Return the header that names the model."""
    said = {"model_version": card.version, "ade_label": card.ade_label, "ade_threshold": str(card.ade_threshold)}
    if card.thresholds:
        said["thresholds"] = ",".join(f"{quote(label, safe='')}:{limit}" for label, limit in card.thresholds)
    # Percent signs only where a name holds what a header or its separators cannot carry.
    return ";".join(f"{name}={quote(value, safe='+ ./:')}" for name, value in said.items())


def decode_card(header: str) -> ModelCard:
    """Return what the header says of the model; empty for a server that is not ours."""
    said = {name: unquote(value) for name, _, value in (part.partition("=") for part in header.split(";"))}
    try:
        threshold = float(said["ade_threshold"]) if "ade_threshold" in said else None
        pairs = (part.rpartition(":") for part in said.get("thresholds", "").split(",") if part)
        limits = tuple((unquote(label), float(limit)) for label, _, limit in pairs)
    except ValueError:
        threshold, limits = None, ()
    return ModelCard(said.get("model_version", ""), said.get("ade_label", ""), threshold, limits)


def encode_line(identifier: str, text: str) -> str:
    """Return one line of a Batch Transform input, its newline included."""
    line = {"id": identifier, "inputs": text, "parameters": PARAMETERS}
    return json.dumps(line, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029") + "\n"


def decode_lines(body: bytes) -> Iterator[Any]:
    """Yield the values of JSON lines, blank lines left out.

    Raises:
        PayloadError: A line that is not JSON; names it.
    """
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                msg = f"line {number} is not UTF-8 JSON"
                raise PayloadError(msg) from error
