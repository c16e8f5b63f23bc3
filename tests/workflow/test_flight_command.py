"""`ade flight-check`, as people and schedulers meet it."""

import json

from ade.__main__ import run


def test_it_passes_is_recorded_and_holds_the_next_one_against_it(tmp_path, capsys):
    recorded = tmp_path / "new" / "flight.json"
    assert run(["flight-check", "--record", str(recorded)]) == 0
    assert "all as it should be" in capsys.readouterr().out
    assert run(["flight-check", "--baseline", str(recorded), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["findings"], len(said["answers"])) == (True, [], 20)


def test_it_fails_with_every_reason_and_records_nothing(tmp_path, capsys):
    recorded = tmp_path / "flight.json"
    limits = ["--set", "flight.longest_code_s=0.0000001", "--set", "classifier.ade_threshold=0"]
    assert run(["flight-check", "--model-version", "mine+2", *limits, "--record", str(recorded)]) == 1
    printed = capsys.readouterr().out
    assert all(reason in printed for reason in ("version:", "latency:", "answers:", "failed"))
    assert not recorded.exists()
    assert run(["flight-check", *limits, "--json"]) == 1
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)["findings"]] == ["answers", "latency"]


def test_careless_use_is_told_what_to_do(tmp_path, capsys):
    assert run(["flight-check", "--baseline", str(tmp_path / "absent.json")]) == 2
    assert "ade flight-check --record" in capsys.readouterr().err
    assert run(["flight-check", "--record", "-"]) == 2
    assert "--json prints the flight" in capsys.readouterr().err
    assert run(["flight-check", "--set", "flight.least_right=2"]) == 2
