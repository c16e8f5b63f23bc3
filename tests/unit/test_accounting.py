"""The account of a run: it adds up, or the run fails."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adverse_events.accounting import RunAccount
from adverse_events.errors import AccountingError
from adverse_events.lake.receipt import Receipt
from adverse_events.staging import Tally

START = datetime(2026, 3, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def receipt(hour, *, assessed=0, positive=0, events=0, screened_out=None, rejected=None, unchanged=False):
    start = EPOCH if hour is None else START + timedelta(hours=hour)
    tally = Tally(
        assessed + sum((screened_out or {}).values()) + sum((rejected or {}).values()),
        screened_out or {},
        rejected or {},
    )
    return Receipt("key", start, start + timedelta(hours=1), tally, assessed, positive, events, is_unchanged=unchanged)


def account(windows=(), undated=(), *, out_of_range=0, not_due=0, lost=0):
    rows_in = sum(r.tally.rows_in for r in (*windows, *undated))
    return RunAccount.of(
        rows_read=rows_in + out_of_range + not_due + lost,
        rows_out_of_range=out_of_range,
        rows_not_due=not_due,
        windows=windows,
        undated=undated,
    )


def test_receipts_add_up_to_the_run():
    windows = [
        receipt(3, assessed=5, positive=2, events=3, screened_out={"repost": 1}),
        receipt(1, assessed=1, screened_out={"repost": 2, "no_drug_mention": 4}, rejected={"null_text": 1}),
    ]
    total = account(windows, [receipt(None, rejected={"malformed_json": 3, "null_text": 1})], out_of_range=7, not_due=9)
    assert (total.rows_read, total.rows_out_of_range, total.rows_not_due) == (34, 7, 9)
    assert (total.rows_assessed, total.rows_positive, total.n_events) == (6, 2, 3)
    assert total.screened_out == {"no_drug_mention": 4, "repost": 3}
    assert total.rejected == {"malformed_json": 3, "null_text": 2}
    assert (total.rows_screened_out, total.rows_rejected) == (7, 5)


def test_the_span_is_that_of_the_dated_windows_in_any_order():
    total = account([receipt(3), receipt(1)], [receipt(None, rejected={"malformed_json": 1})])
    assert (total.start, total.end) == (START + timedelta(hours=1), START + timedelta(hours=4))
    assert (total.n_windows, total.n_windows_unchanged) == (2, 0)


def test_windows_left_as_they_were_count_as_such():
    total = account([receipt(0, unchanged=True), receipt(1), receipt(2, unchanged=True)])
    assert (total.n_windows, total.n_windows_unchanged) == (3, 2)


def test_a_run_without_windows_has_no_span_and_adds_up():
    total = account([], [receipt(None, rejected={"malformed_json": 2})], out_of_range=3)
    assert (total.n_windows, total.start, total.end, total.rows_rejected) == (0, None, None, 2)
    assert total.to_json()["start"] is None


@pytest.mark.parametrize("lost", [1, -1], ids=["lost", "doubled"])
def test_a_row_lost_or_doubled_fails_the_run(lost):
    with pytest.raises(AccountingError, match=rf"{11 + lost} rows were read but 11 are accounted for"):
        account([receipt(0, assessed=5, rejected={"null_text": 1})], out_of_range=2, not_due=3, lost=lost)


def test_to_json_holds_plain_values_and_both_sums():
    plain = account([receipt(0, assessed=2, screened_out={"repost": 3}, rejected={"null_text": 1})]).to_json()
    assert plain["rows_read"] == plain["rows_assessed"] + plain["rows_screened_out"] + plain["rows_rejected"] == 6
    assert (plain["start"], plain["end"]) == ("2026-03-01T00:00:00+00:00", "2026-03-01T01:00:00+00:00")
    assert set(map(type, plain.values())) == {int, dict, str, type(None)}


counts = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 50))
receipts = st.builds(
    receipt,
    st.integers(0, 99),
    assessed=st.integers(0, 50),
    screened_out=counts,
    rejected=counts,
    unchanged=st.booleans(),
)


@given(st.lists(receipts, max_size=6), st.integers(0, 99), st.integers(0, 99))
def test_nothing_depends_on_how_rows_fall_into_windows(windows, out_of_range, not_due):
    total = account(windows, out_of_range=out_of_range, not_due=not_due)
    accounted = total.rows_assessed + total.rows_screened_out + total.rows_rejected + out_of_range + not_due
    assert accounted == total.rows_read
    assert total == account(windows[::-1], out_of_range=out_of_range, not_due=not_due)


def test_inputs_that_a_window_held_before_and_lost_are_counted():
    """Another source took the place of the first; what a window gained elsewhere does not make up for it."""
    shrunk, grown = replace(receipt(0, assessed=2), rows_before=5), replace(receipt(1, assessed=9), rows_before=1)
    assert account([shrunk, grown]).rows_gone == 3
