"""The page is one safe file; what it does in a browser is tested where a browser is."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from adverse_events.errors import UsageError
from adverse_events.reporting.facts import gather
from adverse_events.reporting.page import render, write_report
from adverse_events.windows import Window
from tests.report_lake import IN_FORCE, INJECTION, WEEK, assessment, make_lake, write_window

NOW = datetime(2026, 3, 9, 6, 30, tzinfo=UTC)


def lake_with(folder, post, **receipt):
    write_window(make_lake(folder), Window(WEEK), [assessment(post, at=WEEK, tweet_id="a")], **receipt)
    return folder


def page_of(folder, post, **receipt):
    return render(gather(lake_with(folder, post, **receipt)), generated_at=NOW)


def data_of(page):
    (block,) = re.findall(r'<script type="application/json" id="facts">(.*?)</script>', page, re.DOTALL)
    return block, json.loads(block)


@pytest.mark.parametrize("nasty", [INJECTION, "<!--<script>", "]]>", "a\u2028b\u2029c", "&lt;b&gt; &amp;"])
def test_text_cannot_leave_its_data_block_and_arrives_unchanged(tmp_path, nasty):
    page = page_of(tmp_path, f"{nasty} [=aspirin|aspirin]")
    block, data = data_of(page)
    assert not set(block) & set("<>&\u2028\u2029")
    assert data["posts"][0]["text"] == f"{nasty} aspirin"
    assert page.count("<script") == page.count("</script>") == 2


def test_names_from_receipts_are_escaped(tmp_path):
    page = page_of(tmp_path, "x", rejected={"<b>odd</b>": 1}, model_version="<i>m</i>")
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert "<i>m</i>" not in page


def test_nothing_points_outside_the_file(tmp_path):
    page = page_of(tmp_path, "x")
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?!#|data:,)[^"'\s>]+""", page)
    assert not re.findall(r"url\(|@import|\bfetch\(|XMLHttpRequest|sendBeacon", page)
    assert "default-src 'none'" in page


def test_a_cap_is_stated(tmp_path):
    rows = [assessment("[=aspirin|aspirin]", at=WEEK + timedelta(minutes=n), tweet_id=str(n)) for n in range(3)]
    write_window(make_lake(tmp_path), Window(WEEK), rows)
    page = render(gather(tmp_path, max_positives=2), generated_at=NOW)
    assert "Carrying 2 of 3 positive posts: by priority, then those with the highest probability." in page
    assert len(data_of(page)[1]["posts"]) == 2
    assert "Carrying 3 of 3 positive posts." in render(gather(tmp_path), generated_at=NOW)


def test_versions_in_force_are_stated_and_a_change_is_pointed_out(tmp_path):
    lake_with(tmp_path, "x")
    page = render(gather(tmp_path), generated_at=NOW)
    assert all(f"<dd>{value}</dd>" in page for value in IN_FORCE.values())
    assert "Several versions in force" not in page
    write_window(tmp_path, Window(WEEK.replace(hour=1)), [], model_version="starter-2")
    page = render(gather(tmp_path), generated_at=NOW)
    assert re.search(r"Several versions in force:</strong>\s*classifier starter-1, then starter-2", page)


def test_equal_facts_make_an_equal_page(tmp_path):
    facts = gather(lake_with(tmp_path, "[=aspirin|aspirin]"))
    assert render(facts, generated_at=NOW) == render(facts, generated_at=NOW)


def test_a_folder_gets_a_file_and_a_file_is_replaced(tmp_path):
    lake = lake_with(tmp_path / "lake", "x")
    assert write_report(lake, tmp_path) == tmp_path / "report.html"
    named = tmp_path / "new" / "page.html"
    write_report(lake, named)
    named.write_text("old")
    assert write_report(lake, named).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in named.parent.iterdir()] == ["page.html"]


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    lake = lake_with(tmp_path / "lake", "x")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="the report cannot be written"):
        write_report(lake, tmp_path / "file" / "report.html")


def test_what_a_paid_coder_refused_and_billed_is_stated(tmp_path):
    bill = [{"service": "comprehendmedical:InferICD10CM", "n_units": 1234}]
    refused = {"uncoded": [{"reason": "refused_by_coder", "n_rows": 7}], "rows_uncoded": 7, "billable_units": bill}
    page = page_of(tmp_path, "[=aspirin|aspirin]", **refused)
    assert "not coded: refused by coder</span> <b>7</b>" in page
    assert "units billed by comprehendmedical:InferICD10CM</span> <b>1,234</b>" in page
    assert "billed" not in page_of(tmp_path / "embedded", "[=aspirin|aspirin]")


def test_the_priority_and_its_evidence_reach_the_page(tmp_path):
    told = {"text": "the ER", "begin": 0, "end": 6, "is_author": False}
    post = assessment(
        "the ER after [=zoloft|sertraline] [!hives|R21]",
        at=WEEK,
        tweet_id="a",
        seriousness=[{"criterion": "hospitalization", **told}],
    )
    make_lake(tmp_path)
    write_window(tmp_path, Window(WEEK), [post])
    page = render(gather(tmp_path), generated_at=NOW)
    (shown,) = data_of(page)[1]["posts"]
    assert shown["priority"] == 0
    assert shown["told"] == [
        {"kind": "serious", "name": "hospitalization", "text": "the ER", "begin": 0, "end": 6, "isAuthor": False}
    ]
    assert "of these serious" in page
