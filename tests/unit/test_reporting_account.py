"""Receipts add up to one account, whatever order they come in."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from adverse_events.reporting.account import Span, account_of
from adverse_events.tables import RECEIPTS
from adverse_events.windows import Window
from tests.report_lake import WEEK, receipt

WINDOWS = [Window(WEEK.replace(hour=hour)) for hour in (0, 1, 3)]


def table(*rows):
    return pa.Table.from_pylist(list(rows), schema=RECEIPTS.schema)


def of(window, **changes):
    counts = {"screened_out": {"language": 2, "repost": 5}, "rejected": {"null_text": 1}}
    return receipt(window.start, window.end, [], **counts) | changes


def test_reasons_are_summed_and_the_most_frequent_comes_first():
    account = account_of(table(of(WINDOWS[0]), of(WINDOWS[1])))
    assert list(account.screened_out.items()) == [("repost", 10), ("language", 4)]
    assert account.rejected == {"null_text": 2}
    assert account.rows_in == account.rows_assessed + account.rows_screened_out + account.rows_rejected == 16


def test_a_missing_window_is_a_gap_and_neighbours_are_one_stretch():
    account = account_of(table(*(of(window) for window in reversed(WINDOWS))))
    assert account.covered == (Span(WEEK, WEEK.replace(hour=2)), Span(WEEK.replace(hour=3), WEEK.replace(hour=4)))
    assert account.gaps == (Span(WEEK.replace(hour=2), WEEK.replace(hour=3)),)
    assert account.span == Span(WEEK, WEEK.replace(hour=4))


def test_undated_input_counts_but_is_no_window_and_sets_no_version():
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    undated = receipt(epoch, epoch, [], {}, {"malformed_json": 3}) | {"model_version": "older"}
    account = account_of(table(of(WINDOWS[0]), undated))
    assert (account.n_windows, account.rows_undated, account.rows_rejected) == (1, 3, 4)
    assert account.span == Span(WEEK, WEEK.replace(hour=1))
    assert account.mixed == ()


def test_a_version_that_changed_is_listed_oldest_first():
    later, earlier = of(WINDOWS[1], model_version="b", ade_threshold=0.6), of(WINDOWS[0], model_version="c")
    mixed = {entry.name: entry.values for entry in account_of(table(later, earlier)).mixed}
    assert mixed == {"Classifier": ("c", "b"), "Threshold": ("0.5", "0.6")}


@pytest.mark.parametrize("name", ["span", "covered", "gaps", "mixed"])
def test_no_receipts_make_an_empty_account(name):
    assert not getattr(account_of(table()), name)
