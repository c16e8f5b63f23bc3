"""`ade local-aws`: a place to rehearse settings, by hand and by other programs."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from ade.rehearsal import exports


@pytest.fixture
def served(tmp_path):
    """The variables of a running `ade local-aws`, which must end calmly and take its file away."""
    file = tmp_path / "local.env"
    command = [sys.executable, "-m", "ade", "local-aws", "--file", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as running:
        deadline = time.monotonic() + 90
        while not (file.exists() and file.read_text()) and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        yield dict(line.removeprefix("export ").split("=", 1) for line in file.read_text().splitlines())
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate(timeout=60)
    assert (running.returncode, complaint) == (0, "")
    assert not file.exists()


def test_the_variables_it_writes_lead_a_program_to_every_part(served, tmp_path):
    environment = {**os.environ, **{name: "".join(shlex.split(value)) for name, value in served.items()}}
    done = subprocess.run(
        [sys.executable, "-m", "ade", "doctor", "--json"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    result = json.loads(done.stdout)
    assert (done.returncode, result["ok"]) == (0, True), result
    names = {finding["name"] for finding in result["findings"]}
    assert {"credentials", "lake bucket", "endpoint", "Comprehend Medical", "Glue database", "Athena query"} <= names


def test_values_are_quoted_for_the_shell():
    lines = exports({"AWS_REGION": "eu west; rm -rf"}, {"lake.path": "s3://b/l", "catalog.poll_seconds": 0.1})
    assert lines.splitlines() == [
        "export AWS_REGION='eu west; rm -rf'",
        "export ADE_LAKE__PATH=s3://b/l",
        "export ADE_CATALOG__POLL_SECONDS=0.1",
    ]
