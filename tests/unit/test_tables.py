"""The contract of a table: what `conform` lets through, and what the generated dictionary says."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adverse_events.dictionary import athena_type, athena_types, column_comments, markdown
from adverse_events.errors import ContractError
from adverse_events.tables import ASSESSMENTS, PARTITION_COLUMNS, TABLES, TIMESTAMP, Column, Table, conform

patient = settings(deadline=None)
"""A slow machine is no failure."""

TOY = Table(
    "toys",
    "One row per toy.",
    (
        Column("tweet_id", pa.string(), "Id.", nullable=False),
        Column("n_wheels", pa.int32(), "Wheels.", nullable=False),
        Column("weight", pa.float64(), "Kilograms."),
        Column("colours", pa.list_(pa.string()), "Colours."),
    ),
)

toys = st.fixed_dictionaries(
    {
        "tweet_id": st.text(st.characters(exclude_categories=["Cs"])),
        "n_wheels": st.integers(-(2**31), 2**31 - 1),
        "weight": st.none() | st.floats(allow_nan=False),
        "colours": st.none() | st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=3),
    }
)


@patient
@given(rows=st.lists(toys, max_size=8), order=st.permutations(TOY.schema.names))
def test_good_rows_pass_unchanged_in_any_column_order(rows, order):
    given_rows = pa.Table.from_pylist(rows, schema=TOY.schema).select(order)

    conformed = conform(given_rows, TOY)

    assert conformed.schema.equals(TOY.schema, check_metadata=True)
    assert conformed.to_pylist() == rows


@patient
@given(rows=st.lists(toys, min_size=1, max_size=20), data=st.data())
def test_a_null_where_none_is_promised_is_refused_with_at_most_five_ids(rows, data):
    broken = data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1))
    rows = [{**row, "n_wheels": None} if i in broken else row for i, row in enumerate(rows)]

    with pytest.raises(ContractError, match="n_wheels may not be null") as caught:
        conform(pa.Table.from_pylist(rows, schema=TOY.schema), TOY)

    assert caught.value.ids == tuple(rows[i]["tweet_id"] for i in sorted(broken))[:5]


@patient
@given(wrong=st.sampled_from([["four"], [2**40], [1.5], [[1]], [{"n": 1}]]))
def test_a_value_that_does_not_fit_its_type_is_refused_rather_than_bent(wrong):
    rows = pa.table({"tweet_id": ["a"], "n_wheels": wrong})

    with pytest.raises(ContractError, match=r"column n_wheels holds .* does not fit int32"):
        conform(rows, TOY)


@patient
@given(
    name=st.text(st.characters(codec="ascii", categories=["L"]), min_size=1).filter(lambda n: n not in TOY.schema.names)
)
def test_an_unknown_column_is_refused_by_name(name):
    rows = pa.table({"tweet_id": ["a"], "n_wheels": [4], name: [1]})

    with pytest.raises(ContractError, match=f"unknown columns {name}"):
        conform(rows, TOY)


def test_a_missing_nullable_column_is_filled_with_nulls_and_any_other_is_refused():
    rows = pa.table({"tweet_id": ["a", "b"], "n_wheels": [4, 2]})

    assert conform(rows, TOY).column("weight").to_pylist() == [None, None]
    with pytest.raises(ContractError, match="column n_wheels is missing"):
        conform(rows.drop_columns("n_wheels"), TOY)


def test_a_record_batch_conforms_like_a_table():
    batch = pa.RecordBatch.from_pydict({"tweet_id": ["a"], "n_wheels": [4]})

    assert conform(batch, TOY).equals(conform(pa.Table.from_batches([batch]), TOY))


def test_a_narrower_type_is_widened_to_the_tables():
    rows = pa.table({"tweet_id": pa.array(["a"], pa.large_string()), "n_wheels": pa.array([4], pa.int8())})

    assert conform(rows, TOY).schema.field("n_wheels").type == pa.int32()


def test_a_refusal_never_quotes_a_value():
    rows = pa.table({"tweet_id": ["a"], "n_wheels": ["my secret headache"]})

    with pytest.raises(ContractError) as caught:
        conform(rows, TOY)

    assert "headache" not in str(caught.value)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_described_and_named_once(table):
    names = [column.name for column in (*table.columns, *PARTITION_COLUMNS)]

    assert len(set(names)) == len(names)
    assert all(column.description.endswith(".") or "(partition)" in column.description for column in table.columns)
    assert table.grain.startswith("One row per")


@pytest.mark.parametrize(
    ("arrow", "athena"),
    [
        (pa.string(), "string"),
        (pa.int32(), "int"),
        (pa.int64(), "bigint"),
        (TIMESTAMP, "timestamp"),
        (pa.date32(), "date"),
        (
            pa.list_(pa.struct([("a", pa.float64()), ("b", pa.list_(pa.bool_()))])),
            "array<struct<a:double,b:array<boolean>>>",
        ),
    ],
)
def test_arrow_types_have_the_athena_type_that_reads_them(arrow, athena):
    assert athena_type(arrow) == athena


def test_a_type_without_an_athena_name_is_refused():
    with pytest.raises(ContractError, match="duration"):
        athena_type(pa.duration("s"))


def test_glue_gets_a_type_and_a_storable_comment_for_every_column():
    """Glue refuses comments over 255 characters."""
    columns = [column for table in TABLES for column in table.columns]

    assert athena_types(ASSESSMENTS.columns).keys() == column_comments(ASSESSMENTS.columns).keys()
    assert max(len(comment) for comment in column_comments(columns).values()) <= 255
    assert max(len(column.description) for column in columns) > 255, "no description is long enough to be cut"


def test_the_dictionary_on_disk_is_the_generated_one():
    written = Path(__file__).parents[2] / "docs" / "tables.md"

    assert written.read_text(encoding="utf-8") == markdown(), "run python -m adverse_events.dictionary > docs/tables.md"
