"""Tracking and search for real, on a very small BERT: MLflow's and Optuna's own files are read back."""

import getpass
import socket
import sqlite3
from pathlib import Path

import pytest
import torch
from mlflow.tracking import MlflowClient

from adverse_events.corpus.channel import read_channel
from adverse_events.errors import PermanentServiceError, UsageError
from adverse_events.training import entry_point
from adverse_events.training.local_tuner import LocalTuner
from adverse_events.training.tracking import MlflowTracker, TrackingSettings
from adverse_events.training.tuning import Budget, SearchSpace
from tests.tiny_model import arguments, made_base, made_corpus

# transformers, MLflow and Optuna warn about their own internals; their warnings are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

FIXED = {"epochs": "2", "bf16": "false", "average_decay": "0.5"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.set_num_threads(1)
    made = tmp_path_factory.mktemp("tuning")
    corpus = made_corpus(made)
    made_base(made / "base", read_channel(corpus / "train", ("NOT_ADE", "ADE"))[0].texts)
    return made


def _space(folder, **more):
    given = {"learning_rate": (1e-4, 5e-3), "max_length": (16, 32), "batch_size": (16, 32)}
    return SearchSpace(**{**given, "model_name": (str(folder / "base"),), **more})


def _baseline(folder):
    return {"learning_rate": 1e-3, "max_length": 32, "batch_size": 16, "model_name": str(folder / "base")}


def _search(folder, name, n, **more):
    tuner = LocalTuner(folder / name, fixed=FIXED, **more)
    return tuner.search(folder / "corpus", _space(folder), _baseline(folder), Budget(trials=n, seed=3))


def test_a_run_is_kept_with_its_curves_and_without_who_and_where(folder, monkeypatch):
    """Parameters, hashes and curves are read back; neither user, host nor path is in the store."""
    monkeypatch.chdir(folder)
    settings = TrackingSettings(uri=f"sqlite:///{folder / 'runs' / 'mlflow.db'}", experiment="mine")
    metrics = entry_point.main(arguments(folder, "kept", "--epochs", "2"), tracker=MlflowTracker(settings, "first"))
    client = MlflowClient(settings.uri)
    experiment = client.get_experiment_by_name("mine")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["epochs"] == "2.0"
    assert run.data.params["sha256/train/a.csv"] == metrics["data"]["train/a.csv"]
    curve = client.get_metric_history(run.info.run_id, "validation/best_f1")
    assert [point.value for point in curve] == [point["validation/best_f1"] for point in metrics["curves"]]
    assert [item.path for item in client.list_artifacts(run.info.run_id)] == ["metrics.json"]
    assert not (folder / "mlruns").exists()
    said = _everything(folder / "runs" / "mlflow.db", ("params", "tags", "metrics"))
    # A short user name, such as root, is part of other words.
    user = getpass.getuser() if len(getpass.getuser()) > 4 else str(folder)
    for private in (socket.gethostname(), str(Path.home()), str(folder), user):
        assert private not in said


def _everything(path, tables):
    with sqlite3.connect(path) as connection:
        return str([connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables])  # noqa: S608 - ours


def test_a_run_that_fails_is_kept_as_failed(folder):
    settings = TrackingSettings(uri=f"sqlite:///{folder / 'failed.db'}")

    def _run():
        with MlflowTracker(settings, "broken") as tracker:
            tracker.start({"epochs": 1})
            msg = "stop"
            raise UsageError(msg)

    with pytest.raises(UsageError):
        _run()
    assert _everything(folder / "failed.db", ("runs",)).count("FAILED") == 1


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("file:///tmp/runs", "no store that MLflow still supports"),
        ("runs", "no store that MLflow still supports"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/x", "sagemaker-mlflow"),
    ],
)
def test_a_store_that_cannot_be_used_says_what_can(uri, message):
    with pytest.raises(UsageError, match=message):
        MlflowTracker(TrackingSettings(uri=uri), "x")


def test_a_search_starts_with_the_baseline_and_goes_on_where_it_was(folder):
    first = _search(folder, "search", 2)
    assert first.trials[0].parameters == pytest.approx(_baseline(folder))
    told = []
    more = _search(folder, "search", 4, told=told.append)
    assert [trial.number for trial in told] == [2, 3]
    assert more.trials[:2] == first.trials
    assert more.best.objective == max(trial.objective for trial in more.trials if trial.objective is not None)
    assert not list((folder / "search").glob("trial-*"))


def test_a_seed_gives_the_same_trials(folder):
    one, two = (_search(folder, name, 3) for name in ("one", "two"))
    assert [trial.parameters for trial in one.trials] == [trial.parameters for trial in two.trials]
    assert [trial.objective for trial in one.trials] == [trial.objective for trial in two.trials]


def test_a_trial_that_fails_is_kept_with_its_reason_and_the_search_goes_on(folder):
    space = _space(folder, model_name=(str(folder / "base"), "./nowhere"))
    tuner = LocalTuner(folder / "failing", fixed=FIXED)
    result = tuner.search(folder / "corpus", space, {**_baseline(folder), "model_name": "./nowhere"}, Budget(trials=4))
    assert result.baseline.state == "failed"
    assert "./nowhere is no folder" in result.baseline.reason
    assert result.best.state == "complete"


def test_a_search_in_which_everything_fails_says_why(folder):
    space = _space(folder, model_name=("./nowhere",))
    tuner = LocalTuner(folder / "hopeless", fixed=FIXED)
    with pytest.raises(PermanentServiceError, match=r"none of 2 trials ended: UsageError: \./nowhere is no folder"):
        tuner.search(folder / "corpus", space, {**_baseline(folder), "model_name": "./nowhere"}, Budget(trials=2))


def test_a_trial_never_sees_a_test_text(folder, monkeypatch):
    """The corpus holds a test channel; no argument of a trial leads to it."""
    given = []
    monkeypatch.setattr(
        "adverse_events.training.local_tuner.entry_point.main",
        lambda said, **_: (given.extend(said), {"validation": {"all": {"best_f1": 0.5}}})[1],
    )
    _search(folder, "blind", 1)
    corpus = str(folder / "corpus")
    assert {each for each in given if each.startswith(corpus)} == {f"{corpus}/train", f"{corpus}/validation"}


def test_a_baseline_outside_the_search_is_refused(folder):
    tuner = LocalTuner(folder / "outside", fixed=FIXED)
    with pytest.raises(UsageError, match="baseline's batch_size, learning_rate is outside"):
        tuner.search(
            folder / "corpus",
            _space(folder),
            {**_baseline(folder), "learning_rate": 1, "batch_size": 8},
            Budget(trials=1),
        )


@pytest.mark.parametrize("given", [{"learning_rate": (1e-3, 1e-4)}, {"learning_rate": (0, 1)}, {"batch_size": (0,)}])
def test_a_space_that_makes_no_sense_is_refused(folder, given):
    with pytest.raises(ValueError, match="must be"):
        _space(folder, **given)
