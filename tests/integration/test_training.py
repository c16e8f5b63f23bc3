"""Training, export and release for real, on a very small BERT made here."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ade.texts import classify
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.corpus.channel import read_channel
from adverse_events.corpus.keys import text_key
from adverse_events.errors import ContractError, UsageError
from adverse_events.evaluation.capabilities import load
from adverse_events.serving.facts import ModelFacts
from adverse_events.serving.payload import decode_card, encode_card
from adverse_events.training import entry_point
from adverse_events.training.checkpoint import open_model, open_tokenizer
from adverse_events.training.metrics import METRIC_DEFINITIONS
from adverse_events.training.options import parse
from adverse_events.training.predicting import predict, softmax
from adverse_events.training.release import release
from adverse_events.training.run import data_of, has_bf16, resumable
from adverse_events.training.texts import teachers_of
from tests.tiny_model import DRUGS, OTHERS, QUESTIONS, REACTIONS, arguments, made_base, made_corpus

# transformers and torch warn about their own internals; their warnings are not ours to mend.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("one_thread")]

TEXTS = [f"{drug} {text}" for drug in DRUGS for text in (*REACTIONS, *OTHERS)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("training")
    corpus = made_corpus(made)
    made_base(made / "base", read_channel(corpus / "train", ("NOT_ADE", "ADE"))[0].texts)
    return made


def _train(folder, name, *more, **hooks):
    return entry_point.main(arguments(folder, name, *more), **hooks)


def _weights(folder):
    return load_file(folder / "model.safetensors")


def test_a_corpus_becomes_a_model_folder_that_serves(folder):
    """Train, calibrate, export, choose the threshold, score, and serve: int8 decides as the checkpoint does."""
    metrics = _train(folder, "model")
    assert metrics["validation"]["a"]["best_f1"] > 0.9
    manifest = release(
        folder / "model",
        folder / "released",
        name="tiny",
        corpus=folder / "corpus",
        test={"a": folder / "corpus" / "validation" / "a.csv"},
    )
    assert manifest.scores["agreement_with_float32"]["all"] == 1
    assert manifest.scores["test"]["a"] == manifest.scores["validation"]["a"]
    assert json.loads((folder / "released" / "model.json").read_text())["data"] == manifest.data
    assert manifest.recipe["model_name"].startswith("sha256:")
    assert str(folder) not in (folder / "released" / "model.json").read_text()

    reference = predict(
        open_model(str(folder / "model"), manifest.labels, max_length=32, dropout=0.1),
        open_tokenizer(str(folder / "model")),
        TEXTS,
        32,
    )
    calibrated = softmax(reference / manifest.temperature)[:, -1]
    for arithmetic, tolerance in (("float32", 0.02), ("int8", 0.05)):
        served = EmbeddedClassifier(folder / "released", arithmetic=arithmetic).probabilities(TEXTS)[:, -1]
        np.testing.assert_allclose(served, calibrated, atol=tolerance)


def test_three_classes_go_all_the_way(tmp_path):
    """Three classes are trained, get a limit each, and are served in the order that was asked for."""
    labels = ("NOT_ADE", "QUESTION", "ADE")
    corpus = made_corpus(tmp_path, labels)
    made_base(tmp_path / "base", read_channel(corpus / "train", labels)[0].texts)
    metrics = _train(tmp_path, "model", "--labels", ",".join(labels))
    assert metrics["validation"]["a"]["macro_f1"] > 0.9
    manifest = release(tmp_path / "model", tmp_path / "released", name="three", corpus=corpus)
    assert manifest.labels == labels
    assert manifest.thresholds.keys() == set(labels)
    served = EmbeddedClassifier(tmp_path / "released").probabilities(
        [f"metformin {text}" for text in (OTHERS[0], QUESTIONS[0], REACTIONS[0])]
    )
    assert served.argmax(axis=1).tolist() == [0, 1, 2]
    posts = tmp_path / "posts.csv"
    posts.write_text("text\n" + "".join(f"metformin {text}\n" for text in (OTHERS[0], QUESTIONS[0], REACTIONS[0])))
    overrides = {"classifier.model": str(tmp_path / "released")}
    assert classify(posts, "text", tmp_path / "scores.jsonl", overrides, strict=False, as_json=True) == 0
    lines = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [line["label"] for line in lines] == list(labels)
    assert all(line["probabilities"].keys() == set(labels) for line in lines)
    card = ModelFacts.read(tmp_path / "released").card
    assert dict(decode_card(encode_card(card)).thresholds) == manifest.thresholds


def test_one_seed_gives_one_model(folder):
    scores = [_train(folder, name, "--epochs", "1", "--seed", "5", "--average-decay", "0.9") for name in ("one", "two")]
    assert scores[0] == scores[1]
    one, two = _weights(folder / "one"), _weights(folder / "two")
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())


def test_a_run_killed_half_way_goes_on_and_ends_the_same(folder):
    """SIGKILL between two checkpoints; run again, the model is the one of an undisturbed run."""
    more = ("--epochs", "3", "--save-steps", "3", "--average-decay", "0.9", "--dropout", "0.2")
    whole = _train(folder, "whole", *more)
    command = [sys.executable, "-m", "adverse_events.training.entry_point", *arguments(folder, "cut", *more)]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_slowed())
    checkpoints = folder / "cut-checkpoints"
    while not list(checkpoints.glob("checkpoint-*/trainer_state.json")):
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (folder / "cut").exists()
    cut = _train(folder, "cut", *more)
    assert cut["validation"] == whole["validation"]
    resumed, undisturbed = _weights(folder / "cut"), _weights(folder / "whole")
    assert all(torch.allclose(tensor, undisturbed[name], atol=1e-6) for name, tensor in resumed.items())
    assert not checkpoints.exists()


def test_a_checkpoint_cut_short_is_passed_over(tmp_path):
    """Everything but its mark is there: the average of the weights would be missing."""
    run = {"recipe": "one"}
    assert resumable(tmp_path, run) is None
    for step in (3, 6):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-3" / "complete").touch()
    assert resumable(tmp_path, run) == tmp_path / "checkpoint-3"
    assert not (tmp_path / "checkpoint-6").exists()


def _slowed():
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def test_checkpoints_of_another_run_are_not_gone_on_from(folder):
    checkpoints = folder / "other-checkpoints"
    (checkpoints / "checkpoint-3").mkdir(parents=True)
    (checkpoints / "run.json").write_text('{"run": "another"}')
    with pytest.raises(UsageError, match="holds checkpoints of a run with other texts or arguments"):
        _train(folder, "other")


def test_it_runs_as_a_sagemaker_job_runs_it(folder, tmp_path):
    """Only SM_* variables, and arguments as a job passes them; the declared expressions find the metrics."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(entry_point.__file__).parents[2]),
        "SM_CHANNEL_TRAIN": str(folder / "corpus" / "train"),
        "SM_CHANNEL_VALIDATION": str(folder / "corpus" / "validation"),
        "SM_MODEL_DIR": str(tmp_path / "model"),
        "SM_OUTPUT_DATA_DIR": str(tmp_path / "output"),
        "SM_CHECKPOINT_DIR": str(tmp_path / "checkpoints"),
        "OMP_NUM_THREADS": "1",
    }
    given = ["--model-name", str(folder / "base"), "--epochs", "1", "--max-length", "32", "--bf16", "false"]
    done = subprocess.run(
        [sys.executable, "-m", "adverse_events.training.entry_point", *given],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {
        each["Name"]: [float(value) for line in done.stdout.splitlines() for value in re.findall(each["Regex"], line)]
        for each in METRIC_DEFINITIONS
    }
    metrics = json.loads((tmp_path / "output" / "metrics.json").read_text())
    assert found["validation:f1"] == [round(metrics["validation"]["all"]["f1"], 4)]
    assert len(found["train:loss"]) == 1
    assert (tmp_path / "model" / "tokenizer.json").is_file()
    assert json.loads((tmp_path / "model" / "config.json").read_text())["id2label"] == {
        "0": "NOT_ADE",
        "1": "ADE",
    }


class _Recorded:
    """A tracker that remembers."""

    def __init__(self):
        self.parameters, self.points, self.artifacts = {}, [], []

    def start(self, parameters):
        self.parameters = dict(parameters)

    def log(self, metrics, step):
        self.points.append((step, dict(metrics)))

    def finish(self, artifacts):
        self.artifacts = list(artifacts)


def test_a_tracker_hears_of_recipe_curves_and_files(folder):
    tracker = _Recorded()
    metrics = _train(folder, "tracked", "--epochs", "2", tracker=tracker)
    assert tracker.parameters["epochs"] == 2
    assert len(tracker.parameters["sha256/train/a.csv"]) == 64
    assert [step for step, _ in tracker.points] == [point["step"] for point in metrics["curves"]]
    assert tracker.artifacts == [folder / "tracked" / "metrics.json"]


def test_training_stops_early_and_keeps_the_best_epoch(folder):
    metrics = _train(folder, "early", "--epochs", "40", "--patience", "2", "--average-decay", "0.5")
    f1s = [point["validation/best_f1"] for point in metrics["curves"]]
    assert len(f1s) == int(np.argmax(f1s)) + 3 < 40
    assert metrics["validation"]["all"]["best_f1"] == max(f1s)


def test_teachers_are_learnt_from_where_labels_are_silent(folder, tmp_path):
    """Texts without a label take the teachers' word, even where the labels of the channel say the opposite."""
    texts = [f"{drug} {text} now" for drug in DRUGS for text in (*REACTIONS, *OTHERS)]
    logits = np.array(
        [[2.0, -2.0] if text in REACTIONS else [-2.0, 2.0] for _ in DRUGS for text in (*REACTIONS, *OTHERS)]
    )
    np.savez(
        tmp_path / "scores.npz",
        keys=np.array([int(text_key(text), 16) for text in texts], np.uint64),
        logits=logits.astype(np.float16),
    )
    extra = "text,label\n" + "".join(f"{text},\n" for text in texts * 8)
    (tmp_path / "extra.csv").write_text(extra)
    given = (
        "--teacher-scores",
        tmp_path / "scores.npz",
        "--extra-texts",
        tmp_path / "extra.csv",
        "--source-weights",
        "a=0.05",
    )
    metrics = _train(folder, "taught", *given)
    assert metrics["taught"] == len(texts) * 8
    assert metrics["data"].keys() >= {"teacher_scores/1", "extra_texts"}
    assert metrics["validation"]["a"]["average_precision"] < 0.5


@pytest.mark.parametrize("has", [False, True])
def test_bfloat16_is_taken_only_where_the_processor_has_it(monkeypatch, has):
    """That kernels for it run says nothing: without the instructions they take three times as long as float32."""
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: has)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert has_bf16() == has


