"""Entities as Comprehend Medical answers them, so that what reads the cloud service reads this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.records import Entity


def to_response(entities: Sequence[Entity], model_version: str) -> dict[str, Any]:
    """Return the InferICD10CM response for one text.

    Args:
        entities: The text's entities, in text order; numbered from 0 in that order.
        model_version: The coder's version.

    Returns:
        ``Entities`` and ``ModelVersion``; each entity has ``Role`` besides, and ``CauseCode`` where known.
        ``PaginationToken`` is absent: one response holds everything.

    Source:
        InferICD10CM response syntax, Amazon Comprehend Medical API reference, read 2026-11.
    """
    return {
        "Entities": [entity.to_wire(number) for number, entity in enumerate(entities)],
        "ModelVersion": model_version,
    }
