"""Rules: ours follow the drug list, everybody else's stay."""

import pytest

from adverse_events.errors import UsageError
from adverse_events.listening.rules import synchronise, tag_of
from adverse_events.local_x.faults import Fault
from tests.stream_server import running_state, x_client

WANTED = ("(sertraline OR zoloft) lang:en", "(ibuprofen) lang:en")


@pytest.fixture
def state():
    return running_state()


@pytest.fixture
def client(state):
    with x_client(state) as client:
        yield client


def values(state):
    return sorted(rule.value for rule in state.rules.listed())


def test_missing_rules_are_added_with_a_tag_that_says_whose_they_are(state, client):
    assert synchronise(client, WANTED, "ade") == (0, 2, 0, 0)
    assert {rule.value: rule.tag for rule in state.rules.listed()} == {v: tag_of("ade", v) for v in WANTED}


def test_nothing_changes_where_nothing_is_to_change(state, client):
    synchronise(client, WANTED, "ade")
    before = state.rules.listed()
    assert synchronise(client, WANTED, "ade") == (2, 0, 0, 0)
    assert state.rules.listed() == before


def test_stale_rules_go_and_those_of_others_stay(state, client):
    for value, tag in (
        ("(tea)", ""),
        ("(coffee)", "adelaide"),
        ("(milk)", "other:1"),
        ("(old)", tag_of("ade", "(old)")),
    ):
        state.rules.add(value, tag)
    assert synchronise(client, WANTED, "ade") == (0, 2, 1, 3)
    assert values(state) == sorted([*WANTED, "(tea)", "(coffee)", "(milk)"])


def test_a_rule_of_ours_that_somebody_else_has_is_not_added_and_not_deleted(state, client):
    state.rules.add(WANTED[0], "theirs")
    assert synchronise(client, WANTED, "ade") == (0, 1, 0, 1)
    synchronise(client, ["(something new)"], "ade")
    assert values(state) == sorted([WANTED[0], "(something new)"])


def test_where_there_is_no_room_stale_rules_go_first(state, client):
    state.rules.most = 2
    synchronise(client, WANTED, "ade")
    assert synchronise(client, ["(a)", "(b)"], "ade") == (0, 2, 2, 0)
    assert values(state) == ["(a)", "(b)"]


def test_no_room_beside_the_rules_of_others_is_told(state, client):
    state.rules.most = 2
    state.rules.add("(tea)")
    with pytest.raises(UsageError, match="no room for 2 more rules beside the 1 of others"):
        synchronise(client, WANTED, "ade")
    assert "(tea)" in values(state)


def test_a_rule_x_refuses_is_told_and_the_others_are_added(state, client):
    with pytest.raises(UsageError, match="refuses one of the stream's rules"):
        synchronise(client, [WANTED[0], "((unclosed"], "ade")
    assert values(state) == [WANTED[0]]


def test_a_rule_longer_than_the_plan_allows_is_told(state, client):
    state.rules.longest = 20
    with pytest.raises(UsageError, match=r"listen\.rule_characters"):
        synchronise(client, WANTED, "ade")


def test_an_answer_that_gets_lost_adds_no_rule_twice(state, client):
    state.faults.set("rules/change", {Fault.LOST: 1.0}, lasting=1)
    synchronise(client, WANTED, "ade")
    assert values(state) == sorted(WANTED)
