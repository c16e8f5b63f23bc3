"""Selection: which entities count, with which code."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adverse_events.coding.select import (
    CodingSettings,
    best_concept,
    counted_codes,
    distinct_entities,
    is_event,
    most_specific,
)
from adverse_events.records import Concept, Entity, Trait

SETTINGS = CodingSettings()


def entity(*traits, begin=0, end=6, score=0.9, role="ADE", concepts=()):
    return Entity("nausea", begin, end, score, tuple(Trait(name, 0.9) for name in traits), tuple(concepts), role=role)


@pytest.mark.parametrize("role", ["ADE", "WITHDRAWAL"])
def test_an_asserted_condition_of_the_author_is_an_event(role):
    assert is_event(entity("SYMPTOM", role=role), SETTINGS)


@pytest.mark.parametrize("role", ["INDICATION", "BENEFIT", "LACK_OF_EFFECT", "UNKNOWN"])
def test_what_the_drug_is_taken_for_or_has_no_part_in_is_no_event(role):
    assert not is_event(entity(role=role), SETTINGS)


@pytest.mark.parametrize("trait", ["NEGATION", "HYPOTHETICAL", "PERTAINS_TO_FAMILY"])
def test_what_did_not_happen_to_the_author_is_no_event(trait):
    assert not is_event(entity("SYMPTOM", trait), SETTINGS)


def test_the_past_is_an_event_only_where_a_drug_is_blamed():
    assert is_event(entity("PAST_HISTORY", role="ADE"), SETTINGS)
    assert not is_event(entity("PAST_HISTORY", role="UNKNOWN"), SETTINGS)


def test_the_entity_limit_is_inclusive():
    assert is_event(entity(score=0.60), SETTINGS)
    assert not is_event(entity(score=0.5999), SETTINGS)


def test_the_best_concept_does_not_depend_on_their_order():
    concepts = [
        Concept("R11", "b", 0.8),
        Concept("R11.0", "a", 0.8),
        Concept("R12", "c", 0.7),
        Concept("K30", "d", 0.2),
    ]
    best = {best_concept(entity(concepts=order), SETTINGS).code for order in itertools.permutations(concepts)}
    assert best == {"R11.0"}


def test_the_concept_limit_is_inclusive_and_below_it_there_is_none():
    assert best_concept(entity(concepts=[Concept("R11.0", "Nausea", 0.70)]), SETTINGS)
    assert best_concept(entity(concepts=[Concept("R11.0", "Nausea", 0.69)]), SETTINGS) is None
    assert best_concept(entity(), SETTINGS) is None


def test_of_overlapping_entities_the_most_specific_stays_in_any_order():
    short, long, apart = entity(begin=5, end=9), entity(begin=0, end=9), entity(begin=10, end=12)
    answers = {distinct_entities(order) for order in itertools.permutations([short, long, apart])}
    assert answers == {(long, apart)}


def test_touching_entities_do_not_overlap():
    left, right = entity(begin=0, end=5), entity(begin=5, end=9)
    assert distinct_entities([right, left]) == (left, right)


@pytest.mark.parametrize("bad", [{"entity_min_score": 1.1}, {"concept_min_score": -0.1}, {"threshold": 0.5}])
def test_settings_out_of_bounds_or_unknown_are_refused(bad):
    with pytest.raises(ValidationError):
        CodingSettings(**bad)


CODE = st.sampled_from(["K92", "K92.1", "K92.2", "R10", "R10.1", "R10.13", "R11.0", ""])


@given(st.lists(CODE), st.randoms())
def test_a_category_never_counts_beside_its_own_code_in_any_order(codes, chance):
    counted = most_specific(codes)
    shuffled = list(codes)
    chance.shuffle(shuffled)
    assert most_specific(shuffled) == counted == tuple(sorted(set(counted)))
    assert set(counted) <= set(codes)
    for code in codes:
        assert any(other.startswith(code) for other in counted)
    for code in filter(None, counted):
        assert not any(other != code and other.startswith(code) for other in counted)


@given(st.lists(st.tuples(CODE.filter(bool), st.sampled_from([0.2, 0.7, 0.8, 0.95])), max_size=5), st.randoms())
def test_the_best_concept_is_the_same_in_any_order_and_never_a_category_of_another(given_concepts, chance):
    concepts = [Concept(code, "", score) for code, score in given_concepts]
    best = best_concept(entity(concepts=concepts), SETTINGS)
    chance.shuffle(concepts)
    assert best_concept(entity(concepts=concepts), SETTINGS) == best
    kept = [concept.code for concept in concepts if concept.score >= SETTINGS.concept_min_score]
    assert (best is None) == (not kept)
    assert best is None or best.code in most_specific(kept)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6), CODE), max_size=6), st.randoms())
def test_a_post_counts_for_the_same_codes_in_any_order(spans, chance):
    found = [
        entity(begin=begin, end=begin + length, concepts=[Concept(code, "", 0.9)] if code else [])
        for begin, length, code in spans
    ]
    counted = counted_codes(distinct_entities(found), SETTINGS)
    chance.shuffle(found)
    assert counted_codes(distinct_entities(found), SETTINGS) == counted


def test_two_conditions_of_one_code_count_once():
    twice = [entity(begin=at, end=at + 6, concepts=[Concept("R11.0", "", 0.9)]) for at in (0, 10)]
    denied = entity("NEGATION", begin=20, end=26, concepts=[Concept("R42", "", 0.9)])
    assert counted_codes([*twice, denied], SETTINGS) == ("R11.0",)
