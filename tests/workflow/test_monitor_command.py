"""`ade monitor`, as people and schedulers meet it."""

import json
from datetime import timedelta

import pytest

from ade.__main__ import run
from adverse_events.windows import Window
from tests.report_lake import WEEK, assessment, make_lake, write_undated, write_window

WORD = "zanzibarquokka"


@pytest.fixture
def lake(tmp_path):
    """A day of quiet hours, then one on which everything is positive."""
    made = make_lake(tmp_path / "lake")
    for hour in range(48):
        at = WEEK + timedelta(hours=hour)
        rows = [
            assessment(
                f"{WORD} [=Zoloft|sertraline] [!headache|R51.9]",
                at=at + timedelta(minutes=minute),
                tweet_id=f"{hour}-{minute}",
                probability=0.9 if hour >= 24 or not minute else 0.1,
            )
            for minute in range(5)
        ]
        write_window(made, Window(at), rows)
    return made


def _run(lake, *words):
    limits = ("monitor.days=1", "monitor.reference_days=1", "monitor.least_posts=100")
    return run(["monitor", "--lake", str(lake), *(part for each in limits for part in ("--set", each)), *words])


def test_a_day_unlike_the_one_before_is_told_without_a_word_of_a_post(lake, capsys):
    assert _run(lake) == 1
    said = capsys.readouterr()
    assert "positives: 1.000 of the posts are positive, 0.200 before" in said.out
    assert "a bound is crossed" in said.out
    assert _run(lake, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert [crossing["what"] for crossing in found["crossings"]] == ["scores", "positives"]
    assert WORD not in said.out + said.err + json.dumps(found)


def test_the_days_to_watch_can_be_named(lake, capsys):
    assert _run(lake, "--end", "2026-03-03") == 0
    assert "were not compared" in capsys.readouterr().err


def test_careless_use_is_told_what_to_do(tmp_path, capsys):
    assert _run(tmp_path / "nowhere") == 2
    assert "there is no lake in" in capsys.readouterr().err
    undated = make_lake(tmp_path / "undated")
    write_undated(undated, "week.jsonl", 3)
    assert _run(undated) == 2
    assert "holds no window yet" in capsys.readouterr().err
    assert _run(undated, "--end", "yesterday") == 2
