"""`ade evaluate-coder`: files of one's own, what is printed, and clear errors."""

import json

import pytest

from ade.__main__ import run as ade
from ade.evaluation import NO_VOCABULARY
from ade.exits import USAGE
from adverse_events.coding.evaluation import baselines

MINE = (
    "post,reviewed,text\n"
    'm1,yes,"day 3 of zoloft: [nausea|R11.0|ADE], no [rash|R21|ADE|NEGATION], feeling [zibbly|-|ADE]"\n'
    "m2,no,refilled my zoloft\n"
)


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(MINE)
    return path


def test_a_gold_file_of_ones_own_is_measured_and_drawn(mine, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert ade(["evaluate-coder", str(mine), "--no-baselines", "--json", "--output", str(page)]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert (measured["posts"], measured["posts_without"], measured["unreviewed"]) == (2, 1, 1)
    assert measured["splits"]["all"]["scores"]["coded"]["value"] == 1
    assert measured["splits"]["all"]["scores"]["nil_abstained"]["value"] == 1
    assert "probe" not in measured["checks"]
    assert page.read_text().startswith("<!doctype html>")


def test_without_the_official_terms_the_baselines_are_skipped_and_it_says_so(mine, monkeypatch, capsys):
    monkeypatch.setattr(baselines, "PACKAGE", "no_such_package")
    assert ade(["evaluate-coder", str(mine)]) == 0
    printed = capsys.readouterr()
    assert "nausea" not in printed.out
    assert NO_VOCABULARY in " ".join(printed.err.split())


def test_one_split_is_printed_when_asked_for(capsys):
    assert ade(["evaluate-coder", "--split", "seen", "--no-baselines", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert set(measured["splits"]) == {"seen"}
    assert measured["checks"]["probe"]["phrases"] == 30
    assert [bar["is_met"] for bar in measured["bars"] if bar["split"] == "seen"] == [True]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nowhere.csv"], "nowhere.csv: no such file"),
        (["{mine}", "--split", "seen"], "no condition is in the split seen"),
        (["{mine}", "--output", "{mine}"], "is the input itself"),
        (["{mine}", "--effects", "nowhere.csv"], "nowhere.csv: no such file"),
        (["{mine}", "--output", "{folder}"], "is a folder"),
    ],
)
def test_what_cannot_be_is_a_usage_error(mine, tmp_path, capsys, arguments, why):
    given = [argument.format(mine=mine, folder=tmp_path) for argument in arguments]
    assert ade(["evaluate-coder", *given, "--no-baselines"]) == USAGE
    assert why in " ".join(capsys.readouterr().err.split())
    assert mine.read_text() == MINE


def test_a_row_that_cannot_be_used_is_named_by_file_and_line(mine, capsys):
    mine.write_text(MINE + "m3,yes,[dizzy|R42]\n")
    assert ade(["evaluate-coder", str(mine), "--no-baselines"]) != 0
    assert "mine.csv: line 4" in " ".join(capsys.readouterr().err.split())
