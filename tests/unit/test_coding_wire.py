"""Comprehend Medical's response shape, written and read back."""

import json
import math

import pytest

from adverse_events.coding.wire import SERVICE_TRAITS, from_response, to_response, with_text, without_text
from adverse_events.errors import AnswerError
from adverse_events.records import Concept, Entity, Trait

TEXT = "zoloft \U0001f922 gave me nausea and hives"
NAUSEA = Entity(
    "nausea",
    17,
    23,
    0.95,
    (Trait("SYMPTOM", 0.95), Trait("PAST_HISTORY", 0.9)),
    (Concept("R11.0", "Nausea", 0.95),),
    role="ADE",
    cause_code="T43.225",
)
HIVES = Entity("hives", 28, 33, 0.85, (Trait("SIGN", 0.85),))


def spoilt(**members):
    (entity,) = to_response([NAUSEA], "1")["Entities"]
    return {"Entities": [{**entity, **members}]}


def test_what_is_written_is_read_back():
    response = json.loads(json.dumps(to_response([NAUSEA, HIVES], "1")))
    assert from_response(response, TEXT) == (NAUSEA, HIVES)


def test_without_extras_nothing_is_said_that_the_service_could_not_say():
    (entity,) = to_response([NAUSEA], "1", extras=False)["Entities"]
    assert not {"Role", "CauseCode"} & set(entity)
    assert {trait["Name"] for trait in entity["Traits"]} == {"SYMPTOM"} <= SERVICE_TRAITS


def test_entities_come_back_in_text_order():
    response = to_response([HIVES, NAUSEA], "1")
    assert [entity.text for entity in from_response(response, TEXT)] == ["nausea", "hives"]


@pytest.mark.parametrize("response", [{}, {"Entities": None}, {"Entities": {}}, {"message": "<html>"}])
def test_an_answer_without_a_list_of_entities_is_refused(response):
    with pytest.raises(AnswerError, match="no list of Entities"):
        from_response(response, TEXT)


@pytest.mark.parametrize("missing", ["BeginOffset", "EndOffset", "Text", "Score", "Category", "Type"])
def test_a_missing_member_is_named(missing):
    response = spoilt()
    del response["Entities"][0][missing]
    with pytest.raises(AnswerError, match=f"{missing} is missing"):
        from_response(response, TEXT)


@pytest.mark.parametrize("score", [math.nan, math.inf, -0.1, 1.01, "0.9", None, True])
def test_a_score_is_a_number_of_0_to_1(score):
    for members in (
        {"Score": score},
        {"Traits": [{"Name": "SIGN", "Score": score}]},
        {"ICD10CMConcepts": [{"Code": "R11.0", "Description": "Nausea", "Score": score}]},
    ):
        with pytest.raises(AnswerError, match="no number of 0-1"):
            from_response(spoilt(**members), TEXT)


@pytest.mark.parametrize(("begin", "end"), [(-1, 23), (17, 17), (23, 17), (17, 99), (17.0, 23), ("17", 23), (True, 23)])
def test_offsets_are_two_places_in_the_text(begin, end):
    with pytest.raises(AnswerError, match="offsets"):
        from_response(spoilt(BeginOffset=begin, EndOffset=end), TEXT)


def test_the_words_at_the_offsets_are_the_entity_s_and_are_not_quoted():
    """Offsets that count bytes or UTF-16 units fail here, where a sign beyond the basic plane stands before them."""
    with pytest.raises(AnswerError, match="18-24 has another text") as raised:
        from_response(spoilt(BeginOffset=18, EndOffset=24), TEXT)
    assert "nausea" not in str(raised.value)


@pytest.mark.parametrize("members", [{"Traits": None}, {"Traits": [1]}, {"Category": 1}, {"Text": None}, {"Role": []}])
def test_a_member_of_another_type_is_refused(members):
    with pytest.raises(AnswerError):
        from_response(spoilt(**members), TEXT)


def test_an_entity_put_away_without_its_text_is_found_again_in_it():
    plain = [NAUSEA, HIVES]
    assert "nausea" not in json.dumps(without_text(plain)).replace("Nausea", "")
    found = with_text(json.loads(json.dumps(without_text(plain))), TEXT)
    assert [(e.text, e.begin, e.score, e.concepts) for e in found] == [
        (e.text, e.begin, e.score, e.concepts) for e in plain
    ]
