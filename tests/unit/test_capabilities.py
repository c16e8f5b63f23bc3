"""The capability cases: what they promise, and how answers to them are counted."""

from collections import Counter

import numpy as np
import pytest

from adverse_events.corpus.keys import normalised, text_key
from adverse_events.errors import ContractError
from adverse_events.evaluation.capabilities import Case, hashes, load, score_capabilities
from adverse_events.evaluation.capabilities.cases import CAPABILITIES, checked
from adverse_events.evaluation.capabilities.score import wilson
from adverse_events.training.variants import generate


class _Model:
    """Answers as it is told, text by text."""

    ade_threshold = 0.5

    def __init__(self, answer):
        self._answer = answer

    def probabilities(self, texts):
        found = np.array([self._answer(text) for text in texts], np.float32)
        return np.column_stack([1 - found, found])


def test_there_are_enough_cases_of_both_labels_for_every_capability():
    counts = Counter((case.capability, case.label) for case in load())
    assert sum(counts.values()) >= 300
    assert {capability for capability, _ in counts} == set(CAPABILITIES)
    assert min(counts.values()) >= 15


def test_no_case_is_a_training_sentence():
    """Neither as it stands nor with other spacing or case."""
    trained_on = {text_key(normalised(variant.text)) for variant in generate(3000, 7)}
    assert hashes().isdisjoint(trained_on)


def test_a_model_that_always_says_no_is_half_right():
    scores = score_capabilities(_Model(lambda _: 0.0), load())
    assert scores["overall"] == 0.5
    assert {each["accuracy"] for each in scores["by_capability"].values()} == {0.5}
    assert sum(len(each["failed"]) for each in scores["by_capability"].values()) == scores["n"] / 2


def test_a_model_that_knows_is_right_everywhere_and_at_the_limit_it_says_ade():
    right = {case.text: 0.5 if case.label == "ADE" else 0.49 for case in load()}
    assert score_capabilities(_Model(right.get), load())["overall"] == 1


def test_the_interval_is_wilsons():
    """The textbook's 9 of 10."""
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert wilson(10, 10)[1] == pytest.approx(1)
    assert wilson(0, 10)[0] == pytest.approx(0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"case_id": "a"}, "line 3: the id a is there twice"),
        ({"text": "ONE  text"}, "line 3: the text is there twice"),
        ({"capability": "humour"}, "humour is no capability"),
        ({"label": "MAYBE"}, "MAYBE is no label"),
        ({"text": "ask @somebody"}, "masking would change"),
    ],
)
def test_a_case_that_breaks_the_rules_is_named(changed, message):
    first = Case("a", "negation", "ADE", "one text")
    second = Case(**{"case_id": "b", "capability": "negation", "label": "ADE", "text": "another", **changed})
    with pytest.raises(ContractError, match=message):
        checked([first, second])
