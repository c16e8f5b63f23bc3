"""`ade models`: register, gate, promote, roll back, show, card."""

import json

import pytest
import typer

from ade.commands_models import models_app
from ade.exits import DONE, FAILED
from adverse_events.classification.model_folder import read_manifest
from adverse_events.errors import ContractError, UsageError
from tests.registered import as_bytes, evaluation, model_folder, scores


@pytest.fixture
def models(tmp_path, monkeypatch, capsys):
    """A function that runs one command on a registry and returns exit code and standard output, JSON read."""
    monkeypatch.setenv("ADE_REGISTRY__FOLDER", str(tmp_path / "models"))

    def run(*words):
        code = typer.main.get_command(models_app).main([str(word) for word in words], standalone_mode=False)
        out = capsys.readouterr().out
        return code, json.loads(out) if "--json" in words else out

    return run


@pytest.fixture
def model(tmp_path):
    """A function that writes a model of some F1 and its evaluation; returns folder, file and version."""

    def write(word, f1=0.7, **changed):
        folder = model_folder(tmp_path / word, word)
        path = tmp_path / f"{word}.json"
        path.write_bytes(as_bytes(evaluation(folder, {"tweets": scores(f1)}, **changed)))
        return folder, path, read_manifest(folder).version

    return write


def test_a_candidate_becomes_champion_a_worse_one_does_not_and_the_reasons_are_printed(models, model):
    good, good_scores, first = model("good")
    bad, bad_scores, second = model("bad", 0.4)
    assert models("register", good, "--evaluation", good_scores)[0] == DONE
    code, out = models("promote")
    assert code == DONE
    assert f"{first} is the champion" in out

    models("register", bad, "--evaluation", bad_scores)
    code, out = models("gate")
    assert code == FAILED
    assert "worse beyond noise" in out
    assert "at most the bar of 0.05" in out, "checks that passed are told too"
    assert f"{second} against {first}: REFUSED by 2 checks" in out
    assert models("promote")[0] == FAILED
    code, listed = models("list", "--json")
    assert [(each["version"], each["aliases"]) for each in listed] == [(first, ["champion"]), (second, ["candidate"])]


def test_a_forced_promotion_is_kept_with_its_reason_and_can_be_rolled_back(models, model):
    good, good_scores, first = model("good")
    bad, bad_scores, second = model("bad", 0.4)
    models("register", good, "--evaluation", good_scores)
    models("promote", first)
    models("register", bad, "--evaluation", bad_scores)
    with pytest.raises(UsageError, match="needs a reason"):
        models("promote", "--force", " ")
    code, told = models("promote", "candidate", "--force", "the other one leaks", "--json")
    assert (code, told["promoted"], told["verdict"]) == (DONE, True, None)
    _, shown = models("show", "champion", "--json")
    assert shown["version"] == second
    assert shown["history"][-1]["reason"] == "forced: the other one leaks"
    assert models("rollback", "--json") == (DONE, {"champion": first})
    assert "rolled_back champion" in models("show")[1]


def test_the_verdict_is_json_for_programs(models, model):
    good, good_scores, version = model("good")
    models("register", good, "--evaluation", good_scores)
    code, verdict = models("gate", version, "--json")
    assert (code, verdict["passed"], verdict["champion"]) == (DONE, True, None)
    assert {"check", "source", "candidate", "champion", "passed", "text"} == set(verdict["reasons"][0])


def test_bars_are_settings(models, model):
    good, good_scores, _ = model("good")
    models("register", good, "--evaluation", good_scores)
    code, out = models("gate", "--set", 'registry.gate.f1_bars={"tweets": 0.75}')
    assert code == FAILED
    assert "below the bar of 0.75" in out


def test_a_card_is_written_checked_and_refused_once_edited(models, model, tmp_path):
    good, good_scores, version = model("good")
    card, notes = tmp_path / "card.md", tmp_path / "notes.md"
    notes.write_text("Nothing moved it.\n")
    given = ("card", good, "--evaluation", good_scores, "--notes", notes)
    assert models(*given, "--output", card)[0] == DONE
    assert card.read_text() == models(*given)[1]
    assert models(*given, "--output", card, "--check")[0] == DONE
    models("register", good, "--evaluation", good_scores)
    assert models("card", version, "--notes", notes)[1] == card.read_text()
    card.write_text(card.read_text().replace("Nothing moved it", "Everything moved it"))
    with pytest.raises(ContractError, match="edited by hand"):
        models(*given, "--output", card, "--check")


def test_an_empty_registry_says_what_to_type(models):
    assert models("list", "--json") == (DONE, [])
    with pytest.raises(UsageError, match="ade models register"):
        models("gate")
    with pytest.raises(UsageError, match="ade models promote"):
        models("show")


def test_every_flag_says_what_it_is_for():
    commands = typer.main.get_command(models_app).commands
    assert set(commands) == {"list", "register", "gate", "promote", "rollback", "show", "card"}
    assert [(name, p.name) for name, command in commands.items() for p in command.params if not p.help] == []
    assert all(command.help for command in commands.values())
