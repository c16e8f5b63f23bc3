"""The model registry: whole versions, aliases with a history, kills and other processes."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from adverse_events import assembly
from adverse_events.classification.model_folder import MANIFEST, read_manifest, starter_model
from adverse_events.errors import ContractError, UsageError
from adverse_events.registry.store import CANDIDATE, CHAMPION, ModelRegistry
from adverse_events.settings import load_settings
from tests.registered import DATA, as_bytes, evaluation, model_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def registry(tmp_path):
    return ModelRegistry(tmp_path / "models")


@pytest.fixture
def versions(registry, tmp_path):
    """Three registered versions, oldest first."""
    return [registry.register(model_folder(tmp_path / word, word)).version for word in ("one", "two", "three")]


def test_a_registered_model_is_a_whole_copy_and_nothing_else(registry, tmp_path):
    folder = model_folder(tmp_path / "mine")
    (folder / "notes.txt").write_text("not the model's")
    held = registry.register(folder)
    assert held.version == read_manifest(folder).version
    assert held.folder == tmp_path / "models" / "invented" / held.version
    assert sorted(path.name for path in held.folder.iterdir()) == [MANIFEST, "model.onnx", "weights.bin"]
    assert held.manifest() == read_manifest(folder)
    assert list(registry.folder.glob(".staging*")) == []


def test_the_same_content_again_changes_nothing(registry, tmp_path):
    folder = model_folder(tmp_path / "mine")
    first = registry.register(folder)
    assert registry.register(model_folder(tmp_path / "elsewhere")) == first
    assert len(registry.history()) == len(registry.versions()) == 1


def test_other_content_under_the_same_version_is_refused(registry, tmp_path):
    """The version hashes the files; a decision limit is not in it."""
    registry.register(model_folder(tmp_path / "mine"))
    with pytest.raises(ContractError, match=r"another model\.json is registered under this version"):
        registry.register(model_folder(tmp_path / "other", ade_threshold=0.4))
    assert registry.versions()[0].manifest().ade_threshold == 0.5


def test_a_corrupt_model_never_comes_in(registry, tmp_path):
    folder = model_folder(tmp_path / "mine")
    (folder / "weights.bin").write_bytes(b"bent")
    with pytest.raises(ContractError, match="sha256"):
        registry.register(folder)
    assert registry.versions() == []


@pytest.mark.parametrize("name", ["../outside", ".locks", "a/b", "a+b", ""])
def test_a_name_that_leaves_the_folder_is_refused(registry, tmp_path, name):
    with pytest.raises(UsageError, match="cannot be a folder's"):
        registry.register(model_folder(tmp_path / "mine", name=name))


def test_a_file_that_leaves_the_folder_is_refused(registry, tmp_path):
    (tmp_path / "secret").write_bytes(b"graph")
    digest = read_manifest(model_folder(tmp_path / "other")).sha256["model.onnx"]
    with pytest.raises(ContractError, match="is no name of a file"):
        registry.register(model_folder(tmp_path / "mine", sha256={"../secret": digest}))


def test_an_evaluation_is_kept_by_its_data_and_replaced_on_the_same(registry, tmp_path):
    folder = model_folder(tmp_path / "mine")
    registry.register(folder, as_bytes(evaluation(folder)))
    other = {"path": "b.csv", "sha256": "ef" * 32, "n_rows": 5}
    registry.register(folder, as_bytes(evaluation(folder, data=other)))
    again = registry.register(folder, as_bytes(evaluation(folder, capabilities=None)))
    assert sorted(each.data.sha256 for each in again.read_evaluations()) == sorted([DATA, other["sha256"]])
    assert next(each for each in again.read_evaluations() if each.data.sha256 == DATA).capabilities is None


def test_an_evaluation_of_another_model_is_refused_and_the_model_stays_out(registry, tmp_path):
    folder, other = model_folder(tmp_path / "mine"), model_folder(tmp_path / "other", "other")
    with pytest.raises(ContractError, match="evaluate the model itself"):
        registry.register(folder, as_bytes(evaluation(other)))
    with pytest.raises(ContractError, match=r"sources.tweets.f1.*less than or equal to 1"):
        registry.register(folder, as_bytes(evaluation(folder, {"tweets": {"n": 1, "n_positive": 1, "f1": 1.5}})))
    assert registry.versions() == []


def test_versions_come_oldest_first(registry, versions):
    assert [each.version for each in registry.versions()] == versions


def test_aliases_move_and_the_history_says_from_where_and_why(registry, versions):
    one, two, _ = versions
    registry.set_alias(CHAMPION, one, "first")
    registry.set_alias(CHAMPION, two, "better")
    registry.set_alias(CHAMPION, two, "once more")
    moves = [(e.before, e.after, e.reason) for e in registry.history() if e.alias == CHAMPION]
    assert moves == [(None, one, "first"), (one, two, "better")]
    assert registry.alias(CHAMPION).version == two
    assert registry.alias(CANDIDATE) is None


def test_rolling_back_twice_goes_two_versions_back(registry, versions):
    one, two, three = versions
    for version in versions:
        registry.set_alias(CHAMPION, version)
    assert registry.rollback("worse on call notes").version == two
    assert registry.rollback().version == one
    with pytest.raises(UsageError, match="no champion before"):
        registry.rollback()
    registry.set_alias(CHAMPION, three)
    assert registry.rollback().version == one


def test_an_alias_that_moved_meanwhile_is_not_overwritten(registry, versions):
    one, two, three = versions
    registry.set_alias(CHAMPION, one, expected=None)
    registry.set_alias(CHAMPION, two, expected=one)
    with pytest.raises(UsageError, match="by now, no longer"):
        registry.set_alias(CHAMPION, three, expected=one)
    assert registry.alias(CHAMPION).version == two


def test_a_reference_means_the_registry_and_a_path_means_itself(registry, versions, tmp_path):
    registry.set_alias(CHAMPION, versions[1])
    assert registry.resolve("champion") == registry.resolve(Path(versions[1])) == registry.find(versions[1]).folder
    assert registry.resolve(tmp_path / "champion") == tmp_path / "champion"
    with pytest.raises(UsageError, match="no model is the candidate"):
        registry.resolve("candidate")
    with pytest.raises(UsageError, match="is not registered"):
        registry.resolve("invented+000000000000")


def test_a_registry_that_is_not_there_is_empty_and_is_not_made(registry):
    assert (registry.versions(), registry.alias(CHAMPION), registry.history()) == ([], None, [])
    with pytest.raises(UsageError, match="nothing to go back to"):
        registry.rollback()
    with pytest.raises(UsageError):
        registry.set_alias(CHAMPION, "invented+000000000000")
    assert not registry.folder.exists()


def test_an_edited_history_is_refused_with_its_line(registry, versions):
    path = registry.folder / "history.jsonl"
    path.write_text(path.read_text().replace('"event":"registered"', '"event":"came"', 1))
    with pytest.raises(ContractError, match=r"\(rows 1\)"):
        registry.alias(CHAMPION)


KILLED = """
import os, sys
from pathlib import Path
from adverse_events.registry import history, incoming, store
def die(*_, **__): os._exit(9)
place, name = {"copying": (incoming.shutil, "copyfile"), "whole": (store, "sync"), "renamed": (history, "append")}[
    sys.argv[1]
]
if sys.argv[1] == "copying":
    real = incoming.shutil.copyfile
    def half(source, target):
        if target.name == "weights.bin":
            target.write_bytes(b"fir"), die()
        real(source, target)
    place.copyfile = half
