"""A real Prefect server and worker, started as `make up` starts them: runs asked for, scheduled, failing, recorded."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

CHECKOUT = Path(__file__).resolve().parents[2]
PREFECT = Path(sys.executable).with_name("prefect")

WORD = "zanzibarquokka"
"""Stands in every post and nowhere else: whatever repeats it has repeated a post."""

DRUGS = ("sertraline", "metformin", "ozempic", "ibuprofen")
SYMPTOMS = ("nausea", "a pounding headache", "dizzy spells")
N_WINDOWS, POSTS_PER_WINDOW = 3, 8


class Up:
    """A server and a worker that are running, and the folder their user calls home."""

    def __init__(self, home, api, environment):
        self.home, self.api, self.environment = home, api, environment

    def prefect(self, *arguments):
        """Run a prefect command as that user and return what it printed."""
        done = subprocess.run(
            [PREFECT, *map(str, arguments)],
            cwd=CHECKOUT,
            env={**self.environment, "PREFECT_API_URL": self.api, "NO_COLOR": "1", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def ask(self, path, **body):
        """Return what the server answers to POST `path`."""
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.api}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)

    def run(self, deployment, *arguments, **parameters):
        """Ask for a run of `deployment` and return its id."""
        given = [f"--param={name}={json.dumps(value)}" for name, value in parameters.items()]
        code, printed = self.prefect("deployment", "run", deployment, *given, *arguments)
        lines = [line for line in printed.splitlines() if "UUID:" in line]
        assert lines, f"{code}: {printed}"
        return lines[0].split()[-1]

    def end_of(self, run_id):
        """Wait until the run is over and return its state."""
        return until(
            lambda: next(
                (
                    run["state"]
                    for run in self.ask("flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})
                    if run["state"]["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
                ),
                None,
            ),
            f"the end of run {run_id}",
        )

    def logs_of(self, run_id):
        """Return the log lines the server keeps of a run."""
        of_run = {"flow_run_id": {"any_": [run_id]}}
        return [line["message"] for line in self.ask("logs/filter", logs=of_run, limit=200)]

    def wait_for_log(self, run_id, words):
        """Wait until a log line of the run holds `words`: lines reach the server a moment after the run's end."""
        until(lambda: [line for line in self.logs_of(run_id) if words in line], f"{words!r} in the log")