def test_several_teachers_are_heard_together(tmp_path):
    """The mean of those that have a text; none where none has."""
    for name, known in (("one", {"a": 3.0, "b": 1.0}), ("two", {"a": 1.0})):
        keys = np.array([int(text_key(text), 16) for text in known], np.uint64)
        logits = np.array([[0.0, value] for value in known.values()], np.float16)
        np.savez(tmp_path / f"{name}.npz", keys=keys, logits=logits)
    said = teachers_of(["b", "a", "c"], [tmp_path / "one.npz", tmp_path / "two.npz"], 2)
    odds = said[:, 1] - said[:, 0]
    np.testing.assert_allclose(odds, [1.0, 2.0, np.nan], atol=1e-3)
    np.testing.assert_allclose(np.exp(said[:2]).sum(axis=1), 1, atol=1e-6)


def test_teachers_of_one_name_are_told_apart(folder, tmp_path):
    """Every cross-validation calls its file scores.npz; a change of either makes it another run."""
    paths = [tmp_path / name / "scores.npz" for name in ("one", "two")]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        path.write_bytes(bytes([number]))
    given = arguments(folder, "unused", "--teacher-scores", ",".join(map(str, paths)))
    data = data_of(parse(given, {}))
    assert len({data["teacher_scores/1"], data["teacher_scores/2"]}) == 2


