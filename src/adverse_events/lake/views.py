"""The views over a lake: what each column means here, how it is computed in ``sql/<engine>/<view>.sql``."""

from __future__ import annotations

from importlib.resources import files

import pyarrow as pa

from adverse_events.tables import ASSESSMENTS, EVENT, PARTITION_COLUMNS, Column, Table

_ASSESSED = {column.name: column for column in (*ASSESSMENTS.columns, *PARTITION_COLUMNS)}


def _as_assessed(*names: str) -> tuple[Column, ...]:
    return tuple(_ASSESSED[name] for name in names)


def _of_event(name: str, description: str, *, prefix: str = "event_") -> Column:
    return Column(f"{prefix}{name}", EVENT.field(name).type, description)


def _text(name: str, description: str) -> Column:
    return Column(name, pa.string(), description)


DETECTED_EVENTS = Table(
    "detected_events",
    "One row per positive post and condition that counts as its author's adverse event.",
    (
        *_as_assessed("event_date", "event_time", "tweet_id", "created_at", "lang", "source"),
        *_as_assessed("author_pseudonym", "text"),
        Column("drug_ingredients", pa.list_(pa.string()), "Distinct ingredients (INN) the post names, by alphabet."),
        *_as_assessed("ade_probability", "n_duplicates"),
        _of_event("text", "Condition as written; null under keep_text=none."),
        _of_event("begin", "First character of the condition in text, from 0."),
        _of_event("end", "First character after it."),
        _of_event("category", "Comprehend Medical category, such as MEDICAL_CONDITION."),
        _of_event("type", "Comprehend Medical type, such as DX_NAME."),
        _of_event("score", "Confidence that the span is a condition, 0-1."),
        _of_event("role", "What the condition has to do with the drug: ADE, WITHDRAWAL, LACK_OF_EFFECT, ..."),
        _of_event("icd10cm_code", "Best ICD-10-CM concept; null when the coder abstains.", prefix=""),
        _of_event("icd10cm_description", "Its description.", prefix=""),
        _of_event("icd10cm_score", "Its score, 0-1.", prefix=""),
        _of_event("cause_code", "ICD-10-CM T36-T50 adverse-effect code of the drug, where known.", prefix=""),
        _of_event("body_system", "Where in the body the condition belongs; null where nothing says.", prefix=""),
        _of_event("is_serious", "The condition is medically important in itself.", prefix=""),
        _text(
            "priority",
            "Of the post: serious where it tells a seriousness criterion, else special_situation where it tells one, "
            "else routine; null for a window older than schema version 3.",
        ),
        *_as_assessed("model_version", "lexicon_version", "coder_version", "icd10cm_release"),
    ),
)

LAMBDA_PREDICTIONS = Table(
    "lambda_predictions",
    "One row per assessed post, in the twelve text columns of the older AWS sample, for dashboards built on it.",
    (
        _text("id", "tweet_id of assessments."),
        _text("text", "Text as kept in assessments."),
        _text("pred_label", "Adverse_Event or Not_AE."),
        _text("pred_prob", "ade_probability, as text."),
        _text("user_id", "author_pseudonym; null in signal mode."),
        _text("timestamp", "created_at as YYYY-MM-DDTHH:MM:SS.mmmZ."),
        _text("user_city", "Always null: no profile location is stored."),
        _text("user_state", "Always null, as user_city."),
        _text("user_location", "Always null, as user_city."),
        _text("drug_mentions", "Drugs as written, in text order, comma-separated; ingredients under keep_text=none."),
        _text("ae_type", "Conditions that count as events, as written, comma-separated; empty for a negative post."),
        _text("icd_codes", "Their ICD-10-CM codes, comma-separated; unlike the older sample's, codes."),
    ),
)

VIEWS = (DETECTED_EVENTS, LAMBDA_PREDICTIONS)


def view_sql(view: Table, engine: str) -> str:
    """Return the SELECT that defines `view` in the SQL of `engine`, duckdb or athena, over the tables by name."""
    return (files("adverse_events.lake") / "sql" / engine / f"{view.name}.sql").read_text(encoding="utf-8")
