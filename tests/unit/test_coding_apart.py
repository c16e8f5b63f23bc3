"""Conditions whose two words stand apart, or in another order than their form's."""

import pytest

from adverse_events.coding.apart import Apart
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.lexicon import APART_SCORE


@pytest.fixture(scope="module")
def coder():
    return EmbeddedCoder.load()


def found(coder, text):
    (coding,) = coder.code([text], [()])
    return {entity.text: entity.concepts[0].code for entity in coding.entities if entity.score == APART_SCORE}


@pytest.mark.parametrize(
    ("text", "span", "code"),
    [
        ("it killed my nephews whole appetite", "killed my nephews whole appetite", "R63.0"),
        ("my hair is honestly falling out", "hair is honestly falling out", "L65.9"),
        ("a rash on the inside of my knee", "rash on the inside of my knee", "R21"),
        ("the hair on my head is coming out", "hair on my head is coming out", "L65.9"),
    ],
)
def test_a_part_and_its_change_are_found_apart(coder, text, span, code):
    assert found(coder, text) == {span: code}


@pytest.mark.parametrize(
    "text",
    [
        "it killed my mood, appetite is fine",
        "it killed my nerve and my appetite",
        "it killed time before my appetite",
        "killed a mosquito sitting near her huge appetite",
        "my nose never blocks",
        "hair when it falls",
    ],
)
def test_not_over_a_pause_a_denial_a_conjunction_or_many_words(coder, text):
    assert found(coder, text) == {}


def test_a_pair_of_two_meanings_is_left_alone():
    forms = [("burning heart", "heartburn"), ("heart burned", "burn"), ("sore throat", "sore throat")]
    apart = Apart.of(forms, {"heart", "throat"}, {"burning": "burn", "burned": "burn", "sore": "sore"})
    assert apart.pairs == {"throat": {"sore": "sore throat"}}
    assert apart.find(["throat", "all", "sore"], {"all"}, set(), set()) == [(0, 3, "sore throat")]
    assert apart.find(["throat", "all", "sore"], {"all"}, {2}, {2}) == []


def test_two_conditions_that_share_a_word_are_both_left_alone():
    apart = Apart({"hip": {"sore": "hip pain"}, "knee": {"sore": "knee pain"}}, {"sore": "sore"})
    assert apart.find(["hip", "sore", "knee"], set(), set(), set()) == []
    assert apart.find(["hip", "sore", "hip"], set(), set(), set()) == [(0, 2, "hip pain")]


def test_long_misspelt_forms_and_what_is_said_of_adjectives_are_read(coder):
    codings = coder.code(["feeling itchier today", "hypervantilating all day", "a tourist from spain"], [()] * 3)
    assert [[entity.concepts[0].code for entity in coding.entities] for coding in codings] == [["L29.9"], ["R06.4"], []]
    assert "LOW_CONFIDENCE" in {trait.name for trait in codings[1].entities[0].traits}