def test_capability_cases_are_never_trained_on(folder, tmp_path):
    case = load()[0]
    (tmp_path / "extra.csv").write_text(f'text,label\nfine,ADE\n"  {case.text.upper()} ",{case.label}\n')
    with pytest.raises(ContractError, match=r"extra:3: capability cases"):
        _train(folder, "cheating", "--extra-texts", tmp_path / "extra.csv")


def test_a_changed_text_is_trained_on_the_same_in_every_run(folder):
    seen = []

    def shout(text, rng):
        seen.append(rng.random())
        return text.upper() if seen[-1] < 0.5 else text

    _train(folder, "changed", "--epochs", "1", augment=shout)
    first, seen = list(seen), []
    _train(folder, "changed", "--epochs", "1", augment=lambda text, rng: (seen.append(rng.random()), text)[1])
    assert first == seen
    assert random.Random("13:0:0").random() in first  # noqa: S311 - not a secret


def test_a_loss_that_is_no_number_stops_and_names_the_batch(folder, tmp_path):
    weights = _weights(folder / "base")
    weights["pooler.dense.bias"][0] = float("nan")
    broken = tmp_path / "base"
    broken.mkdir()
    for path in (folder / "base").iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        ContractError, match=r"loss is not a number at step 1, .*the batch holds \{'a': 16\}, rows a:\d+"
    ):
        _train(folder, "never", "--model-name", broken)
    assert not (folder / "never").exists()


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        (("--source-weights", "b=3"), UsageError, "names b; the sources are a"),
        (("--max-length", "64"), UsageError, "beyond .* 40 positions"),
        (("--model-name", "./nowhere"), UsageError, "is no folder"),
        (("--train", "nowhere"), UsageError, "holds no CSV file"),
        (("--labels", "LOW,HIGH"), ContractError, "outside the mapping"),
        (("--teacher-scores", "nowhere.npz"), UsageError, "does not exist"),
        (("--extra-texts", "nowhere.csv"), UsageError, "does not exist"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_training(folder, more, error, message):
    with pytest.raises(error, match=message):
        _train(folder, "never", *more)


@pytest.mark.parametrize(
    "more",
    [
        ("--epochs", "0"),
        ("--learning-rate", "fast"),
        ("--batch-size", "1.5"),
        ("--dropout", "1"),
        ("--labels", "ONE"),
        ("--source-weights", "a"),
        ("--bf16", "maybe"),
        ("--learning-rte", "1"),
    ],
)
def test_an_argument_out_of_range_is_named(folder, more, capsys):
    with pytest.raises(SystemExit):
        _train(folder, "never", *more)
    assert more[0] in capsys.readouterr().err


def _changed(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"model_type": "vit"}, UsageError, "no checkpoint that a text classifier can start from"),
        ({"model_type": "unheard-of"}, UsageError, "no config.json that transformers knows|of a kind"),
        (
            {
                "architectures": ["BertForSequenceClassification"],
                "id2label": {"0": "A", "1": "B", "2": "C"},
                "label2id": {"A": 0, "B": 1, "C": 2},
            },
            ContractError,
            "was trained for 3 classes, not 2",
        ),
    ],
)
def test_a_checkpoint_of_another_kind_is_refused(folder, tmp_path, values, error, message):
    for path in (folder / "base").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    _changed(tmp_path, **values)
    with pytest.raises(error, match=message):
        open_model(str(tmp_path), ("NOT_ADE", "ADE"), max_length=32, dropout=0.1)


def test_a_checkpoint_without_tokenizer_is_refused(folder, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / "base" / name).read_bytes())
    with pytest.raises(UsageError, match="tokenizer"):
        open_tokenizer(str(tmp_path))


def test_what_nobody_trained_is_not_released(folder, tmp_path):
    with pytest.raises(UsageError, match=r"holds no metrics\.json"):
        release(tmp_path, tmp_path / "out", name="x", corpus=folder / "corpus")
