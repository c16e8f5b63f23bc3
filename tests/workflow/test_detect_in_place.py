"""Whole runs of the flows in this process or in one of their own, with no server: what they leave behind, whatever
happens to them."""

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adverse_events import progress
from adverse_events.classification.model_folder import starter_model
from adverse_events.errors import ContractError, PermanentServiceError, UsageError
from adverse_events.lake.receipt import settled
from flows.backfill import backfill_adverse_events
from flows.detect import detect_adverse_events

CHECKOUT = Path(__file__).resolve().parents[2]
START = datetime(2026, 3, 1, tzinfo=UTC)

WORD = "zanzibarquokka"
"""Stands in every post and nowhere else: whatever repeats it has repeated a post."""

DRUGS = ("sertraline", "metformin", "ozempic", "ibuprofen", "warfarin", "gabapentin", "melatonin")
SYMPTOMS = ("nausea", "a pounding headache", "dizzy spells", "no sleep at all", "itchy red hives")


def detect(source, lake, *, start=None, end=None, **options):
    return detect_adverse_events.fn(source=str(source), lake=str(lake), start=start, end=end, options=options)


def backfill(source, lake, **options):
    return backfill_adverse_events.fn(source=str(source), lake=str(lake), options=options)


def posts(n_posts, n_windows=3):
    """Made-up posts, dealt out to hourly windows."""
    return [
        {
            "id": str(9000 + number),
            "created_at": (START + timedelta(hours=number % n_windows, seconds=7 * number % 3600)).isoformat(),
            "lang": "en",
            "text": f"{WORD}{number} {SYMPTOMS[number % 5]} since i went on {DRUGS[number % 7]}, that is day {number}",
        }
        for number in range(n_posts)
    ]


def write(path, rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return path


def files_of(lake, pattern="*"):
    paths = (path for path in lake.rglob(pattern) if path.is_file() and ".locks" not in path.parts)
    return {path.relative_to(lake).as_posix(): path.read_bytes() for path in paths}


def data_of(lake):
    """Return the data files of a lake, byte for byte, and what its receipts say of them."""
    receipts = {key: settled(pq.read_table(lake / key)) for key in files_of(lake) if key.startswith("receipts/")}
    return {key: data for key, data in files_of(lake, "*.parquet").items() if key not in receipts} | receipts


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    """A user of their own, with a key of their own, in an empty folder."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("ADE_", "PREFECT_"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.delenv("XDG_CACHE_HOME", raising=False)
        patch.chdir(folder)
        yield folder


@pytest.fixture(autouse=True)
def workspaces(tmp_path, monkeypatch):
    """The folder in which this test's runs make their workspaces."""
    folder = tmp_path / "workspaces"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def source(tmp_path):
    return write(tmp_path / "posts.jsonl", posts(24))


def test_the_order_of_rows_and_files_leaves_no_trace(tmp_path):
    """One file in time order, or three with other names, shuffled: every data file is the same to the byte."""
    rows = posts(60, n_windows=5)
    rows += [{**rows[3], "id": "77"}, {**rows[9], "text": f"{rows[9]['text']}!"}, {"id": "78", **rows[4], "lang": "es"}]
    whole = write(tmp_path / "whole" / "posts.jsonl", rows)
    random.Random(7).shuffle(rows)  # noqa: S311 - an order, not a secret
    for part in range(3):
        write(tmp_path / "split" / f"z{2 - part}.jsonl", rows[part::3])

    first = detect(whole, tmp_path / "first")
    second = detect(tmp_path / "split", tmp_path / "second", rows_per_batch=10)

    assert first == second
    assert first.rows_assessed > 50
    left, right = files_of(tmp_path / "first", "part-*.parquet"), files_of(tmp_path / "second", "part-*.parquet")
    # A reject says which line of which file it was; everything else is the same.
    assert {key for key in left.keys() | right.keys() if left.get(key) != right.get(key)} <= {
        key for key in left if key.startswith("rejects/")
    }


def test_a_range_keeps_a_receipt_for_every_window_also_for_one_without_posts(source, tmp_path):
    lake = tmp_path / "lake"
    account = detect(source, lake, start=START + timedelta(hours=1), end=START + timedelta(hours=6))
    assert (account.n_windows, account.rows_out_of_range, account.rows_read) == (5, 8, 24)
    rows_in = {
        key[-20:-16]: pq.read_table(lake / key)["rows_in"][0].as_py() for key in files_of(lake, "receipt.parquet")
    }
    assert rows_in == {"0100": 8, "0200": 8, "0300": 0, "0400": 0, "0500": 0}
    assert len(files_of(lake, "part-*.parquet")) == 2


def test_the_windows_that_were_over_last_are_found_from_the_clock(source, tmp_path):
    account = detect_adverse_events.fn(source=str(source), lake=str(tmp_path / "lake"), last_windows=3)
    assert (account.n_windows, account.rows_out_of_range) == (3, 24)
    assert account.end <= datetime.now(UTC) < account.end + timedelta(hours=2)


def test_places_left_empty_in_the_form_hide_no_option(source, tmp_path):
    account = detect_adverse_events.fn(options={"source.path": str(source), "lake.path": str(tmp_path / "lake")})
    assert account.rows_read == 24
    assert len(files_of(tmp_path / "lake", "receipt.parquet")) == 3


def test_a_second_run_leaves_every_file_as_it_was(source, tmp_path):
    lake = tmp_path / "lake"
    write(source, [*posts(24), "{broken", {"id": "1", "text": None, "created_at": START.isoformat()}])
    first = detect(source, lake)
    before = files_of(lake)
    second = detect(source, lake)
    assert files_of(lake) == before
    assert (first.n_windows_unchanged, second.n_windows_unchanged) == (0, 3)
    assert first.to_json() | {"n_windows_unchanged": 3} == second.to_json()


def test_a_backfill_takes_up_what_is_missing_or_stale_and_leaves_the_rest(source, tmp_path):
    lake = tmp_path / "lake"
    detect(source, lake, start=START, end=START + timedelta(hours=2))
    assert (backfill(source, lake).n_windows, backfill(source, lake).rows_not_due) == (1, 24)
    assert backfill(source, lake, **{"classifier.ade_threshold": 0.9}).n_windows == 3


def n_receipts(lake):
    return len(list(lake.glob("receipts/*/*/receipt.parquet")))


def test_runs_killed_at_any_moment_leave_a_lake_that_the_next_one_completes(tmp_path):
    rows = posts(240, n_windows=60)
    source = write(tmp_path / "posts.jsonl", [*rows, "{broken"])
    lake, undisturbed = tmp_path / "lake", tmp_path / "undisturbed"
    options = {"rows_per_batch": 12}
    detect(source, undisturbed, **options)
    script = (
        "import sys; from flows.detect import detect_adverse_events as d\n"
        f"d.fn(source={str(source)!r}, lake={str(lake)!r}, options={options!r})"
    )
    draw = random.Random(20260301)  # noqa: S311 - moments of kills, not secrets
    left = []
    for kill in range(5):
        with subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT) as run:
            deadline = time.monotonic() + 60
            wanted = 10 * kill + draw.randint(0, 8)
            while n_receipts(lake) < wanted and run.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            time.sleep(draw.uniform(0, 0.05))
            run.send_signal(signal.SIGKILL)
        left.append(n_receipts(lake))
    assert sum(0 < n < n_receipts(undisturbed) for n in left) >= 3, left

    account = backfill(source, lake, **options)

    assert 0 < account.n_windows < 60
    assert data_of(lake) == data_of(undisturbed)
    assert list(lake.glob(".staging-*")) == []


