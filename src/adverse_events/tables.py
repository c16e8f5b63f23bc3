"""The tables of the lake: one described Arrow schema each, and the check that rows obey it.

Athena types, DuckDB views and ``docs/tables.md`` derive from these declarations; nothing else
states a column's type.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from adverse_events.errors import ContractError

SCHEMA_VERSION = 3
"""Raised by one whenever a table changes. 2: assessments.is_truncated; receipts.rows_uncoded, uncoded and served_by.
3: assessments.seriousness and special_situations; body_system and is_serious of assessments.events."""

TIMESTAMP = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type and what it means.

    Attributes:
        nullable: False only where a null would be a broken promise; `conform` checks it, because
            Arrow itself does not.
    """

    name: str
    type: pa.DataType
    description: str
    nullable: bool = True


@dataclass(frozen=True)
class Table:
    """One table of the lake.

    Attributes:
        grain: "One row per ...".
    """

    name: str
    grain: str
    columns: tuple[Column, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema, each field carrying its description, the table its version."""
        return pa.schema(
            [pa.field(c.name, c.type, c.nullable, {"description": c.description}) for c in self.columns],
            {"table": self.name, "schema_version": str(SCHEMA_VERSION)},
        )


DRUG_MENTION = pa.struct(
    [
        pa.field("mention", pa.string()),
        pa.field("begin", pa.int32()),
        pa.field("end", pa.int32()),
        pa.field("ingredient", pa.string()),
    ]
)

TRAIT = pa.struct([pa.field("name", pa.string()), pa.field("score", pa.float64())])

_EVIDENCE = (
    pa.field("text", pa.string()),
    pa.field("begin", pa.int32()),
    pa.field("end", pa.int32()),
    pa.field("is_author", pa.bool_()),
)

SERIOUSNESS = pa.struct([pa.field("criterion", pa.string()), *_EVIDENCE])

SPECIAL_SITUATION = pa.struct([pa.field("situation", pa.string()), *_EVIDENCE])

EVENT = pa.struct(
    [
        pa.field("text", pa.string()),
        pa.field("begin", pa.int32()),
        pa.field("end", pa.int32()),
        pa.field("category", pa.string()),
        pa.field("type", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("traits", pa.list_(TRAIT)),
        pa.field("role", pa.string()),
        pa.field("icd10cm_code", pa.string()),
        pa.field("icd10cm_description", pa.string()),
        pa.field("icd10cm_score", pa.float64()),
        pa.field("cause_code", pa.string()),
        pa.field("is_event", pa.bool_()),
        # Members are added at the end: Athena matches those of a partition's older struct by place and name.
        pa.field("body_system", pa.string()),
        pa.field("is_serious", pa.bool_()),
    ]
)

COUNT_BY_REASON = pa.list_(pa.struct([pa.field("reason", pa.string()), pa.field("n_rows", pa.int64())]))

ASSESSMENTS = Table(
    "assessments",
    "One row per post that passed screening, positive or negative.",
    (
        Column(
            "tweet_id",
            pa.string(),
            "Post id as text. Signal mode: keyed hash (HMAC-SHA256, 32 hex digits) of the id.",
            nullable=False,
        ),
        Column(
            "text",
            pa.string(),
            "Post text with mentions, URLs, e-mail addresses and phone numbers masked; only the spans of drugs, "
            "conditions, seriousness and special situations under keep_text=spans; null under keep_text=none.",
        ),
        Column("created_at", TIMESTAMP, "When the post was written, UTC.", nullable=False),
        Column("lang", pa.string(), "Language (ISO 639-1) given by the source or detected."),
        Column("source", pa.string(), "Channel the post came from, such as x.", nullable=False),
        Column("author_pseudonym", pa.string(), "Keyed hash of the author id. Case mode only."),
        Column(
            "drug_mentions",
            pa.list_(DRUG_MENTION),
            "Drugs named in the text: surface form, character offsets [begin, end) into text, "
            "ingredient (INN). Under keep_text=none the mention is null.",
            nullable=False,
        ),
        Column(
            "ade_probability",
            pa.float64(),
            "Probability that the post reports an adverse drug event, 0-1.",
            nullable=False,
        ),
        Column("is_ade", pa.bool_(), "ade_probability is at or above ade_threshold.", nullable=False),
        Column("label", pa.string(), "Most probable class of the model, after the threshold.", nullable=False),
        Column(
            "is_truncated",
            pa.bool_(),
            "The classifier read only the beginning of the text; null where an endpoint does not say.",
        ),
        Column("ade_threshold", pa.float64(), "Decision limit in force, 0-1.", nullable=False),
        Column(
            "events",
            pa.list_(EVENT),
            "Conditions found in a positive post, in text order: span, Comprehend Medical category, type, "
            "score and traits; role (ADE, INDICATION, BENEFIT, WITHDRAWAL, LACK_OF_EFFECT, UNKNOWN); the best "
            "ICD-10-CM concept; cause_code, the T36-T50 code of the drug; is_event, whether it counts as the author's; "
            "body_system; is_serious, whether the condition is medically important in itself. Empty for a negative "
            "post.",
            nullable=False,
        ),
        Column(
            "seriousness",
            pa.list_(SERIOUSNESS),
            "Seriousness criteria (ICH E2A) that a positive post tells, each with the words that say so: death, "
            "life_threatening, hospitalization, disability, congenital_anomaly, or other_medically_important for an "
            "event that is_serious; is_author, whether it happened to the author. Empty for a negative post.",
            nullable=False,
        ),
        Column(
            "special_situations",
            pa.list_(SPECIAL_SITUATION),
            "Special situations that a positive post tells, likewise: pregnancy_exposure, overdose, misuse, "
            "medication_error, off_label_use, lack_of_effect. Empty for a negative post.",
            nullable=False,
        ),
        Column(
            "n_duplicates",
            pa.int32(),
            "Further posts of the same window screened out as exact or near duplicates of this one.",
            nullable=False,
        ),
        Column(
            "duplicate_tweet_ids",
            pa.list_(pa.string()),
            "Ids of those duplicates, as in tweet_id: the cluster this row stands for.",
            nullable=False,
        ),
        Column("model_version", pa.string(), "Version of the classifier.", nullable=False),
        Column("lexicon_version", pa.string(), "Version of the drug lexicon.", nullable=False),
        Column("coder_version", pa.string(), "Version of the condition coder and its lexicon.", nullable=False),
        Column("icd10cm_release", pa.string(), "ICD-10-CM release the codes belong to.", nullable=False),
        Column("code_version", pa.string(), "Version of adverse_events.", nullable=False),
    ),
)

REJECTS = Table(
    "rejects",
    "One row per input that broke the contract, or that the coder refused.",
    (
        Column("reason", pa.string(), "Short reason code, such as malformed_json.", nullable=False),
        Column("detail", pa.string(), "What was wrong and how to mend it; never post text.", nullable=False),
        Column("source", pa.string(), "Channel the input came from, such as x.", nullable=False),
        Column("origin", pa.string(), "File, relative to the source, or landing key.", nullable=False),
        Column("row_number", pa.int64(), "Line or row in that file, from 1; null where it has none."),
        Column("payload_sha256", pa.string(), "SHA-256 of the refused bytes, hex.", nullable=False),
        Column("tweet_id", pa.string(), "Post id as in assessments, where it could be read."),
        Column("created_at", TIMESTAMP, "Post time, where it could be read."),
    ),
)

RECEIPTS = Table(
    "receipts",
    "One row per window, and one per source file for inputs whose time could not be read.",
    (
        Column("window_start", TIMESTAMP, "First instant of the window; 1970-01-01 for undated input.", nullable=False),
        Column("window_end", TIMESTAMP, "First instant after the window.", nullable=False),
        Column("rows_in", pa.int64(), "Inputs that fell into the window.", nullable=False),
        Column("rows_assessed", pa.int64(), "Rows in assessments.", nullable=False),
        Column("rows_positive", pa.int64(), "Of those, rows with is_ade.", nullable=False),
        Column("rows_screened_out", pa.int64(), "Inputs screened out.", nullable=False),
        Column("rows_rejected", pa.int64(), "Inputs rejected; rows in rejects, those uncoded aside.", nullable=False),
        Column(
            "rows_uncoded",
            pa.int64(),
            "Positive posts the coder refused: in assessments without events, and in rejects with the reason.",
            nullable=False,
        ),
        Column("screened_out", COUNT_BY_REASON, "Inputs screened out, by reason.", nullable=False),
        Column("rejected", COUNT_BY_REASON, "Inputs rejected, by reason.", nullable=False),
        Column("uncoded", COUNT_BY_REASON, "Positive posts the coder refused, by reason.", nullable=False),
        Column("n_events", pa.int64(), "Events counted (is_event) in positive posts.", nullable=False),
        Column(
            "parts",
            pa.list_(
                pa.struct(
                    [
                        pa.field("key", pa.string()),
                        pa.field("n_rows", pa.int64()),
                        pa.field("n_bytes", pa.int64()),
                        pa.field("sha256", pa.string()),
                    ]
                )
            ),
            "Data objects of the window, relative to the lake: rows, size, SHA-256.",
            nullable=False,
        ),
        Column(
            "recipe_sha256",
            pa.string(),
            "Hash of everything that decides the data besides the input: versions, thresholds, screening and "
            "privacy settings. A window whose recipe differs from today's is stale.",
            nullable=False,
        ),
        Column("model_version", pa.string(), "Version of the classifier.", nullable=False),
        Column("lexicon_version", pa.string(), "Version of the drug lexicon.", nullable=False),
        Column("coder_version", pa.string(), "Version of the condition coder.", nullable=False),
        Column("icd10cm_release", pa.string(), "ICD-10-CM release of the codes.", nullable=False),
        Column("code_version", pa.string(), "Version of adverse_events.", nullable=False),
        Column("ade_threshold", pa.float64(), "Decision limit in force, 0-1.", nullable=False),
        Column("privacy_mode", pa.string(), "signal or case.", nullable=False),
        Column("keep_text", pa.string(), "masked, spans or none.", nullable=False),
        Column(
            "durations",
            pa.list_(pa.struct([pa.field("station", pa.string()), pa.field("seconds", pa.float64())])),
            "Seconds each station spent on the batch of windows this one was processed with.",
            nullable=False,
        ),
        Column(
            "billable_units",
            pa.list_(pa.struct([pa.field("service", pa.string()), pa.field("n_units", pa.int64())])),
            "Units a paid service charged for this window; empty on the embedded default.",
            nullable=False,
        ),
        Column(
            "served_by",
            pa.list_(pa.struct([pa.field("station", pa.string()), pa.field("remote", pa.string())])),
            "Remote part that did a station's work, such as an endpoint and its variant; "
            "empty on the embedded default.",
            nullable=False,
        ),
        Column("written_at", TIMESTAMP, "When these data were first written, UTC.", nullable=False),
        Column("schema_version", pa.int32(), "Version of the tables.", nullable=False),
    ),
)

TABLES = (ASSESSMENTS, REJECTS, RECEIPTS)

PARTITION_COLUMNS = (
    Column("event_date", pa.date32(), "UTC date of the window (partition).", nullable=False),
    Column("event_time", pa.string(), "HHMM of the window's start, UTC (partition).", nullable=False),
)


def conform(rows: pa.Table | pa.RecordBatch, table: Table) -> pa.Table:
    """Return `rows` with exactly the columns, order and types of `table`.

    Args:
        rows: Columns in any order; a missing nullable column is filled with nulls.
        table: The contract.

    Raises:
        ContractError: An unknown or missing column, a value that does not fit its type, or a
            null in a column that promises none.
    """
    given = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
    unknown = sorted(set(given.column_names) - set(table.schema.names))
    if unknown:
        raise ContractError(table.name, f"unknown columns {', '.join(unknown)}")
    columns = [_conform_column(given, field, table.name) for field in table.schema]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _conform_column(rows: pa.Table, field: pa.Field, table_name: str) -> pa.ChunkedArray:
    if field.name not in rows.column_names:
        if not field.nullable:
            raise ContractError(table_name, f"column {field.name} is missing")
        return pa.chunked_array([pa.nulls(rows.num_rows, field.type)])
    column = rows.column(field.name)
    try:
        column = column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise ContractError(
            table_name, f"column {field.name} holds {column.type}, which does not fit {field.type}"
        ) from error
    if not field.nullable and column.null_count:
        raise ContractError(table_name, f"column {field.name} may not be null", _ids_where_null(rows, column))
    return column


def _ids_where_null(rows: pa.Table, column: pa.ChunkedArray) -> tuple[str, ...]:
    if "tweet_id" not in rows.column_names:
        return ()
    ids = rows.column("tweet_id").filter(pc.is_null(column)).slice(0, 5).to_pylist()
    return tuple(str(tweet_id) for tweet_id in ids)
