"""Selection: which entities count, with which code."""

import itertools

import pytest
from pydantic import ValidationError

from adverse_events.coding.select import CodingSettings, best_concept, distinct_entities, is_event
from adverse_events.records import Concept, Entity, Trait

SETTINGS = CodingSettings()


def entity(*traits, begin=0, end=6, score=0.9, role="ADE", concepts=()):
    return Entity("nausea", begin, end, score, tuple(Trait(name, 0.9) for name in traits), tuple(concepts), role=role)


@pytest.mark.parametrize("role", ["ADE", "WITHDRAWAL", "UNKNOWN"])
def test_an_asserted_condition_of_the_author_is_an_event(role):
    assert is_event(entity("SYMPTOM", role=role), SETTINGS)


@pytest.mark.parametrize("role", ["INDICATION", "BENEFIT", "LACK_OF_EFFECT"])
def test_what_the_drug_is_taken_for_is_no_event(role):
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