def test_a_corrupt_model_fails_the_run_before_anything_is_written(source, tmp_path):
    model = shutil.copytree(starter_model(), tmp_path / "model")
    with (model / "weights.bin").open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff\x00\xff")
    with pytest.raises(ContractError, match=r"weights\.bin: sha256 is .*; the file is corrupt: restore it"):
        detect(source, tmp_path / "lake", **{"classifier.model": str(model)})
    assert not (tmp_path / "lake").exists()


def test_a_disk_that_is_full_at_any_station_leaves_the_lake_as_it_was(source, tmp_path, workspaces):
    lake = tmp_path / "lake"
    detect(source, lake)
    before = files_of(lake)
    script = textwrap.dedent(
        """
        import resource, sys
        from adverse_events.errors import PermanentServiceError
        from adverse_events.progress import listening
        from flows.detect import detect_adverse_events as detect
        source, lake = sys.argv[1:]
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        for full_at in ("fetch", "screen", "classify", "code"):
            def fill(station, n_rows):
                if station == full_at:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
            try:
                with listening(fill):
                    detect.fn(source=source, lake=lake, options={"classifier.ade_threshold": 0.9})
            except PermanentServiceError as error:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
                print(full_at, error)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script, source, lake], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    complaints = done.stdout.splitlines()
    assert [line.split()[0] for line in complaints] == ["fetch", "screen", "classify", "code"]
    assert all("workspace" in line and "free space there or set TMPDIR elsewhere" in line for line in complaints)
    assert files_of(lake) == before
    assert list(workspaces.iterdir()) == []
    assert WORD not in done.stdout + done.stderr


def newer_lake(lake):
    marker = json.loads((lake / "_lake.json").read_text())
    (lake / "_lake.json").write_text(json.dumps(marker | {"schema_version": 99}))


REFUSED = {
    "unknown setting": ({"classifier.threshold": 1}, None, UsageError, "did you mean classifier.ade_threshold?"),
    "another window length": ({"window_minutes": 30}, None, UsageError, "60 there, 30 in this run (use the lake's len"),
    "a length that is none": ({"window_minutes": 7}, None, UsageError, "does not divide a day; choose 5, 15, 30"),
    "another privacy mode": ({"privacy.mode": "case"}, None, UsageError, "use the lake's mode"),
    "newer code's lake": ({}, newer_lake, ContractError, "is newer than the 3 this code knows; upgrade adverse_events"),
    "no model there": ({"classifier.model": "nowhere"}, None, UsageError, "holds no model.json; point the model"),
}


@pytest.mark.parametrize(("options", "prepare", "error", "remedy"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused_with_the_remedy_and_changes_nothing(
    source, tmp_path, options, prepare, error, remedy
):
    lake = tmp_path / "lake"
    detect(source, lake)
    if prepare:
        prepare(lake)
    before = files_of(lake)
    with pytest.raises(error) as refused:
        detect(source, lake, **options)
    assert remedy in str(refused.value)
    assert files_of(lake) == before


def test_a_lake_made_with_another_key_is_refused(source, tmp_path, monkeypatch):
    """Its ids would no longer match those already there."""
    lake = tmp_path / "lake"
    detect(source, lake)
    before = files_of(lake)
    monkeypatch.setenv("ADE_PRIVACY__IDENTITY_KEY", "k" * 32)
    with pytest.raises(UsageError, match="use the lake's key"):
        detect(source, lake)
    assert files_of(lake) == before


def test_no_log_line_and_no_error_repeats_a_post(tmp_path, caplog):
    """A run that ends well, and one that meets a damaged file after its posts were read."""
    caplog.set_level("DEBUG")
    bad = [f"{{broken {WORD}", {"id": "2", "text": f"{WORD} \ud83d", "created_at": START.isoformat()}, f'"{WORD}"']
    folder = write(tmp_path / "posts" / "a.jsonl", [*posts(24), *bad]).parent
    account = detect(folder, tmp_path / "lake")
    assert account.rows_rejected == 3
    assert len(caplog.records) > 5

    (folder / "b.jsonl.gz").write_bytes(bytes.fromhex("1f8b0800000000000003") + WORD.encode())
    with pytest.raises(ContractError) as damaged:
        detect(folder, tmp_path / "lake")

    said = caplog.text + "".join(traceback.format_exception(damaged.value))
    assert "b.jsonl.gz" in said
    assert WORD not in said
    assert WORD not in json.dumps(account.to_json())


def test_the_workspace_is_private_while_it_lives_and_gone_afterwards(source, tmp_path, workspaces):
    seen = set()

    def look(_station, _n_rows):
        seen.update(stat.S_IMODE(folder.stat().st_mode) for folder in workspaces.iterdir())

    with progress.listening(look):
        detect(source, tmp_path / "lake")
    assert seen == {0o700}
    assert list(workspaces.iterdir()) == []


def test_the_workspace_is_gone_after_a_failure_too(source, tmp_path, workspaces):
    stations = []

    def fail(station, _n_rows):
        stations.append(station)
        if station == "classify":
            raise PermanentServiceError("endpoint", "invoke", "refused")

    with progress.listening(fail), pytest.raises(PermanentServiceError, match="refused"):
        detect(source, tmp_path / "lake")
    assert stations[-1] == "classify"
    assert list(workspaces.iterdir()) == []
    assert files_of(tmp_path / "lake", "*.parquet") == {}


OFFLINE = textwrap.dedent(
    """
    import os, sys
    def watch(event, arguments):
        reaches_out = event == "socket.getaddrinfo" or (event == "socket.connect" and not isinstance(arguments[1], str))
        if reaches_out:
            os.write(2, b"a connection was tried: " + repr(arguments[1:]).encode())
            os._exit(99)
    sys.addaudithook(watch)
    from ade.__main__ import main
    main()
    """
)


def test_a_run_and_its_report_need_no_network_and_leave_nothing_of_their_libraries_behind(
    source, tmp_path, home, workspaces
):
    """In a network namespace without an interface where this user may make one; attempts from Python are seen in
    either case. What a library would report later, it first keeps in the cache or temporary folder."""
    without_network = ["unshare", "--map-root-user", "--net"]
    try:
        is_cut = subprocess.run([*without_network, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        is_cut = False
    ade = [*(without_network if is_cut else []), sys.executable, "-c", OFFLINE]
    places = ["--lake", tmp_path / "lake"]
    for arguments in (["detect", "--source", source, *places], ["report", *places, "--output", tmp_path / "page.html"]):
        done = subprocess.run([*ade, *arguments], cwd=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert n_receipts(tmp_path / "lake") == 3
    assert list(workspaces.iterdir()) == []
    assert [path.name for path in home.iterdir() if path.name not in {"config", ".prefect"}] == []
