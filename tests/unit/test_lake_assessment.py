"""Coded posts as rows of assessments: versions beside each row, no more text than the setting keeps."""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adverse_events.errors import ContractError
from adverse_events.lake.assessment import SPAN_JOIN, CountedChunks, assess
from adverse_events.staging import CODED
from adverse_events.tables import ASSESSMENTS
from tests.staged_batches import PROVENANCE, coded_row, hours

(WINDOW,) = hours(1)


def batch_of(*rows):
    return pa.RecordBatch.from_pylist(list(rows), schema=CODED)


def assessed(keep_text, *rows):
    return assess(batch_of(*rows), replace(PROVENANCE, keep_text=keep_text))


def test_masked_keeps_the_post_and_adds_the_versions():
    row = coded_row(WINDOW, 1)

    (got,) = assessed("masked", row).to_pylist()

    assert got["text"] == row["text"]
    assert got["events"] == row["events"]
    assert got["ade_threshold"] == PROVENANCE.ade_threshold
    assert [got[name] for name in ("model_version", "coder_version", "icd10cm_release")] == ["toy-1", "coder-1", "2026"]


def test_rows_have_the_schema_of_the_table_and_their_order():
    got = assessed("masked", coded_row(WINDOW, 2), coded_row(WINDOW, 1))

    assert got.schema.equals(ASSESSMENTS.schema, check_metadata=True)
    assert got.column("created_at").to_pylist() == [coded_row(WINDOW, n)["created_at"] for n in (2, 1)]


def test_none_drops_the_text_and_every_surface_form_but_keeps_codes_and_ingredients():
    (got,) = assessed("none", coded_row(WINDOW, 1)).to_pylist()

    assert got["text"] is None
    assert got["drug_mentions"] == [{"mention": None, "begin": 13, "end": 20, "ingredient": "semaglutide"}]
    assert got["events"][0]["text"] is None
    assert got["events"][0]["icd10cm_code"] == "R11.0"


def test_none_is_right_for_a_slice_of_a_longer_chunk():
    """A window is usually a slice of what a station wrote."""
    rows = batch_of(*(coded_row(WINDOW, n, is_ade=n != 1) for n in range(4)))

    got = assess(rows.slice(1, 2), replace(PROVENANCE, keep_text="none")).to_pylist()

    assert [len(row["events"]) for row in got] == [0, 1]
    assert all(row["drug_mentions"][0]["ingredient"] == "semaglutide" for row in got)


def test_spans_keeps_drug_and_condition_and_nothing_between():
    (got,) = assessed("spans", coded_row(WINDOW, 1)).to_pylist()

    assert got["text"] == f"ozempic{SPAN_JOIN}nausea"


def test_spans_that_touch_or_overlap_become_one():
    row = coded_row(WINDOW, 1)
    row["text"] = "awful ozempic nausea attack today"
    event = row["events"][0]
    row["drug_mentions"] = [{"mention": "ozempic", "begin": 6, "end": 13, "ingredient": "semaglutide"}]
    row["events"] = [
        {**event, "text": "ozempic nausea", "begin": 6, "end": 20},
        {**event, "text": "nausea attack", "begin": 14, "end": 27},
    ]

    (got,) = assessed("spans", row).to_pylist()

    assert got["text"] == "ozempic nausea attack"
    assert [(e["begin"], e["end"]) for e in got["events"]] == [(0, 14), (8, 21)]


def test_spans_of_a_post_without_any_are_an_empty_text():
    row = {**coded_row(WINDOW, 1, is_ade=False), "drug_mentions": []}

    assert assessed("spans", row).column("text").to_pylist() == [""]


@settings(deadline=None)
@given(data=st.data(), text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_offsets_into_a_reduced_text_still_point_at_their_span(data, text):
    """Emoji and combining marks included: offsets count code points."""
    bounds = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))).filter(lambda b: b[0] < b[1])
    spans = data.draw(st.lists(bounds, max_size=5))
    row = coded_row(WINDOW, 1)
    event = row["events"][0]
    row["text"] = text
    row["drug_mentions"] = [
        {"mention": text[begin:end], "begin": begin, "end": end, "ingredient": "x"} for begin, end in spans[::2]
    ]
    row["events"] = [{**event, "text": text[begin:end], "begin": begin, "end": end} for begin, end in spans[1::2]]

    (got,) = assessed("spans", row).to_pylist()

    assert all(got["text"][m["begin"] : m["end"]] == m["mention"] for m in got["drug_mentions"])
    assert all(got["text"][e["begin"] : e["end"]] == e["text"] for e in got["events"])


@pytest.mark.parametrize(("begin", "end"), [(-1, 3), (5, 5), (0, 10_000)])
def test_a_span_outside_its_text_is_refused_by_id_without_quoting_the_text(begin, end):
    row = coded_row(WINDOW, 1)
    row["events"][0].update(begin=begin, end=end)

    with pytest.raises(ContractError, match="lies outside its text") as caught:
        assessed("spans", row)

    assert caught.value.ids == (row["tweet_id"],)
    assert "nausea" not in str(caught.value)


def test_chunks_are_counted_as_they_pass():
    rows = [coded_row(WINDOW, n, is_ade=n % 2 == 0) for n in range(5)]
    rows[0]["events"] = [rows[0]["events"][0], {**rows[0]["events"][0], "is_event": False}]
    chunks = CountedChunks(assess(chunk, PROVENANCE) for chunk in (batch_of(*rows[:2]), batch_of(*rows[2:])))

    assert sum(chunk.num_rows for chunk in chunks) == 5
    assert (chunks.n_rows, chunks.n_positive, chunks.n_events) == (5, 3, 3)


def with_situations(row):
    text = row["text"]
    told = {"text": text[4:9], "begin": 4, "end": 9, "is_author": True}
    row["seriousness"] = [{"criterion": "hospitalization", **told}]
    row["special_situations"] = [{"situation": "overdose", **told, "begin": 0, "end": 2, "text": text[:2]}]
    return row


def test_spans_that_tell_seriousness_or_a_situation_are_kept_too():
    (got,) = assessed("spans", with_situations(coded_row(WINDOW, 1))).to_pylist()
    for name in ("seriousness", "special_situations", "events"):
        (span,) = got[name]
        assert got["text"][span["begin"] : span["end"]] == span["text"]


def test_none_drops_the_words_of_seriousness_and_situations_but_keeps_their_names():
    (got,) = assessed("none", with_situations(coded_row(WINDOW, 1))).to_pylist()
    assert [(one["criterion"], one["text"]) for one in got["seriousness"]] == [("hospitalization", None)]
    assert [(one["situation"], one["text"]) for one in got["special_situations"]] == [("overdose", None)]
