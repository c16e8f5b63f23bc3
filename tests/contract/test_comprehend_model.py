"""What we take Comprehend Medical to be, against the service model that boto3 ships."""

import botocore.session
import pytest

from adverse_events.coding.comprehend.operation import CONDITION, DETECT_ENTITIES, INFER_ICD10CM
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.wire import SERVICE_TRAITS, to_response
from adverse_events.screening.drugs import DrugLexicon


@pytest.fixture(scope="module")
def model():
    return botocore.session.get_session().get_service_model("comprehendmedical")


@pytest.mark.parametrize("kind", [INFER_ICD10CM, DETECT_ENTITIES])
def test_the_limits_are_the_model_s(model, kind):
    assert model.operation_model(kind.name).input_shape.members["Text"].metadata["max"] == kind.max_bytes


def test_the_traits_are_the_model_s(model):
    assert set(model.shape_for("ICD10CMTraitName").enum) == SERVICE_TRAITS


@pytest.mark.parametrize("kind", [INFER_ICD10CM, DETECT_ENTITIES])
def test_an_answer_may_have_pages_but_a_request_cannot_ask_for_one(model, kind):
    """A first page is refused for that reason; once the request takes a token, pages can be followed instead."""
    operation = model.operation_model(kind.name)
    assert "PaginationToken" in operation.output_shape.members
    assert set(operation.input_shape.members) == {"Text"}


def test_conditions_have_one_category_in_both_operations(model):
    assert model.shape_for("ICD10CMEntityCategory").enum == [CONDITION]
    assert CONDITION in model.shape_for("EntityType").enum


def test_without_extras_a_response_has_only_members_and_names_of_the_model(model):
    text = "zoloft for my anxiety, used to get hives on humira; no nausea, maybe palpitatioms. my mom gets a rash"
    (coding,) = EmbeddedCoder.load().code([text], [DrugLexicon.load().find(text)])
    response = to_response(coding.entities, "1.0", extras=False)
    assert {trait.name for entity in coding.entities for trait in entity.traits} >= {"NEGATION", "PAST_HISTORY"}
    assert _unknown(model.operation_model("InferICD10CM").output_shape, response, "answer") == []


def _unknown(shape, value, where):
    """Return the places of `value` whose member, value or type the model does not have."""
    if shape.type_name == "structure":
        more = [f"{where}.{name}" for name in set(value) - set(shape.members)]
        known = [
            (shape.members[name], item, f"{where}.{name}") for name, item in value.items() if name in shape.members
        ]
        return more + [place for member in known for place in _unknown(*member)]
    if shape.type_name == "list":
        return [place for n, item in enumerate(value) for place in _unknown(shape.member, item, f"{where}[{n}]")]
    kinds = {"string": str, "float": float, "integer": int}
    is_known = type(value) is kinds[shape.type_name] and (not getattr(shape, "enum", None) or value in shape.enum)
    return [] if is_known else [where]
