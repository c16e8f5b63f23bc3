"""The summary states what a run came to, and nothing anybody wrote."""

from datetime import timedelta

import pytest

from adverse_events.accounting import RunAccount
from adverse_events.reporting.facts import gather
from adverse_events.reporting.summary import summary_markdown
from adverse_events.windows import Window
from tests.report_lake import WEEK, assessment, make_lake, write_window

POST = "zebra [=Zoloft|sertraline] quagga [!headache|R51.9] okapi [!fog|]"


@pytest.fixture
def lake(tmp_path):
    rows = [assessment(POST, at=WEEK + timedelta(minutes=n), tweet_id=str(n)) for n in range(3)]
    write_window(
        make_lake(tmp_path), Window(WEEK), rows, screened_out={"no_drug_mention": 6}, rejected={"null|text": 1}
    )
    return tmp_path


def test_account_drugs_codes_rejects_and_versions_are_tables(lake):
    lines = summary_markdown(gather(lake)).splitlines()
    assert lines[0] == "**2026-03-02T00:00Z to 2026-03-02T01:00Z**, 1 window"
    for line in (
        "| Rows in | 10 | 100.0 % |",
        "| of them positive | 3 | 30.0 % |",
        "| no drug mention | 6 | 60.0 % |",
        "| sertraline | 3 |",
        "| R51.9 | Headache, unspecified | 3 |",
        "| none | condition without a code | 3 |",
        "| null\\|text | 1 |",
        "| Classifier | starter-1 |",
    ):
        assert line in lines


def test_no_word_of_a_post_is_in_it(lake):
    text = summary_markdown(gather(lake))
    assert not [word for word in ("zebra", "quagga", "okapi", "Zoloft", "headache", "fog") if word in text]


def test_the_account_of_the_run_is_stated_when_given(lake):
    run = RunAccount(
        rows_read=40,
        rows_out_of_range=30,
        rows_not_due=0,
        n_windows=1,
        n_windows_unchanged=0,
        rows_assessed=3,
        rows_positive=3,
        n_events=6,
        screened_out={"repost": 5},
        rejected={"malformed_json": 2},
    )
    lines = summary_markdown(gather(lake), run).splitlines()
    for line in ("| Rows read | 40 | 100.0 % |", "| - outside the range | 30 | 75.0 % |", "| malformed_json | 2 |"):
        assert line in lines
    assert not [line for line in lines if "up to date" in line or "no drug mention" in line]


def test_changed_versions_and_unaccounted_rows_are_warned_about(lake):
    write_window(lake, Window(WEEK.replace(hour=1)), [], coder_version="lay-4", rows_positive=1)
    text = summary_markdown(gather(lake))
    assert "**Several values of condition coder in force**" in text
    assert "stores 3 positive posts, its receipts account for 4" in text


def test_nothing_processed_is_said(lake):
    assert summary_markdown(gather(lake, end=WEEK)).startswith("**No window has been processed.**")
