"""The handler as the Hugging Face image calls it: model_fn, input_fn, predict_fn, output_fn."""

import json
from inspect import signature
from types import SimpleNamespace

import pytest

from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import starter_model
from adverse_events.serving import handler, payload
from adverse_events.serving.payload import AcceptError, ContentTypeError, PayloadError, TooLargeError
from tests.serving_parts import ChosenModel

TEXTS = ["started sertraline and I have been throwing up since", "lovely weather by the canal", ""]
LINES = "application/jsonlines"


@pytest.fixture(scope="module")
def model():
    return handler.model_fn(str(starter_model()))


def _asked(model, body, content_type="application/json", accept="application/json"):
    prediction = handler.predict_fn(handler.input_fn(body, content_type), model)
    return handler.output_fn(prediction, accept)


@pytest.mark.parametrize("kind", [bytes, bytearray, lambda body: body.decode()], ids=["bytes", "bytearray", "str"])
def test_every_text_and_every_class_is_answered_as_the_embedded_classifier_scores(model, kind):
    answer = _asked(model, kind(payload.encode_request(TEXTS)))
    rows = payload.decode_answer(answer.encode(), len(TEXTS), says_truncated=True)
    expected = EmbeddedClassifier(starter_model(), threads=1).probabilities(TEXTS)
    assert [[row.scores[label] for label in ("NOT_ADE", "ADE")] for row in rows] == expected.tolist()


def test_a_text_is_answered_by_its_row_and_a_list_by_a_list(model):
    alone = json.loads(_asked(model, json.dumps({"inputs": TEXTS[0]})))
    (listed,) = json.loads(_asked(model, json.dumps({"inputs": TEXTS[:1]})))
    assert alone == listed
    assert json.loads(_asked(model, '{"inputs": []}')) == []


def test_lines_are_answered_line_by_line_in_order(model):
    lines = [json.loads(payload.encode_line(str(i), text)) for i, text in enumerate(TEXTS)]
    lines[1]["inputs"] = [TEXTS[1], TEXTS[0]]
    body = "\n".join(map(json.dumps, lines)).encode() + b"\n\n"
    first, both, last = map(json.loads, _asked(model, body, LINES, LINES).split("\n"))
    assert [first, *both, last] == json.loads(
        _asked(model, payload.encode_request([TEXTS[0], TEXTS[1], TEXTS[0], TEXTS[2]]))
    )


def test_batch_transforms_single_record_is_read_too(model):
    """BatchStrategy SingleRecord sends one line, with its id, as application/json."""
    answer = json.loads(_asked(model, payload.encode_line("7", TEXTS[0]).encode()))
    assert [item["label"] for item in answer] == ["ADE", "NOT_ADE"]


def test_a_text_that_was_cut_says_so_in_every_class(model):
    cut, whole = json.loads(_asked(model, payload.encode_request(["x " * 60_000, "short"])))
    assert [item.get("truncated") for item in (*cut, *whole)] == [True, True, None, None]


@pytest.mark.parametrize(
    ("content_type", "accept", "expected"),
    [
        ("application/json", None, "application/json"),
        ("application/json; charset=utf-8", "*/*", "application/json"),
        (None, "", "application/json"),
        (LINES, "*/*", LINES),
        (LINES, "text/html, application/json", "application/json"),
        ("Application/JSON", LINES, LINES),
    ],
)
def test_the_answer_is_of_the_type_asked_for_or_else_of_the_requests(content_type, accept, expected):
    request = handler.input_fn(b'{"inputs": ["a", "b"]}', content_type)
    assert handler.answer_type(request, accept) == expected


def test_a_type_that_is_not_read_or_written_is_refused():
    with pytest.raises(ContentTypeError, match="send application/json or application/jsonlines"):
        handler.input_fn(b"a,b", "text/csv")
    with pytest.raises(AcceptError, match="accept application/json"):
        handler.answer_type(handler.input_fn(b'{"inputs": "a"}', "application/json"), "image/png, text/csv")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"inputs": "a"}\n{"inputs": 3}', 'record 2: "inputs" is a int'),
        (b'{"inputs": "a"}\n\n{"input": "b"}', "record 2: the request has no"),
        (b'{"inputs": "a"}\n{"inputs": "b"', "line 2 is not UTF-8 JSON"),
        (b'{"inputs": "a"}\n"b"', "record 2: the request has no"),
    ],
)
def test_a_bad_line_is_refused_by_its_number(body, reason):
    with pytest.raises(PayloadError, match=reason):
        handler.input_fn(body, LINES)


def test_more_texts_than_a_request_may_hold_are_refused():
    with pytest.raises(TooLargeError, match="100,000 texts"):
        handler.input_fn(payload.encode_request([""] * (handler.MAX_TEXTS + 1)), "application/json")


def test_a_model_that_fails_is_reported_by_place_and_never_by_text():
    """The image sends the message of any exception to the caller."""
    model = ChosenModel()
    model.error = RuntimeError("cannot read 'my cousin was sick'")
    with pytest.raises(handler.ModelFailedError, match=r"^unexpected RuntimeError at serving_parts\.py:\d+$") as failed:
        handler.predict_fn(handler.input_fn(b'{"inputs": "my cousin was sick"}', "application/json"), model)
    assert failed.value.__suppress_context__


def test_the_image_finds_the_arguments_it_counts_and_the_answer_names_the_model():
    """The toolkit passes its context to a function with one parameter more than it needs; see handler_service.py."""
    functions = (handler.model_fn, handler.input_fn, handler.predict_fn, handler.output_fn)
    assert [len(signature(function).parameters) for function in functions] == [1, 2, 2, 3]

    header = {}
    context = SimpleNamespace(request_processor=[SimpleNamespace(add_response_property=header.__setitem__)])
    model = ChosenModel()
    prediction = handler.predict_fn(handler.input_fn(b'{"inputs": "a"}', "application/json"), model)
    handler.output_fn(prediction, "application/json", context)
    assert payload.decode_card(header[payload.ATTRIBUTES_HEADER]) == model.facts.card
