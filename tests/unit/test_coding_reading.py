"""Reading: every spelling of a word reaches the lexicon, and leads back to the text as given."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
        ("this stuff has me feeling \U0001f922", "\U0001f922", "R11.0"),
        ("it makes me \U0001f92e every time", "\U0001f92e", "R11.10"),
        ("woke up feeling \U0001f635\u200d\U0001f4ab today", "\U0001f635\u200d\U0001f4ab", "R42"),
        ("I can&#39;t sleep", "can&#39;t sleep", "G47.00"),
        ("I can&amp;#8217;t sleep", "can&amp;#8217;t sleep", "G47.00"),
        ("I can\u2032t sleep", "can\u2032t sleep", "G47.00"),
        ("such nau&shy;sea", "nau&shy;sea", "R11.0"),
        ("such nau\u200bsea", "nau\u200bsea", "R11.0"),
        ("my <b>hair</b> is<br/> fine, <i>so</i> dizzy", "dizzy", "R42"),
        ("<p>constant <em>head</em>aches</p>", "<em>head</em>aches"[4:], "R51.9"),
        ("#hairfallingout again", "hairfallingout", "L65.9"),
        ("#CantSleep", "CantSleep", "G47.00"),
        ("#mystomachhurts", "stomachhurts", "R10.9"),
        ("hair keeps on falling out", "hair keeps on falling out", "L65.9"),
        ("my hair has started to fall out", "hair has started to fall out", "L65.9"),
        ("hands always feel so numb", "hands always feel so numb", "R20.0"),
        ("chest feels like it is on fire", "chest feels like it is on fire", "R12"),
        ("hyperglycaemia at every check", "hyperglycaemia", "R73.9"),
        ("always throwin up", "throwin up", "R11.10"),
        ("a1c is sky high", "a1c is sky high", "R73.9"),
        ("type 1 diabetes", "type 1 diabetes", "E10.9"),
        ("gained two kilos", "gained two kilos", "R63.5"),
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


@pytest.mark.parametrize(
    "text",
    [
        "that outfit \U0001f92e",
        "\U0001f922",
        "\U0001f922\U0001f92e\U0001f635\u200d\U0001f4ab",
        "an eyesore of a building",
        "handshaking all day at the fair",
        "#handsome #blessed #goodvibesonly",
        "x < y & y > z; a<3",
        "a &notanentity; b",
        "contusion on the bumper",
        "tinkling of the piano",
    ],
)
def test_signs_and_near_words_alone_mean_nothing(coder, text):
    assert coder.code([text], [()]) == [Coding()]


MARKUP = ["&#39;", "&amp;", "<br>", "<b>", "</b>", "\u200b", "\u202e", "\x00", "\ud800", "\"'\u201c", "\n"]
WORDS = ["nausea", "can't sleep", "my hair is falling out", "#hairloss", "zoloft", "5 lbs", "\u0130", "\ufb01"]
PIECES = st.sampled_from([*MARKUP, *WORDS, "\U0001f922", "\u0635\u062f\u0627\u0639"])


@given(st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=30).map(" ".join) | st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_spans_are_places_in_the_text_as_given_and_never_overlap(coder, text):
    at = text.find("zoloft")
    drugs = [DrugMention("zoloft", at, at + 6, "sertraline")] if at >= 0 else []
    entities = coder.code([text], [drugs])[0].entities
    end = 0
    for entity in entities:
        assert end <= entity.begin < entity.end <= len(text)
        assert text[entity.begin : entity.end] == entity.text
        assert not any(entity.begin < drug.end and drug.begin < entity.end for drug in drugs)
        end = entity.end


@pytest.mark.parametrize(
    "piece", ["nausea ", "#hairloss", "&amp;", "<b>", "a", "\U0001f922", "no pain in my ", "\u200b", "'\u201c"]
)
def test_a_very_long_text_is_read_whole(coder, piece):
    text = (piece * 200_000)[:200_000]
    read = coder._roles.read(text, ())
    assert len(read.reading.words) <= len(text)
    assert all(found.end <= following.begin for found, following in itertools.pairwise(read.forms))


def test_words_are_bounded(coder):
    assert coder.code(["crash course in hivesque prose, rashly done"], [()]) == [Coding()]


def test_a_drug_name_is_never_a_condition(coder):
    drug = DrugMention("Nausea", 0, 6, "nauseamab")
    assert coder.code(["Nausea tablets"], [[drug]]) == [Coding()]


def test_forms_do_not_reach_over_punctuation(coder):
    assert coder.code(["such hair, loss of luggage"], [()]) == [Coding()]
