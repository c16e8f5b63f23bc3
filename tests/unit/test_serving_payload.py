"""The payload that client and container share: what is refused, and that nothing is lost on the way."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adverse_events.serving import payload
from adverse_events.serving.payload import ModelCard, PayloadError

QUOTED = "my cousin was sick after her tablets"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_survive_the_request(texts):
    assert payload.decode_request(payload.encode_request(texts)) == texts


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_batch_transform_line_is_one_line_and_survives(identifier, text):
    line = payload.encode_line(identifier, text).encode()
    (value,) = payload.decode_lines(line)
    assert (value["id"], payload.texts_of(value)) == (identifier, [text])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not UTF-8 JSON"),
        (b"\xff\xfe\xfa", "not UTF-8 JSON"),
        (b"{", "not UTF-8 JSON"),
        (b"[" * 200_000, "not UTF-8 JSON"),
        (b'{"inputs": ' + b"9" * 5000 + b"}", "not UTF-8 JSON"),
        (b"null", 'no "inputs"'),
        (b'["a"]', 'no "inputs"'),
        (b'{"text": "a"}', 'no "inputs"'),
        (b'{"inputs": null}', "NoneType"),
        (b'{"inputs": {"text": "a"}}', "dict"),
        (b'{"inputs": ["a", null]}', r'"inputs"\[1\] is a NoneType'),
        (b'{"inputs": [["a"]]}', r'"inputs"\[0\] is a list'),
        (b'{"inputs": [1.5]}', r'"inputs"\[0\] is a float'),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_request_that_breaks_the_contract_is_refused_with_the_reason(body, reason):
    with pytest.raises(PayloadError, match=reason):
        payload.decode_request(body)


@pytest.mark.parametrize("wrapped", ['{{"inputs": ["{}", 1]}}', '{{"inputs": {{"{}": 1}}}}', '{{"inputs": ["{}"'])
def test_a_refusal_quotes_no_text(wrapped):
    with pytest.raises(PayloadError) as refused:
        payload.decode_request(wrapped.format(QUOTED).encode())
    assert QUOTED not in str(refused.value)


def test_half_a_character_is_replaced_because_no_tokenizer_reads_it():
    assert payload.decode_request(rb'{"inputs": ["sick \ud83d", "\ud83d\ude00"]}') == [
        "sick \N{REPLACEMENT CHARACTER}",
        "😀",
    ]


def test_every_class_is_named_best_first_and_no_number_is_null_and_last():
    answer = payload.answer_of(("A", "B", "C"), [[0.1, 0.7, 0.2], [math.nan, 0.4, 0.6]], [False, True])
    assert [[item["label"] for item in row] for row in answer] == [["B", "C", "A"], ["C", "B", "A"]]
    assert answer[1][2] == {"label": "A", "score": None, "truncated": True}
    decoded = payload.decode_answer(json.dumps(answer).encode(), 2, says_truncated=True)
    assert [row.truncated for row in decoded] == [False, True]
    assert math.isnan(decoded[1].scores["A"])


@pytest.mark.parametrize("version", ["minilm-l6-ade+10fad61ae7e2", "médical; a=b\r\nX: 1%"])
def test_the_card_survives_its_header_whatever_the_model_is_called(version):
    card = ModelCard(version, "ADE", 0.5, (("a:b,c;d=e", 0.25), ("QUESTION", 0.5)))
    header = payload.encode_card(card)
    assert header.isascii()
    assert header.isprintable()
    assert payload.decode_card(header) == card


def test_an_ordinary_card_reads_as_it_is():
    header = payload.encode_card(ModelCard("minilm+0123456789ab", "ADE", 0.5))
    assert header == "model_version=minilm+0123456789ab;ade_label=ADE;ade_threshold=0.5"


@pytest.mark.parametrize("header", ["", "session=1", "ade_threshold=soon", ";;="])
def test_a_header_that_is_not_ours_names_no_model(header):
    assert payload.decode_card(header) == ModelCard()
