"""The coding station: a batch of scored posts in, the same rows with their events out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from adverse_events.coding.select import best_concept, distinct_entities, is_event
from adverse_events.records import DrugMention
from adverse_events.staging import CODED, read_staged, write_staged
from adverse_events.tables import EVENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.coding.select import CodingSettings
    from adverse_events.records import Entity
    from adverse_events.staging import Batch


def code(batch: Batch, coder: ConditionCoder, settings: CodingSettings) -> Batch:
    """Code the positive posts of `batch`.

    Args:
        batch: Rows of schema `staging.CLASSIFIED`.
        coder: Finds and links the conditions.
        settings: Score limits.

    Returns:
        The batch with its rows in ``coded.arrow`` (schema `staging.CODED`): the same rows in the same order, each with
        its events in text order; no events for a negative post.
    """
    coded = batch.folder / "coded.arrow"
    write_staged(coded, CODED, (_coded(rows, coder, settings) for rows in read_staged(batch.rows)))
    return replace(batch, rows=coded)


def to_event(entity: Entity, settings: CodingSettings) -> dict[str, Any]:
    """Return `entity` as a value of `tables.EVENT`; the code columns are null where the coder abstains."""
    concept = best_concept(entity, settings)
    return {
        "text": entity.text,
        "begin": entity.begin,
        "end": entity.end,
        "category": entity.category,
        "type": entity.type,
        "score": entity.score,
        "traits": [{"name": trait.name, "score": trait.score} for trait in entity.traits],
        "role": entity.role,
        "icd10cm_code": concept.code if concept else None,
        "icd10cm_description": concept.description if concept else None,
        "icd10cm_score": concept.score if concept else None,
        "cause_code": entity.cause_code,
        "is_event": is_event(entity, settings),
    }


def _coded(rows: pa.RecordBatch, coder: ConditionCoder, settings: CodingSettings) -> pa.RecordBatch:
    positives = rows.filter(rows.column("is_ade"))
    texts = [text or "" for text in positives.column("text").to_pylist()]
    mentions = [_mentions(drugs) for drugs in positives.column("drug_mentions").to_pylist()]
    found = iter(coder.code(texts, mentions))
    events = [
        [to_event(entity, settings) for entity in distinct_entities(next(found))] if is_ade else []
        for is_ade in rows.column("is_ade").to_pylist()
    ]
    return rows.append_column("events", pa.array(events, pa.list_(EVENT)))


def _mentions(drugs: Iterable[dict[str, Any]]) -> list[DrugMention]:
    return [DrugMention(drug["mention"] or "", drug["begin"], drug["end"], drug["ingredient"]) for drug in drugs]
