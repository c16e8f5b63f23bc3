"""The command line as people and programs meet it: real commands on real files, exit codes, and careless use."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ade import checkout
from ade.__main__ import run
from adverse_events.errors import UsageError

CHECKOUT = Path(__file__).resolve().parents[2]

POSTS = [
    (
        "1",
        "2026-03-01T00:10:00Z",
        "started sertraline last week and I have been throwing up every single morning since",
    ),
    ("2", "2026-03-01T00:20:00Z", "metformin gave me the worst diarrhea, three days now @someone"),
    ("3", "2026-03-01T00:30:00Z", "lovely weather for a walk by the canal"),
    ("4", "2026-03-01T01:05:00Z", "is ibuprofen sold without a prescription over there?"),
    ("5", "2026-03-01T01:06:00Z", None),
]


def _environment(home):
    """Return this process's environment without settings of its user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ADE_", "PREFECT_"))}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "PREFECT_HOME": str(home / "prefect")}


def _ade(home, *arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "ade", *map(str, arguments)],
        cwd=home,
        env={**_environment(home), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user's home folder with a file of posts."""
    folder = tmp_path_factory.mktemp("home")
    lines = [json.dumps({"id": i, "created_at": at, "text": text, "lang": "en"}) for i, at, text in POSTS]
    (folder / "posts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def detected(home):
    """What the first `ade detect` on those posts printed."""
    done = _ade(home, "detect", "--source", "posts.jsonl", "--lake", "lake", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture
def here(home, monkeypatch):
    """This process as that user, in that folder."""
    for name in [name for name in os.environ if name.startswith(("ADE_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.chdir(home)
    return home


def _data_files(lake):
    return {path.relative_to(lake): path.read_bytes() for path in lake.rglob("part-*.parquet")}


def test_detect_accounts_for_every_row(home, detected):
    assert detected["rows_read"] == len(POSTS)
    assert detected["rejected"] == {"null_text": 1}
    assert detected["rows_assessed"] + detected["rows_screened_out"] + detected["rows_rejected"] == len(POSTS)
    assert detected["rows_positive"] >= 1
    assert (detected["n_windows"], detected["flow_run_url"]) == (2, None)


def test_a_second_run_changes_nothing_and_strict_tells_of_rejects(home, detected):
    before = _data_files(home / "lake")
    again = _ade(home, "detect", "--source", "posts.jsonl", "--lake", "lake", "--strict")
    assert again.returncode == 3
    assert "2 windows from 2026-03-01T00:00Z to 2026-03-01T02:00Z, 2 of them unchanged" in again.stdout
    assert again.stderr == "no Prefect server is configured: no record of this run\n"
    assert _data_files(home / "lake") == before


def test_backfill_leaves_alone_what_is_up_to_date(home, detected):
    span = ("--start", "2026-03-01", "--end", "2026-03-01T01:00Z")
    done = _ade(home, "backfill", "--source", "posts.jsonl", "--lake", "lake", "--json", *span)
    account = json.loads(done.stdout)
    assert (account["rows_not_due"], account["rows_out_of_range"], account["n_windows"]) == (3, 2, 0)


def test_a_server_that_is_configured_but_not_there_fails_the_run_with_the_remedy(home):
    nowhere = "http://127.0.0.1:9/api"
    done = _ade(home, "detect", "--source", "posts.jsonl", "--lake", "other", PREFECT_API_URL=nowhere)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: Prefect server {nowhere}: does not answer")
    assert done.stderr.endswith("start it with make up or unset PREFECT_API_URL\n")
    assert not (home / "other").exists()


def test_query_prints_json_csv_and_a_table(here, detected, capsys):
    sql = "SELECT event_time, rows_in, rejected, NULL AS nothing FROM receipts ORDER BY 1"
    assert run(["query", sql, "--lake", "lake", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["event_time"], row["rows_in"], row["nothing"]) for row in rows] == [
        ("0000", 3, None),
        ("0100", 2, None),
    ]
    assert run(["query", sql, "--lake", "lake", "--csv"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("event_time,rows_in,rejected,nothing\r\n")
    last = list(csv.DictReader(io.StringIO(printed, newline="")))[-1]
    assert (json.loads(last["rejected"]), last["nothing"]) == ([{"reason": "null_text", "n_rows": 1}], "")
    assert run(["query", "SELECT range AS n FROM range(60)", "--lake", "lake"]) == 0
    assert "50 of 60 rows shown" in capsys.readouterr().err


def test_query_shows_a_row_of_many_columns_one_under_the_other(here, detected, capsys):
    assert run(["query", "SELECT * FROM receipts LIMIT 1", "--lake", "lake"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[:3]] == [
        "window_start",
        "window_end",
        "rows_in",
    ]


def test_report_writes_the_page_and_says_where(here, detected, capsys):
    assert run(["report", "--lake", "lake", "--output", "page.html", "--start", "2026-03-01"]) == 0
    assert (here / "page.html").as_uri() in capsys.readouterr().out
    assert (here / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_classify_gives_every_row_its_line_in_order(here, capsys):
    texts = [text for _, _, text in POSTS]
    with (here / "texts.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["tweet"], *([text or ""] for text in texts)])
    command = ["classify", "texts.csv", "--text-column", "tweet", "--output", "scores.jsonl", "--json"]
    assert run([*command, "--strict"]) == 3
    summary = json.loads(capsys.readouterr().out)
    lines = [json.loads(line) for line in (here / "scores.jsonl").read_text().splitlines()]
    assert [line["row"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[4] == {"row": 5, "error": "empty_text", "ade_probability": None, "is_ade": None}
    assert all(line["is_ade"] == (line["ade_probability"] >= summary["ade_threshold"]) for line in lines[:4])
    assert lines[1]["is_ade"]
    assert not lines[2]["is_ade"]
    assert (summary["rows"], summary["rejected"]) == (5, {"empty_text": 1})


def test_classify_prints_rows_alone_on_standard_output(here, capsys):
    assert run(["classify", "posts.jsonl", "--threshold", "0"]) == 0
    printed = capsys.readouterr()
    assert [json.loads(line)["is_ade"] for line in printed.out.splitlines()] == [True, True, True, True, None]
    assert printed.err.startswith("5 rows, 4 positive at 0, 1 rejected (1 null_text)")


def test_a_model_named_on_the_command_line_is_asked_whatever_endpoint_the_settings_name(here, capsys, monkeypatch):
    monkeypatch.setenv("ADE_ENDPOINT__NAME", "somewhere-far")
    assert run(["classify", "posts.jsonl", "--arithmetic", "int8"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_ctrl_c_ends_calmly_and_leaves_no_half_file(home):
    (home / "many.csv").write_text("text\n" + "sertraline keeps me awake at night\n" * 60_000)
    command = [sys.executable, "-m", "ade", "classify", "many.csv", "--output", "many.jsonl"]
    with subprocess.Popen(command, cwd=home, env=_environment(home), stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 60
        while not list(home.glob(".many.jsonl.*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate(timeout=60)
    assert running.returncode == 130
    assert complaint == "stopped; what was finished is kept, run the same command again to go on\n"
    assert list(home.glob("*many.jsonl*")) == []


def test_demo_shows_a_result_and_how_well_it_did(home):
    done = _ade(home, "demo", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["account"]["rows_read"] > 2000
    assert result["agreement"]["n_ade"] > 100
    # Far below what any released model reaches: zero would mean that gold and lake ids no longer meet.
    assert result["agreement"]["f1"] > 0.1
    assert (home / "demo" / "report.html").is_file()


def test_sample_gives_files_to_play_with_and_overwrites_none(here, capsys):
    assert run(["sample", "play", "--json"]) == 0
    names = {Path(name).relative_to("play").as_posix() for name in json.loads(capsys.readouterr().out)["files"]}
    assert names == {"gold.csv", "posts/pages.jsonl", "posts/posts.jsonl.gz"}
    assert run(["sample", "play"]) == 2
    assert "is there already" in capsys.readouterr().err


def test_settings_tell_where_each_value_comes_from_and_hide_secrets(here, capsys, monkeypatch):
    secret = "a secret of more than thirty-two characters"  # noqa: S105 - made up
    monkeypatch.setenv("ADE_PRIVACY__IDENTITY_KEY", secret)
    assert run(["settings", "--set", "classifier.ade_threshold=0.7", "--json"]) == 0
    printed = capsys.readouterr().out
    lines = {line["name"]: line for line in json.loads(printed)}
    assert (lines["classifier.ade_threshold"]["value"], lines["classifier.ade_threshold"]["origin"]) == ("0.7", "flag")
    assert lines["privacy.identity_key"]["origin"] == "environment"
    assert secret not in printed


CARELESS = {
    "no such source": (["detect", "--source", "nope.csv"], "nope.csv: no such file"),
    "no source at all": (["detect"], "no source of posts; give --source"),
    "end before start": (
        ["detect", "--source", "posts.jsonl", "--start", "2026-03-02", "--end", "2026-03-01"],
        "not after",
    ),
    "half a range": (["backfill", "--source", "posts.jsonl", "--start", "2026-03-02"], "--start needs --end"),
    "naive time": (["detect", "--start", "2026-03-01T00:00", "--end", "2026-03-02"], "has no time zone"),
    "off the grid": (
        ["detect", "--source", "posts.jsonl", "--start", "2026-03-01T00:30Z", "--end", "2026-03-02"],
        "off the grid of 60-minute windows",
    ),
    "unknown setting": (
        ["detect", "--source", "posts.jsonl", "--set", "classifier.threshold=1"],
        "did you mean classifier.ade_threshold",
    ),
    "setting out of range": (["settings", "--set", "classifier.ade_threshold=7"], "setting classifier.ade_threshold"),
    "no such file": (["classify", "nope.csv"], "nope.csv: no such file"),
    "a folder": (["classify", "."], "is a folder"),
    "no such column": (["classify", "posts.jsonl", "--text-column", "body"], "no column 'body'; it has id, created_at"),
    "unknown kind of file": (["classify", "posts.doc"], "unknown kind of file"),
    "empty file": (["classify", "empty.csv"], "empty.csv: the file is empty"),
    "no such model": (["classify", "posts.jsonl", "--model", "nowhere"], "nowhere holds no model.json"),
    "no lake": (["query", "SELECT 1", "--lake", "nowhere"], "there is no lake in nowhere"),
    "bad SQL": (["query", "SELEKT 1", "--lake", "lake"], "syntax error"),
    "no such table": (["query", "SELECT * FROM tweets", "--lake", "lake"], "tweets does not exist"),
    "a change": (["query", "DROP VIEW receipts", "--lake", "lake"], "only one SELECT"),
    "two formats": (["query", "SELECT 1", "--lake", "lake", "--json", "--csv"], "exclude each other"),
    "no such command": (["detekt"], "No such command"),
    "no such flag": (["detect", "--sauce", "x"], "No such option"),
    "argument left out": (["classify"], "Missing argument"),
    "no number": (["classify", "posts.jsonl", "--threshold", "high"], "--threshold"),
}


@pytest.mark.parametrize(("arguments", "complaint"), CARELESS.values(), ids=CARELESS.keys())
def test_careless_use_is_one_clear_line_and_exit_code_2(here, detected, capsys, arguments, complaint):
    (here / "empty.csv").touch()
    (here / "posts.doc").write_text("text")
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert printed.out == ""
    if "--json" in arguments:
        assert set(json.loads(printed.err)) == {"error"}
    else:
        assert printed.err.startswith("error: ")
        assert len(printed.err.splitlines()) == 1


def test_a_damaged_file_fails_the_run_and_writes_nothing(here, capsys):
    (here / "cut.csv.gz").write_bytes(bytes.fromhex("1f8b0800000000000003"))
    assert run(["classify", "cut.csv.gz", "--output", "cut.jsonl"]) == 1
    assert "the file is cut short or damaged" in capsys.readouterr().err
    assert list(here.glob("*cut.jsonl*")) == []


def test_a_defect_is_one_line_that_quotes_nothing_and_debug_shows_all(here, capsys, monkeypatch):
    def fail():
        msg = "text of a post"
        raise LookupError(msg)

    monkeypatch.setattr("ade.show.sample_week", fail)
    assert run(["sample", "x"]) == 1
    complaint = capsys.readouterr().err
    assert complaint.startswith("error: unexpected LookupError in test_command_line.py:")
    assert "text of a post" not in complaint
    assert run(["sample", "x", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_help_waits_for_no_heavy_library_and_the_lighter_commands_for_no_prefect(home, detected):
    script = (
        "import sys; from ade.__main__ import run\n"
        "run(['--help']); assert not {'prefect', 'pyarrow', 'duckdb', 'onnxruntime'} & set(sys.modules)\n"
        "run(['code', 'so dizzy today']); run(['query', 'SELECT 1', '--lake', 'lake'])\n"
        "assert 'prefect' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=home, env=_environment(home), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_commands_and_exit_codes(arguments, capsys):
    assert run(arguments) == 0
    printed = capsys.readouterr().out
    assert "detect" in printed
    assert "3  done, but inputs were rejected" in printed


def test_flows_run_from_the_checkout_and_elsewhere_say_so(tmp_path, monkeypatch):
    assert checkout.enter("detect") == CHECKOUT
    monkeypatch.setattr(checkout, "__file__", str(tmp_path / "site-packages" / "ade" / "checkout.py"))
    monkeypatch.chdir(CHECKOUT)
    assert checkout.enter("detect") == CHECKOUT
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="clone the project and run it from the clone's folder"):
        checkout.enter("detect")


def test_a_terminated_run_leaves_no_staged_posts_behind(home):
    """What a service manager sends; a run killed outright is cleaned up after by the next one."""
    (home / "many.csv").write_text("text\n" + "sertraline keeps me awake at night\n" * 60_000)
    (home / "tmp").mkdir()
    command = [sys.executable, "-m", "ade", "detect", "--source", "many.csv", "--assume-time", "2026-03-01T00:00Z"]
    environment = {**_environment(home), "TMPDIR": str(home / "tmp")}
    with subprocess.Popen(command, cwd=home, env=environment, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 60
        while not list(home.glob("tmp/adverse-events-*/*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    assert running.returncode == 130
    assert list(home.glob("tmp/adverse-events-*")) == []
