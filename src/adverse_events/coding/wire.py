"""Comprehend Medical's response shape, written and read: one shape for the embedded coder and the cloud service."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from adverse_events.errors import AnswerError
from adverse_events.records import Concept, Entity, Trait

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adverse_events.records import Coding, DrugMention

SERVICE_TRAITS = frozenset(
    {"SIGN", "SYMPTOM", "DIAGNOSIS", "NEGATION", "PERTAINS_TO_FAMILY", "HYPOTHETICAL", "LOW_CONFIDENCE"}
)
"""Every trait InferICD10CM has a name for.

Source:
    ``ICD10CMTraitName``, botocore 1.43 service model comprehendmedical 2018-10-30.
"""

INFER_ICD10CM, DETECT_ENTITIES = "InferICD10CM", "DetectEntitiesV2"
"""Operations of the service whose answers are written here."""

_EXTRAS = ("Role", "CauseCode", "BodySystem", "IsSerious")
_NO_CONDITION = "TIME_EXPRESSION"
_CONTRACT = "comprehendmedical answer"


def to_response(entities: Sequence[Entity], model_version: str, *, extras: bool = True) -> dict[str, Any]:
    """Return the InferICD10CM response for one text.

    Args:
        entities: The text's entities, in text order; numbered from 0 in that order.
        model_version: The coder's version.
        extras: Say what the service has no name for too: ``Role``, ``CauseCode`` and traits such as PAST_HISTORY.
            Without them the response holds nothing that the service itself could not have sent.

    Returns:
        ``Entities`` and ``ModelVersion``. ``PaginationToken`` is absent: one response holds everything.

    Source:
        InferICD10CM response syntax, Amazon Comprehend Medical API reference, read 2026-11.
    """
    wire = [entity.to_wire(number) for number, entity in enumerate(entities)]
    return {"Entities": wire if extras else [_plain(entity) for entity in wire], "ModelVersion": model_version}


def to_answer(
    coding: Coding, drugs: Sequence[DrugMention], model_version: str, icd10cm_release: str, operation: str
) -> dict[str, Any]:
    """Return what one of the service's operations says of a text, with everything it has no name for.

    Args:
        coding: What a coder made of the text.
        drugs: The drugs it names.
        model_version: The coder's version, its lexicon's hash included.
        icd10cm_release: Release of the codes.
        operation: `INFER_ICD10CM`, or `DETECT_ENTITIES`: no codes, but the drugs as entities too.

    Returns:
        The response, and ``ICD10CMRelease``, ``Seriousness`` and ``SpecialSituations``.
    """
    if operation == DETECT_ENTITIES:
        answer = to_detected(coding.entities, drugs, model_version)
    else:
        answer = to_response(coding.entities, model_version)
    return {
        **answer,
        "ICD10CMRelease": icd10cm_release,
        "Seriousness": [one.to_wire() for one in coding.seriousness],
        "SpecialSituations": [one.to_wire() for one in coding.special_situations],
    }


def to_detected(
    entities: Sequence[Entity], drugs: Sequence[DrugMention], model_version: str, *, extras: bool = True
) -> dict[str, Any]:
    """Return the DetectEntitiesV2 response for one text: its conditions without codes, then its drugs.

    Args:
        entities: The text's conditions, in text order.
        drugs: The drugs it names.
        model_version: The coder's version.
        extras: As for `to_response`.

    Source:
        DetectEntitiesV2 response syntax, Amazon Comprehend Medical API reference, read 2026-11.
    """
    conditions = to_response(entities, model_version, extras=extras)["Entities"]
    plain = [{name: value for name, value in entity.items() if name != "ICD10CMConcepts"} for entity in conditions]
    named = [drug for drug in drugs if drug.begin < drug.end]
    return {
        "Entities": [*plain, *(_medication(len(plain) + number, drug) for number, drug in enumerate(named))],
        "UnmappedAttributes": [],
        "ModelVersion": model_version,
    }


def _medication(entity_id: int, drug: DrugMention) -> dict[str, Any]:
    return {
        "Id": entity_id,
        "BeginOffset": drug.begin,
        "EndOffset": drug.end,
        "Score": 1.0,
        "Text": drug.mention,
        "Category": "MEDICATION",
        "Type": "GENERIC_NAME" if drug.mention.casefold() == drug.ingredient else "BRAND_NAME",
        "Traits": [],
        "Attributes": [],
    }


def from_response(response: Mapping[str, Any], text: str) -> tuple[Entity, ...]:
    """Return the conditions of an InferICD10CM or DetectEntitiesV2 response.

    Args:
        response: What the service answered, as boto3 returns it.
        text: The text it was asked about.

    Returns:
        Entities in text order, which may overlap; time expressions are left out. Members without a place in `Entity`
        (``Attributes``, ``Id``) are not read. ``Role``, ``CauseCode``, ``BodySystem`` and ``IsSerious`` are, where our
        own coder wrote them.

    Raises:
        AnswerError: A member is missing or of another type, a score is no number of 0-1, or an entity does not stand
            in the text where it says. The message never quotes the text.
    """
    entities = response.get("Entities")
    if not isinstance(entities, list):
        raise AnswerError(_CONTRACT, "it has no list of Entities")
    try:
        read = [_entity(entity, text) for entity in entities if entity["Type"] != _NO_CONDITION]
    except (KeyError, TypeError, AttributeError) as error:
        # A missing member names itself; what another type holds could be the post's own words.
        missing = f"{error.args[0]} is missing" if isinstance(error, KeyError) else "a member has another type"
        raise AnswerError(_CONTRACT, f"an entity cannot be read: {missing}") from None
    return tuple(sorted(read, key=lambda entity: (entity.begin, entity.end)))


def without_text(entities: Iterable[Entity]) -> list[dict[str, Any]]:
    """Return the wire form of `entities` without their surface forms: offsets find them again in the text."""
    wire = [_plain(entity.to_wire(number)) for number, entity in enumerate(entities)]
    return [{name: value for name, value in entity.items() if name != "Text"} for entity in wire]


def with_text(wire: Iterable[Mapping[str, Any]], text: str) -> tuple[Entity, ...]:
    """Return the entities that `without_text` put away, read back with the `text` they stand in.

    Raises:
        AnswerError: What was put away is damaged.
    """
    try:
        whole = [{**entity, "Text": text[entity["BeginOffset"] : entity["EndOffset"]]} for entity in wire]
    except (KeyError, TypeError) as error:
        raise AnswerError(_CONTRACT, "an entity put away earlier has no offsets") from error
    return from_response({"Entities": whole}, text)


def _plain(wire: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in wire.items() if name not in _EXTRAS}
    return {**kept, "Traits": [trait for trait in wire["Traits"] if trait["Name"] in SERVICE_TRAITS]}


def _entity(wire: Mapping[str, Any], text: str) -> Entity:
    begin, end = wire["BeginOffset"], wire["EndOffset"]
    if not (type(begin) is type(end) is int and 0 <= begin < end <= len(text)):
        raise AnswerError(_CONTRACT, f"an entity's offsets are not two places in the text of {len(text)} characters")
    if text[begin:end] != wire["Text"]:
        raise AnswerError(_CONTRACT, f"the entity at {begin}-{end} has another text than stands there")
    return Entity(
        text=wire["Text"],
        begin=begin,
        end=end,
        score=_score(wire["Score"]),
        traits=tuple(Trait(_name(trait["Name"]), _score(trait["Score"])) for trait in wire.get("Traits", ())),
        concepts=tuple(
            Concept(_name(concept["Code"]), _name(concept["Description"]), _score(concept["Score"]))
            for concept in wire.get("ICD10CMConcepts", ())
        ),
        category=_name(wire["Category"]),
        type=_name(wire["Type"]),
        role=_name(wire.get("Role", "UNKNOWN")),
        cause_code=wire.get("CauseCode"),
        body_system=_name(wire.get("BodySystem", "")),
        is_serious=wire.get("IsSerious") is True,
    )


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _score(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and 0 <= value <= 1):
        raise AnswerError(_CONTRACT, "a score is no number of 0-1")
    return float(value)
