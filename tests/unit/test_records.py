"""Entities as Comprehend Medical's InferICD10CM would answer."""

import pickle
from dataclasses import FrozenInstanceError

import pytest

from adverse_events import errors
from adverse_events.records import Concept, Entity, Trait

RASH = Entity(
    text="rash",
    begin=4,
    end=8,
    score=0.9,
    traits=(Trait("SYMPTOM", 0.8),),
    concepts=(Concept("R21", "Rash and other nonspecific skin eruption", 0.95), Concept("L27.0", "Drug rash", 0.6)),
    role="ADE",
)


def test_an_entity_has_the_shape_of_the_cloud_service():
    """Field names: InferICD10CM, ``ICD10CMEntity``, Amazon Comprehend Medical API reference, read 2026-11."""
    assert RASH.to_wire(3) == {
        "Id": 3,
        "Text": "rash",
        "Category": "MEDICAL_CONDITION",
        "Type": "DX_NAME",
        "Score": 0.9,
        "BeginOffset": 4,
        "EndOffset": 8,
        "Attributes": [],
        "Traits": [{"Name": "SYMPTOM", "Score": 0.8}],
        "ICD10CMConcepts": [
            {"Code": "R21", "Description": "Rash and other nonspecific skin eruption", "Score": 0.95},
            {"Code": "L27.0", "Description": "Drug rash", "Score": 0.6},
        ],
        "Role": "ADE",
    }


def test_a_cause_is_named_only_where_there_is_one():
    assert "CauseCode" not in RASH.to_wire(0)
    blamed = Entity("rash", 0, 4, 0.9, cause_code="T43.225A")
    assert blamed.to_wire(0)["CauseCode"] == "T43.225A"


def test_an_entity_asserts_nothing_unless_told():
    plain = Entity("rash", 0, 4, 0.9)
    assert (plain.traits, plain.concepts, plain.role) == ((), (), "UNKNOWN")
    with pytest.raises(FrozenInstanceError):
        plain.role = "ADE"


ERRORS = [
    errors.UsageError("end is not after start"),
    errors.TransientServiceError("endpoint", "invoke", "throttled"),
    errors.PermanentServiceError("endpoint", "invoke", "no such endpoint"),
    errors.ContractError("assessments", "column text may not be null", ("1", "2", "3", "4", "5", "6")),
    errors.AccountingError("1 row in, 0 accounted for"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_survives_the_way_between_processes(error):
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own, just made
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
    assert isinstance(copy, errors.AdverseEventsError)


def test_a_contract_error_names_five_rows_at_most():
    assert str(ERRORS[3]) == "assessments: column text may not be null (rows 1, 2, 3, 4, 5)"
