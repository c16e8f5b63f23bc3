"""Coded posts as rows of `assessments`: versions added, and no more text kept than the setting allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from adverse_events.errors import ContractError
from adverse_events.tables import ASSESSMENTS, conform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from adverse_events.provenance import Provenance

SPAN_JOIN = " … "
"""Stands between two kept spans of a reduced text, for everything left out."""

_SPANS_WITH_TEXT = ("events", "seriousness", "special_situations")
_VERSIONS = ("model_version", "lexicon_version", "coder_version", "icd10cm_release", "code_version")


class AssessedChunks:
    """Coded chunks of one window as rows of `assessments`, counted as they pass.

    Attributes:
        n_rows: Rows so far.
        n_positive: Of those, rows with is_ade.
        n_events: Events that count (is_event) in positive rows.
    """

    def __init__(self, chunks: Iterable[pa.RecordBatch], provenance: Provenance) -> None:
        """Wrap `chunks`, schema `staging.CODED`."""
        self._chunks, self._provenance = chunks, provenance
        self.n_rows = self.n_positive = self.n_events = 0

    def __iter__(self) -> Iterator[pa.Table]:
        for chunk in self._chunks:
            table = assess(chunk, self._provenance)
            is_ade = table.column("is_ade")
            events = pc.list_flatten(table.column("events").filter(is_ade))
            self.n_rows += table.num_rows
            self.n_positive += pc.sum(is_ade, min_count=0).as_py()
            self.n_events += pc.sum(pc.struct_field(events, "is_event"), min_count=0).as_py()
            yield table


def assess(rows: pa.RecordBatch, provenance: Provenance) -> pa.Table:
    """Return coded posts as rows of `tables.ASSESSMENTS`.

    Args:
        rows: Schema `staging.CODED`; text already masked.
        provenance: Versions to write beside each row, and `keep_text`: masked keeps the text; spans keeps
            the spans of its drugs, conditions, seriousness and special situations, merged where they touch, joined by
            `SPAN_JOIN`, with all offsets counted in that shorter text; none drops the text and every surface form, and
            leaves the offsets as lengths and places in a text that is gone.

    Returns:
        The same posts, in the same order.

    Raises:
        ContractError: A row breaks the table's promises, or a span lies outside its text.
    """
    kept = _REDUCTIONS[provenance.keep_text](rows)
    columns = {name: kept.column(name) for name in kept.schema.names if name in ASSESSMENTS.schema.names}
    columns["ade_threshold"] = pa.repeat(pa.scalar(provenance.ade_threshold, pa.float64()), len(rows))
    for name in _VERSIONS:
        columns[name] = pa.repeat(getattr(provenance, name), len(rows))
    return conform(pa.table(columns), ASSESSMENTS)


def _all_text(rows: pa.RecordBatch) -> pa.RecordBatch:
    return rows


def _no_text(rows: pa.RecordBatch) -> pa.RecordBatch:
    rows = _replaced(rows, "text", pa.nulls(len(rows), pa.string()))
    rows = _replaced(rows, "drug_mentions", _without(rows.column("drug_mentions"), "mention"))
    for name in _SPANS_WITH_TEXT:
        rows = _replaced(rows, name, _without(rows.column(name), "text"))
    return rows


def _spans_of_text(rows: pa.RecordBatch) -> pa.RecordBatch:
    names = ("drug_mentions", *_SPANS_WITH_TEXT)
    columns = (rows.column(name).to_pylist() for name in ("tweet_id", "text", *names))
    reduced = [_reduced(tweet_id, text, spans) for tweet_id, text, *spans in zip(*columns, strict=True)]
    for position, name in enumerate(("text", *names)):
        field = rows.schema.field(name)
        values = [text if name == "text" else spans[position - 1] for text, spans in reduced]
        rows = _replaced(rows, name, pa.array(values, field.type))
    return rows


_REDUCTIONS = {"masked": _all_text, "spans": _spans_of_text, "none": _no_text}

Spans = list[dict[str, Any]]


def _reduced(tweet_id: str, text: str | None, columns: list[Spans]) -> tuple[str | None, list[Spans]]:
    if text is None:
        return text, columns
    kept: list[tuple[int, int]] = []
    for begin, end in sorted((span["begin"], span["end"]) for spans in columns for span in spans):
        if not 0 <= begin < end <= len(text):
            raise ContractError(ASSESSMENTS.name, f"a span [{begin}, {end}) lies outside its text", (tweet_id,))
        if kept and begin <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1]))
        else:
            kept.append((begin, end))
    shifts: list[tuple[int, int, int]] = []
    length = 0
    for begin, end in kept:
        shifts.append((begin, end, length - begin))
        length += end - begin + len(SPAN_JOIN)
    return (
        SPAN_JOIN.join(text[begin:end] for begin, end in kept),
        [[_shifted(span, shifts) for span in spans] for spans in columns],
    )


def _shifted(span: dict[str, Any], shifts: list[tuple[int, int, int]]) -> dict[str, Any]:
    shift = next(by for begin, end, by in shifts if begin <= span["begin"] < end)
    return {**span, "begin": span["begin"] + shift, "end": span["end"] + shift}


def _replaced(rows: pa.RecordBatch, name: str, column: pa.Array) -> pa.RecordBatch:
    return rows.set_column(rows.schema.get_field_index(name), name, column)


def _without(lists: pa.ListArray, field_name: str) -> pa.ListArray:
    """Return lists of structs with one field of every struct made null."""
    fields = list(lists.type.value_type)
    children = [
        pa.nulls(len(lists.values), field.type) if field.name == field_name else child
        for field, child in zip(fields, lists.values.flatten(), strict=True)
    ]
    return pa.ListArray.from_arrays(lists.offsets, pa.StructArray.from_arrays(children, fields=fields))
