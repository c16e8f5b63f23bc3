"""What is added to a service's entities: the embedded coder's rules, on spans that need not be its own."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adverse_events.coding.comprehend.roles import LocalRules
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.wire import from_response, to_response
from adverse_events.records import Concept, Entity, Trait
from adverse_events.screening.drugs import DrugLexicon

OSTEOPOROSIS = Concept("M81.8", "Other osteoporosis without current pathological fracture", 0.8)
WORDS = """
    zoloft humira gave me nausea headache no not rash depression anxiety for my mom used to hives might cause withdrawal
    from stopping cured , . ? and or but #NoSleep can't sleep insomnia the dry mouth 20 lbs gained \U0001f922
""".split()  # noqa: SIM905  a list of 38 quoted words would be a page


EMBEDDED = EmbeddedCoder.load()


@pytest.fixture(scope="module")
def rules():
    return LocalRules.load()


def complete(rules, text, span, *traits, concepts=(), occurrence=0):
    """Complete one entity over `span`, as the service might send it."""
    begin = -1
    for _ in range(occurrence + 1):
        begin = text.index(span, begin + 1)
    sent = tuple(Trait(name, 0.8) for name in traits)
    entity = Entity(span, begin, begin + len(span), 0.9, sent, concepts)
    (completed,) = rules.complete(text, DrugLexicon.load().find(text), [entity])
    return completed


def names(entity):
    return {trait.name for trait in entity.traits}


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
@example("zoloft for my anxiety, used to get hives on humira. no nausea or rash? my mom has insomnia")
def test_where_the_service_finds_what_the_lexicon_finds_the_entities_are_the_embedded_coder_s(text):
    drugs = DrugLexicon.load().find(text)
    (expected,) = EMBEDDED.code([text], [drugs])
    sent = from_response(to_response(expected.entities, "1", extras=False), text)
    assert LocalRules.load().complete(text, drugs, sent) == expected.entities


@pytest.mark.parametrize(
    ("text", "span", "role"),
    [
        ("zoloft gave me terrible wobbly eyeballs", "wobbly eyeballs", "ADE"),
        ("zoloft gave me terrible nausea", "terrible nausea", "ADE"),
        ("zoloft gave me terrible nausea", "nause", "ADE"),
        ("zoloft eyeball wobble again", "eyeball wobble", "ADE"),
        ("zoloft headache again", "zoloft headache", "ADE"),
        ("took zoloft for wobbly eyeballs", "wobbly eyeballs", "INDICATION"),
        ("zoloft cured my eyeball wobble", "eyeball wobble", "BENEFIT"),
        ("stopped zoloft cold turkey and got eyeball wobble", "eyeball wobble", "WITHDRAWAL"),
        ("eyeball wobble on a tuesday", "eyeball wobble", "UNKNOWN"),
        ("took zoloft for nausea and lonely marbles", "lonely marbles", "INDICATION"),
        ("took zoloft for nausea and lost marbles", "lost marbles", "ADE"),
        ("zoloft and a limb feeling gone", "limb feeling gone", "ADE"),
    ],
)
def test_a_span_the_lexicon_does_not_have_is_read_by_the_words_around_it(rules, text, span, role):
    assert complete(rules, text, span, "SYMPTOM").role == role


@pytest.mark.parametrize("span", ["\U0001f4c5", "zoloft", ",", "the"])
def test_a_span_without_a_word_of_its_own_stays_unexplained(rules, span):
    text = "zoloft gave me , the \U0001f4c5 nausea"
    entity = complete(rules, text, span)
    assert (entity.text, entity.role, entity.traits) == (span, "UNKNOWN", ())


def test_an_illness_drugs_are_taken_for_is_known_by_its_code(rules):
    text = "day 3 of zoloft. crumbly skeleton"
    assert complete(rules, text, "crumbly skeleton", "DIAGNOSIS").role == "ADE"
    assert complete(rules, text, "crumbly skeleton", "DIAGNOSIS", concepts=(OSTEOPOROSIS,)).role == "INDICATION"


def test_a_condition_only_the_lexicon_finds_is_heard_but_not_added(rules):
    """What was cured is the nausea, whether or not the service found it."""
    entity = complete(rules, "zoloft cured my nausea wobbly eyeballs", "wobbly eyeballs", "SYMPTOM")
    assert (entity.text, entity.role) == ("wobbly eyeballs", "ADE")


def test_of_two_entities_in_one_word_the_second_stays_unexplained(rules):
    text = "zoloft gave me nauseaheadache"
    halves = [Entity("nausea", 15, 21, 0.9), Entity("headache", 21, 29, 0.9)]
    assert [entity.role for entity in rules.complete(text, DrugLexicon.load().find(text), halves)] == ["ADE", "UNKNOWN"]


def test_what_the_service_has_a_name_for_is_the_service_s_word(rules):
    heard = complete(rules, "zoloft, never any nausea", "nausea", "SYMPTOM")
    assert names(heard) == {"SYMPTOM"}
    denied = complete(rules, "zoloft gave me nausea", "nausea", "SYMPTOM", "NEGATION")
    assert names(denied) == {"SYMPTOM", "NEGATION"}
    assert denied.cause_code is None


def test_past_history_is_added_in_the_order_of_scores(rules):
    entity = complete(rules, "used to get hives on zoloft", "hives", "SYMPTOM")
    assert [trait.name for trait in entity.traits] == ["PAST_HISTORY", "SYMPTOM"]
    assert entity.cause_code == "T43.225"


def test_of_overlapping_entities_the_most_specific_stays(rules):
    text = "zoloft gave me severe nausea"
    whole, part = Entity("severe nausea", 15, 28, 0.7), Entity("nausea", 22, 28, 0.9)
    (kept,) = rules.complete(text, DrugLexicon.load().find(text), [part, whole])
    assert (kept.text, kept.role) == ("severe nausea", "ADE")


@settings(deadline=None)
@given(st.text("zoloft nausea,.!?#\U0001f922'&; \u0635\n", max_size=60), st.data())
def test_any_span_of_any_text_is_completed(text, data):
    """A service's offsets are checked to lie in the text; nothing else of them is sure."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    spans = [(begin, end) for begin, end in pairwise(cuts) if begin < end]
    entities = [Entity(text[begin:end], begin, end, 0.9) for begin, end in spans]
    completed = LocalRules.load().complete(text, DrugLexicon.load().find(text), entities)
    assert [(entity.begin, entity.end) for entity in completed] == spans
