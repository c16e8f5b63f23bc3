"""One request from bytes to bytes, as the Hugging Face inference image calls it; our own server calls the same.

The image imports ``inference.py`` of the model archive and calls ``model_fn`` once, then ``input_fn``, ``predict_fn``
and ``output_fn`` per request. It turns any exception into status 400 with the exception's message as the body, so no
message here carries text of a request. Two types are read and written:

- ``application/json``: ``{"inputs": "text"}`` or ``{"inputs": ["text", ...]}``;
- ``application/jsonlines``: one such object per line, one answer per line: Batch Transform's lines.

A text is answered by its row, a list of texts by a list of rows; a row names every class.

Source:
    SageMaker Hugging Face Inference Toolkit, handler_service.py, read 2026-11.
"""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .facts import ModelFacts
from .model import OnnxModel, Scores, Stopped, never
from .payload import (
    ATTRIBUTES_HEADER,
    CONTENT_TYPE,
    LINES_TYPE,
    AcceptError,
    ContentTypeError,
    ModelCard,
    PayloadError,
    TooLargeError,
    answer_of,
    decode_json,
    decode_lines,
    encode_card,
    texts_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TYPES = (CONTENT_TYPE, LINES_TYPE)

MAX_TEXTS = 100_000
"""Texts of one request: more than 6 MiB of Batch Transform's lines hold, far fewer than 6 MiB of empty texts."""


class ModelFailedError(Exception):
    """The model failed on a request; says where, never on what."""


class Request(NamedTuple):
    """The texts of one request and how they were asked for.

    Attributes:
        texts: Every text, in order.
        groups: How many texts each JSON object brought; None for one that brought a text instead of a list.
        content_type: Its media type, one of `TYPES`.
    """

    texts: list[str]
    groups: list[int | None]
    content_type: str


class Prediction(NamedTuple):
    """What the model says to a `Request`."""

    request: Request
    scores: Scores
    labels: tuple[str, ...]
    card: ModelCard


def model_fn(model_dir: str | Path) -> OnnxModel:
    """Load the model of an extracted archive, its files checked.

    One thread per call: the image starts one process per processor, and each loads the model.

    Raises:
        ModelFolderError: The folder holds no model, or a damaged one.
    """
    return load(Path(model_dir), threads=1)


def load(folder: Path, *, threads: int = 0) -> OnnxModel:
    """Load the model of a folder, its files checked; `threads` as `OnnxModel` takes it.

    Raises:
        ModelFolderError: The folder holds no model, or a damaged one.
    """
    facts = ModelFacts.read(folder)
    facts.check_files(folder)
    return OnnxModel(folder, facts, threads=threads)


def input_fn(body: bytes | bytearray | str, content_type: str | None) -> Request:
    """Read a request.

    Raises:
        ContentTypeError: Neither JSON nor JSON lines.
        PayloadError: Its body breaks the contract of `payload`.
        TooLargeError: More than `MAX_TEXTS` texts.
    """
    media_type = _media_type(content_type) or CONTENT_TYPE
    if media_type not in TYPES:
        msg = f"this content type is not read; send {' or '.join(TYPES)}"
        raise ContentTypeError(msg)
    raw = body.encode() if isinstance(body, str) else bytes(body)
    objects = decode_lines(raw) if media_type == LINES_TYPE else iter([decode_json(raw)])
    texts: list[str] = []
    groups: list[int | None] = []
    for number, item in enumerate(objects, 1):
        found = _texts_of(item, f"record {number}: " if media_type == LINES_TYPE else "")
        texts += found
        groups.append(None if isinstance(item["inputs"], str) else len(found))
        if len(texts) > MAX_TEXTS:
            msg = f"more than {MAX_TEXTS:,} texts in one request; send fewer at a time"
            raise TooLargeError(msg)
    return Request(texts, groups, media_type)


def predict_fn(data: Request, model: OnnxModel) -> Prediction:
    """Score every text of a request.

    Raises:
        ModelFailedError: The model failed; the message names the place in the code only.
    """
    return predict(data, model, never)


def predict(data: Request, model: OnnxModel, is_stopped: Callable[[], bool]) -> Prediction:
    """As `predict_fn`, for a caller who may lose interest: `is_stopped` is asked before each call of the model.

    Raises:
        Stopped: `is_stopped` said so.
        ModelFailedError: The model failed; the message names the place in the code only.
    """
    try:
        scores = model.score(data.texts, is_stopped)
    except Stopped:
        raise
    except Exception as error:  # noqa: BLE001 - what ONNX Runtime or the tokenizer says may quote a post
        raise ModelFailedError(described(error)) from None
    return Prediction(data, scores, model.facts.labels, model.facts.card)


def output_fn(prediction: Prediction, accept: str | None, context: Any = None) -> str:
    """Write the answer, in the type asked for or else in the request's own.

    Args:
        prediction: What `predict_fn` returned.
        accept: Value of the Accept header.
        context: The image's own; when given, the answer's header names the model.

    Raises:
        AcceptError: The caller reads neither JSON nor JSON lines.
    """
    media_type = answer_type(prediction.request, accept)
    if context is not None:
        context.request_processor[0].add_response_property(ATTRIBUTES_HEADER, encode_card(prediction.card))
    answers = list(_regrouped(prediction))
    if media_type == LINES_TYPE:
        # No line end after the last: Batch Transform's AssembleWith adds it.
        return "\n".join(json.dumps(answer) for answer in answers)
    return json.dumps(answers[0] if prediction.request.content_type == CONTENT_TYPE else answers)


def answer_type(request: Request, accept: str | None) -> str:
    """Return the media type of the answer: the first of `accept` that is written here, else the request's own.

    Raises:
        AcceptError: `accept` names types, and none that is written here.
    """
    asked = [_media_type(part) for part in (accept or "").split(",") if part.strip()]
    for media_type in asked:
        if media_type in TYPES:
            return media_type
        if media_type in {"*/*", "application/*"}:
            return request.content_type
    if asked:
        msg = f"no accepted type is written here; accept {' or '.join(TYPES)}"
        raise AcceptError(msg)
    return request.content_type


def described(error: BaseException) -> str:
    """Return the kind of an unexpected error and its place in the code; never its message, which may quote a text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}"


def _texts_of(item: Any, where: str) -> list[str]:
    try:
        return texts_of(item)
    except PayloadError as error:
        msg = f"{where}{error}"
        raise PayloadError(msg) from error


def _regrouped(prediction: Prediction) -> Iterator[list[Any]]:
    """Yield one answer per JSON object of the request."""
    scores = prediction.scores
    rows = iter(answer_of(prediction.labels, scores.probabilities.tolist(), scores.is_truncated))
    for size in prediction.request.groups:
        yield next(rows) if size is None else [next(rows) for _ in range(size)]


def _media_type(header: str | None) -> str:
    return (header or "").partition(";")[0].strip().lower()
