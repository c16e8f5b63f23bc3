"""The coding station: a batch of scored posts in, the same rows with their events out."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from adverse_events.coding.select import best_concept, distinct_entities, is_event, seriousness
from adverse_events.errors import ContractError
from adverse_events.records import Coding, DrugMention
from adverse_events.staging import CODED, REJECTED, StagedWriter, read_staged
from adverse_events.tables import EVENT, SERIOUSNESS, SPECIAL_SITUATION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.coding.select import CodingSettings
    from adverse_events.records import Entity, Evidence
    from adverse_events.staging import Batch

REFUSED = "refused_by_coder"
"""Reject reason of a positive post that a remote coder will never answer for."""


def code(batch: Batch, coder: ConditionCoder, settings: CodingSettings) -> Batch:
    """Code the positive posts of `batch`.

    Args:
        batch: Rows of schema `staging.CLASSIFIED`.
        coder: Finds and links the conditions.
        settings: Score limits.

    Returns:
        The batch with its rows in ``coded.arrow`` (schema `staging.CODED`): the same rows in the same order, each with
        its events, seriousness criteria and special situations in text order; none for a negative post, nor for one the
        coder refused, which is tallied as uncoded and stands in the rejects besides.

    Raises:
        ContractError: The coder returned another number of codings than it was given texts.
    """
    coded, rejects_path = batch.folder / "coded.arrow", batch.folder / "rejects-code.arrow"
    uncoded: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
    units: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
    with StagedWriter(coded, CODED) as staged, StagedWriter(rejects_path, REJECTED) as rejects:
        for rows in read_staged(batch.rows):
            positives = rows.filter(rows.column("is_ade"))
            codings = _codings(positives, coder)
            staged.write(_with_events(rows, codings, settings))
            for index, (start, coding) in enumerate(
                zip(positives.column("window_start").to_pylist(), codings, strict=True)
            ):
                units[start].update(coding.billable_units)
                if coding.refusal:
                    uncoded[start][REFUSED] += 1
                    rejects.write_rows([_reject(positives.slice(index, 1).to_pylist()[0], coding.refusal)])
    tallies = {
        window: tally.plus(uncoded=uncoded.get(window.start), billable_units=units.get(window.start))
        for window, tally in batch.tallies.items()
    }
    more = (rejects_path,) if uncoded else ()
    done = replace(batch, rows=coded, rejects=(*batch.rejects, *more), tallies=tallies)
    return done.served("code", coder.served_by)


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
        "body_system": entity.body_system or None,
        "is_serious": entity.is_serious,
    }


def _codings(positives: pa.RecordBatch, coder: ConditionCoder) -> list[Coding]:
    texts = [text or "" for text in positives.column("text").to_pylist()]
    mentions = [_mentions(drugs) for drugs in positives.column("drug_mentions").to_pylist()]
    codings = coder.code(texts, mentions)
    if len(codings) != len(texts):
        raise ContractError(coder.coder_version, f"{len(codings)} codings came back for {len(texts)} posts")
    return codings


def _with_events(rows: pa.RecordBatch, codings: list[Coding], settings: CodingSettings) -> pa.RecordBatch:
    found = iter(codings)
    columns: dict[str, list[list[dict[str, Any]]]] = {"events": [], "seriousness": [], "special_situations": []}
    for is_ade in rows.column("is_ade").to_pylist():
        coding = next(found) if is_ade else Coding()
        entities = distinct_entities(coding.entities)
        columns["events"].append([to_event(entity, settings) for entity in entities])
        columns["seriousness"].append([_told("criterion", one) for one in seriousness(coding, entities, settings)])
        columns["special_situations"].append([_told("situation", one) for one in coding.special_situations])
    for (name, values), kind in zip(columns.items(), (EVENT, SERIOUSNESS, SPECIAL_SITUATION), strict=True):
        rows = rows.append_column(name, pa.array(values, pa.list_(kind)))
    return rows


def _told(named: str, one: Evidence) -> dict[str, Any]:
    return {named: one.name, "text": one.text, "begin": one.begin, "end": one.end, "is_author": one.is_author}


def _reject(row: dict[str, Any], refusal: str) -> dict[str, Any]:
    kept = ("source", "origin", "row_number", "payload_sha256", "tweet_id", "created_at", "window_start")
    detail = f"{refusal}; the post is assessed, without events"
    return {"reason": REFUSED, "detail": detail, **{name: row[name] for name in kept}}


def _mentions(drugs: Iterable[dict[str, Any]]) -> list[DrugMention]:
    return [DrugMention(drug["mention"] or "", drug["begin"], drug["end"], drug["ingredient"]) for drug in drugs]
