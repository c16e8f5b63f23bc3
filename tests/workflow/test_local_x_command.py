"""`ade local-x`: a place to rehearse searches, by hand and by other programs."""

import json
import shlex
import signal
import subprocess
import sys
import time

import pytest

from ade.__main__ import run


@pytest.fixture
def served(tmp_path):
    """The variables of a running `ade local-x`, which must end calmly and take its file away."""
    file = tmp_path / "local.env"
    command = [sys.executable, "-m", "ade", "local-x", "--file", str(file), "--posts", "300", "--limits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as running:
        deadline = time.monotonic() + 90
        while not (file.exists() and file.read_text()) and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        yield dict(line.removeprefix("export ").split("=", 1) for line in file.read_text().splitlines())
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate(timeout=60)
    assert (running.returncode, complaint) == (0, "")
    assert not file.exists()


def test_the_variables_it_writes_lead_a_command_there(served, monkeypatch, capsys):
    for name, value in served.items():
        monkeypatch.setenv(name, "".join(shlex.split(value)))
    assert run(["estimate", "--start", "2026-03-02", "--end", "2026-03-09", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_posts"] > 150
