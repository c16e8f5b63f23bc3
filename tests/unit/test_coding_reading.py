"""Reading: every spelling of a word reaches the lexicon, and leads back to the text as given."""

import pytest

from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.records import Coding, DrugMention


@pytest.fixture(scope="module")
def coder():
    return EmbeddedCoder.load()


@pytest.mark.parametrize(
    ("text", "span", "icd10cm_code"),
    [
        ("NAUSEA all day", "NAUSEA", "R11.0"),
        ("I can\u2019t sleep", "can\u2019t sleep", "G47.00"),
        ("i cant even sleep", "cant even sleep", "G47.00"),
        ("so naaaauseous rn", "naaaauseous", "R11.0"),
        ("puuuuking", "puuuuking", "R11.10"),
        ("#BrainFog again", "BrainFog", "R41.89"),
        ("#hairloss", "hairloss", "L65.9"),
        ("awful diarrhoea", "diarrhoea", "R19.7"),
        ("diahrrea", "diahrrea", "R19.7"),
        ("two migraines", "migraines", "G43.909"),
        ("gained 20lbs", "gained 20lbs", "R63.5"),
        ("gained about 1.5 kg", "gained about 1.5 kg", "R63.5"),
        ("my hair is literally falling out", "hair is literally falling out", "L65.9"),
        ("flu-like symptoms", "flu-like symptoms", "R68.89"),
        ("pins &amp; needles", "pins &amp; needles", "R20.2"),
        ("\U0001d427\U0001d41a\U0001d42e\U0001d42c\U0001d41e\U0001d41a", None, "R11.0"),
        ("\U0001f922\U0001f922 nausea \U0001f922", "nausea", "R11.0"),
    ],
)
def test_a_form_is_found_however_it_is_spelt(coder, text, span, icd10cm_code):
    (entity,) = coder.code([text], [()])[0].entities
    assert entity.concepts[0].code == icd10cm_code
    assert entity.text == text[entity.begin : entity.end] == (span or text)


def test_a_misspelling_of_a_long_word_is_recognised_and_says_so(coder):
    (entity,) = coder.code(["palpitatioms all night"], [()])[0].entities
    assert (entity.concepts[0].code, entity.score) == ("R00.2", 0.75)
    assert "LOW_CONFIDENCE" in {trait.name for trait in entity.traits}


@pytest.mark.parametrize(
    "text",
    [
        "swearing at the printer",
        "an irrigation system",
        "a breeding pair of owls",
        "spelling test tomorrow",
        "election night",
        "that is odd",
        "i pored over it",
    ],
)
def test_ordinary_words_near_a_form_are_left_alone(coder, text):
    assert coder.code([text], [()]) == [Coding()]


def test_words_are_bounded(coder):
    assert coder.code(["crash course in hivesque prose, rashly done"], [()]) == [Coding()]


def test_a_drug_name_is_never_a_condition(coder):
    drug = DrugMention("Nausea", 0, 6, "nauseamab")
    assert coder.code(["Nausea tablets"], [[drug]]) == [Coding()]


def test_forms_do_not_reach_over_punctuation(coder):
    assert coder.code(["such hair, loss of luggage"], [()]) == [Coding()]