def until(found, what, seconds=60):
    """Ask again until there is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.3)
    return pytest.fail(f"waited {seconds} s for {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """`deployments/local/up.sh`, ended as Ctrl-C ends it."""
    home = tmp_path_factory.mktemp("home")
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ADE_", "PREFECT_", "PYTEST_"))
    } | {
        "PATH": f"{PREFECT.parent}:{os.environ['PATH']}",
        "PREFECT_HOME": str(home / "prefect"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
    }
    said = home / "up.log"
    with said.open("wb") as log:
        script = subprocess.Popen(
            ["bash", CHECKOUT / "deployments" / "local" / "up.sh"],  # noqa: S607 - any bash
            cwd=home,
            env={**environment, "ADE_UP_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    family = []
    try:
        until(lambda: "ready:" in said.read_text() or script.poll() is not None, "up.sh to be ready", 150)
        assert script.poll() is None, said.read_text()
        yield Up(home, f"http://127.0.0.1:{port}/api", environment)
        family = psutil.Process(script.pid).children(recursive=True)
        assert {"server", "worker"} <= {word for process in family for word in process.cmdline()}
    finally:
        os.killpg(script.pid, signal.SIGTERM)
        script.wait(timeout=40)
        _, left = psutil.wait_procs(family, timeout=5)
        for process in left:
            process.kill()
    assert left == []


@pytest.fixture(scope="module")
def source(up):
    """Twenty-four posts in three hours and a line that is no post."""
    posts = [
        {
            "id": str(9000 + number),
            "created_at": f"2026-03-01T{number // POSTS_PER_WINDOW:02}:{7 * number % 60:02}:00Z",
            "lang": "en",
            "text": f"{WORD}{number} {SYMPTOMS[number % 3]} since i started {DRUGS[number % 4]}, day {number}",
        }
        for number in range(N_WINDOWS * POSTS_PER_WINDOW)
    ]
    path = up.home / "posts.jsonl"
    path.write_text("\n".join([*map(json.dumps, posts), f"{{no post {WORD}"]) + "\n")
    return path


@pytest.fixture(scope="module")
def lake(up):
    return up.home / "lake"


@pytest.fixture(scope="module")
def detected(up, source, lake):
    """The id of a detect run that was asked for and watched to its end, each window a batch of its own."""
    run_id = up.run(
        "detect-adverse-events/local",
        "--watch",
        source=str(source),
        lake=str(lake),
        options={"rows_per_batch": POSTS_PER_WINDOW},
    )
    assert up.end_of(run_id)["type"] == "COMPLETED", up.logs_of(run_id)
    return run_id


def files_of(lake):
    return {path.relative_to(lake): path.read_bytes() for path in lake.rglob("*.parquet")}


def test_a_run_keeps_one_record_for_each_station_and_batch(up, detected):
    runs = up.ask("task_runs/filter", flow_runs={"id": {"any_": [detected]}})
    assert Counter(run["name"].rsplit("-", 1)[0] for run in runs) == {
        "fetch": 1,
        "screen": N_WINDOWS,
        "classify": N_WINDOWS,
        "code": N_WINDOWS,
        "write": N_WINDOWS,
        "write undated": 1,
        "report": 1,
        "catalog": 1,
    }
    assert {run["state_type"] for run in runs} == {"COMPLETED"}


def test_a_run_publishes_its_account(up, detected):
    [artifact] = up.ask("artifacts/filter", artifacts={"flow_run_id": {"any_": [detected]}})
    assert artifact["key"] == "run-account"
    assert "malformed_json" in artifact["data"] or "malformed json" in artifact["data"]
    assert WORD not in json.dumps(artifact)


def test_a_run_that_is_scheduled_starts_by_itself(up, detected, source):
    elsewhere = up.home / "scheduled"
    run_id = up.run("detect-adverse-events/local", "--start-in", "3 seconds", source=str(source), lake=str(elsewhere))
    assert up.end_of(run_id)["type"] == "COMPLETED", up.logs_of(run_id)
    assert len(list(elsewhere.glob("receipts/event_date=2026-03-01/*/receipt.parquet"))) == N_WINDOWS


def test_a_range_that_cannot_be_fails_the_run_with_the_reason(up, detected, source):
    nowhere = up.home / "nowhere"
    run_id = up.run(
        "detect-adverse-events/local",
        source=str(source),
        lake=str(nowhere),
        start="2026-03-02T00:00:00Z",
        end="2026-03-01T00:00:00Z",
    )
    state = up.end_of(run_id)
    reason = "end 2026-03-01T00:00Z is not after start 2026-03-02T00:00Z"
    assert state["type"] == "FAILED"
    assert reason in state["message"]
    up.wait_for_log(run_id, reason)
    assert not nowhere.exists()


def test_a_backfill_leaves_a_lake_that_is_up_to_date_as_it_is(up, detected, source, lake):
    before = files_of(lake)
    run_id = up.run("backfill-adverse-events/local", source=str(source), lake=str(lake))
    assert up.end_of(run_id)["type"] == "COMPLETED", up.logs_of(run_id)
    up.wait_for_log(run_id, f"0 windows to do, {N_WINDOWS} up to date")
    assert files_of(lake) == before


def test_a_flight_check_tells_whether_the_live_parts_can_be_relied_on(up):
    passed = up.run("flight-check/daily")
    failed = up.run("flight-check/daily", model_version="mine+2")
    assert up.end_of(passed)["type"] == "COMPLETED", up.logs_of(passed)
    state = up.end_of(failed)
    assert state["type"] == "FAILED"
    assert "answered, not mine+2" in state["message"]
    for run_id, verdict in ((passed, "All as it should be"), (failed, "**version**")):
        # Prefect keeps the reason of a failed run beside it, without a key.
        ours = {"flow_run_id": {"any_": [run_id]}, "key": {"any_": ["flight-check"]}}
        [artifact] = up.ask("artifacts/filter", artifacts=ours)
        assert verdict in artifact["data"]

    def told(name):
        return up.ask("events/filter", filter={"event": {"name": [f"adverse-events.flight-check.{name}"]}})["events"]

    assert until(lambda: told("passed"), "the event of a flight that passed")[0]["payload"]["findings"] == []
    (event,) = until(lambda: told("failed"), "the event of a flight that failed")
    assert event["payload"]["findings"][0]["kind"] == "version"


def test_every_deployment_is_there_and_the_hourly_one_has_its_next_runs(up):
    deployments = {f"{each['entrypoint']}/{each['name']}": each for each in up.ask("deployments/filter")}
    assert set(deployments) == {
        "flows/detect.py:detect_adverse_events/local",
        "flows/detect.py:detect_adverse_events/hourly",
        "flows/backfill.py:backfill_adverse_events/local",
        "flows/report.py:report_adverse_events/daily",
        "flows/listen.py:listen_adverse_events/local",
        "flows/comply.py:comply_with_deletions/daily",
        "flows/flight_check.py:flight_check/daily",
        "flows/monitor.py:monitor_adverse_events/daily",
    }
    hourly = deployments["flows/detect.py:detect_adverse_events/hourly"]
    [schedule] = hourly["schedules"]
    assert (schedule["active"], schedule["schedule"]["cron"], hourly["paused"]) == (True, "5 * * * *", False)
    of_hourly = {"id": {"any_": [hourly["id"]]}}
    waiting = {"state": {"type": {"any_": ["SCHEDULED"]}}}
    upcoming = until(lambda: up.ask("flow_runs/filter", deployments=of_hourly, flow_runs=waiting), "a scheduled run")
    assert {run["expected_start_time"][14:16] for run in upcoming} == {"05"}


def test_nothing_the_server_or_the_worker_keeps_repeats_a_post(up, detected, source, lake):
    """Logs, artifacts, parameters, states and events all lie in these folders."""
    kept = [path for folder in ("prefect", "state", "config") for path in (up.home / folder).rglob("*")]
    kept = [path for path in kept if path.is_file()]
    assert "prefect.db" in {path.name for path in kept}
    assert [path.name for path in kept if WORD.encode() in path.read_bytes()] == []
    assert WORD in source.read_text()
