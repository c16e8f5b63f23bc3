"""Which class is the ADE class, and what the model is called."""

import pytest

from adverse_events.classification.endpoint.identity import Standing, ade_class, identity_of
from adverse_events.errors import ContractError
from adverse_events.serving.payload import ModelCard

UNSEEN = Standing("", {})


@pytest.mark.parametrize(
    ("labels", "ade"),
    [
        (["ADE", "NOT_ADE"], "ADE"),
        (["Not_AE", "Adverse_Event"], "Adverse_Event"),
        (["no adr", "ADR"], "ADR"),
        (["ADE-related", "not-related"], "ADE-related"),
        (["LABEL_1", "LABEL_0"], "LABEL_1"),
        (["indication", "ade", "other"], "ade"),
    ],
)
def test_usual_names_of_the_ade_class_are_known(labels, ade):
    assert ade_class("endpoint e", labels, None) == ade


@pytest.mark.parametrize(
    ("labels", "wanted", "says"),
    [
        (
            ["NEGATIVE", "POSITIVE"],
            None,
            r"endpoint e: its classes are NEGATIVE, POSITIVE: none .* set endpoint\.ade_label",
        ),
        (["LABEL_0", "LABEL_1", "LABEL_2"], None, "none is known as the ADE class"),
        (["ADE", "ADR", "none"], None, "more than one may be the ADE class"),
        (["ADE"], None, "at least two classes are needed"),
        (["ADE", "NOT_ADE"], "adverse", r"without adverse; correct endpoint\.ade_label"),
    ],
)
def test_an_unknown_ade_class_is_refused_with_the_classes_found(labels, wanted, says):
    with pytest.raises(ContractError, match=says):
        ade_class("endpoint e", labels, wanted)


def test_the_setting_goes_before_what_the_server_says():
    card = ModelCard("m+1", "A", 0.3)
    assert identity_of("e", card, ["A", "B", "C"], UNSEEN, "B").labels == ("A", "C", "B")
    assert identity_of("e", card, ["C", "B", "A"], UNSEEN, None).labels == ("B", "C", "A")


def test_a_model_that_says_its_name_is_called_by_it():
    identity = identity_of("e", ModelCard("m+1", "ADE", 0.0), ["ADE", "NO"], Standing("c", {"v": "m"}), None)
    assert (identity.model_version, identity.card_version, identity.ade_threshold) == ("m+1", "m+1", 0.0)


@pytest.mark.parametrize(
    ("standing", "version"),
    [
        (UNSEEN, "e"),
        (Standing("config", {}), "config"),
        (Standing("config", {"a": "one", "b": "two", "c": "one"}), "config/one+two"),
        (Standing("config", {"a": ""}), "config"),
    ],
)
def test_a_model_that_does_not_is_called_as_sagemaker_calls_it(standing, version):
    identity = identity_of("e", ModelCard(), ["ADE", "NO"], standing, None)
    assert (identity.model_version, identity.card_version, identity.ade_threshold) == (version, "", 0.5)


@pytest.mark.parametrize("threshold", [1.2, -0.1, float("nan")])
def test_a_decision_limit_outside_0_to_1_is_refused(threshold):
    with pytest.raises(ContractError, match="decision limit"):
        identity_of("e", ModelCard("m", "ADE", threshold), ["ADE", "NO"], UNSEEN, None)