else:
    setattr(place, name, die)
store.ModelRegistry(Path(sys.argv[2])).register(Path(sys.argv[3]), alias="candidate")
"""


@pytest.mark.parametrize(("where", "is_in"), [("copying", False), ("whole", True), ("renamed", True)])
def test_a_kill_half_way_leaves_the_model_whole_or_out_and_the_registry_usable(registry, tmp_path, where, is_in):
    folder = model_folder(tmp_path / "mine")
    before = registry.register(model_folder(tmp_path / "before", "before"), alias=CANDIDATE).version
    command = [sys.executable, "-c", KILLED, where, registry.folder, folder]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 9
    there = [each.version for each in registry.versions()]
    assert there == [before, read_manifest(folder).version][: 1 + is_in]
    assert registry.alias(CANDIDATE).version == before
    after = registry.register(folder, alias=CANDIDATE)
    assert after.registered_at is not None
    assert registry.alias(CANDIDATE) == after
    assert after.manifest() == read_manifest(folder)
    assert [path.name for path in registry.folder.glob(".staging*")] == []


AT_ONCE = """
import sys
from pathlib import Path
from adverse_events.registry.store import ModelRegistry
registry = ModelRegistry(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for folder in sys.argv[2:]:
    registry.register(Path(folder), alias="candidate")
"""


def test_processes_that_register_at_once_lose_nothing_and_do_nothing_twice(registry, tmp_path):
    shared = [str(model_folder(tmp_path / f"shared{n}", f"shared{n}")) for n in range(5)]
    own = [[str(model_folder(tmp_path / f"own{p}{n}", f"own{p}{n}")) for n in range(5)] for p in range(2)]
    commands = [[sys.executable, "-c", AT_ONCE, str(registry.folder), *shared, *mine] for mine in own]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    assert [process.communicate("go\n")[0] for process in processes] == ["", ""]
    assert [process.returncode for process in processes] == [0, 0]
    expected = {read_manifest(Path(folder)).version for folder in (*shared, *own[0], *own[1])}
    registered = [event.after for event in registry.history() if event.event == "registered"]
    assert sorted(registered) == sorted(expected) == sorted(each.version for each in registry.versions())
    moves = [event for event in registry.history() if event.event == "moved"]
    assert all(later.before == earlier.after for earlier, later in pairwise(moves))


def test_the_classifier_setting_takes_an_alias_and_a_run_keeps_what_it_meant(registry, tmp_path):
    one, two = (registry.register(model_folder(tmp_path / word, word)).version for word in ("one", "two"))
    registry.set_alias(CHAMPION, one)
    settings = load_settings({"classifier.model": "champion", "registry.folder": registry.folder})
    fixed = assembly.with_model_fixed(settings)
    registry.set_alias(CHAMPION, two)
    assert assembly.model_folder(settings).name == two
    assert assembly.model_folder(fixed).name == one
    assert assembly.with_model_fixed(fixed) is fixed
    assert assembly.model_folder(load_settings()) == starter_model()


def test_a_run_with_an_alias_that_points_nowhere_says_what_to_type(tmp_path):
    settings = load_settings({"classifier.model": "champion", "registry.folder": tmp_path / "none"})
    with pytest.raises(UsageError, match="ade models promote"):
        assembly.classifier_for(settings)


def test_an_alias_is_no_matter_where_an_endpoint_classifies():
    settings = load_settings({"classifier.model": "champion", "endpoint.name": "ade"})
    assert assembly.with_model_fixed(settings) is settings


def test_the_history_is_one_json_object_a_line_and_names_nobody(registry, versions):
    lines = [json.loads(line) for line in (registry.folder / "history.jsonl").read_text().splitlines()]
    assert {tuple(line) for line in lines} == {("at", "event", "alias", "before", "after", "reason")}
