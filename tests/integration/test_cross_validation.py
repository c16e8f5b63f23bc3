"""Cross-validation by document: nothing is scored by a model that has seen its document."""

import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from ade.app import app
from adverse_events.corpus.keys import text_key
from adverse_events.corpus.prepare import prepare
from adverse_events.corpus.source import CorpusSource
from adverse_events.errors import UsageError
from adverse_events.training import crossfit
from adverse_events.training.crossfit import cross_validate
from adverse_events.training.entry_point import main as train
from tests.tiny_model import DRUGS, OTHERS, REACTIONS, arguments, made_base

# transformers and torch warn about their own internals; their warnings are not ours to mend.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("one_thread")]

N_DOCUMENTS = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus of documents of four sentences, and an untrained checkpoint."""
    made = tmp_path_factory.mktemp("crossfit")
    rows = [
        (f"{DRUGS[n % 5]} {text} number {n}", label, f"review {n}")
        for n in range(N_DOCUMENTS)
        for texts, label in ((REACTIONS, "ADE"), (OTHERS, "NOT_ADE"))
        for text in (texts[n % 5], texts[(n + 1) % 5])
    ]
    pd.DataFrame(rows, columns=["text", "label", "review"]).to_csv(made / "a.csv", index=False)
    source = CorpusSource.of(str(made / "a.csv"), group_column="review")
    prepare([source], made / "corpus", near_duplicate=1.0)
    made_base(made / "base", [text for text, _, _ in rows])
    return made


def _arguments(folder, epochs=12):
    given = arguments(folder, "unused")
    return [*given[given.index("--model-name") :], "--epochs", str(epochs)]


def test_every_text_is_scored_by_a_model_that_has_not_seen_its_document(folder, monkeypatch):
    seen = []

    def watched(given):
        channel = folder / "crossed" / f"fold-{len(seen)}" / "train" / "a.csv"
        seen.append(pd.read_csv(channel, lineterminator="\n"))
        return train(given)

    monkeypatch.setattr(crossfit.entry_point, "main", watched)
    trained = pd.read_csv(folder / "corpus" / "train" / "a.csv", lineterminator="\n")
    document = dict(zip(trained["text"], trained["group"], strict=True))
    result = cross_validate(folder / "corpus", folder / "crossed", _arguments(folder), folds=3)
    assert len(seen) == 3
    held = [set(trained["text"]) - set(each["text"]) for each in seen]
    assert sum(map(len, held)) == len(trained) == len(set.union(*held))
    for texts, others in zip(held, seen, strict=True):
        assert not {document[text] for text in texts} & {document[text] for text in others["text"]}
    assert result["scores"]["a"]["best_f1"] > 0.9
    low, high = result["intervals"]["a"]["f1"]
    assert low <= result["scores"]["a"]["f1"] <= high
    with np.load(folder / "crossed" / "scores.npz") as archive:
        found = dict(zip(archive["keys"].tolist(), archive["logits"], strict=True))
    right = [
        (found[int(text_key(text), 16)].argmax() == 1) == (label == "ADE")
        for text, label in zip(trained["text"], trained["label"], strict=True)
    ]
    assert np.mean(right) > 0.9


def test_folds_that_are_finished_are_not_trained_again(folder, monkeypatch, tmp_path):
    first = cross_validate(folder / "corpus", tmp_path / "out", _arguments(folder, 1), folds=2)
    (tmp_path / "out" / "fold-1.npy").unlink()
    trained = []

    def counted(given):
        trained.append(given[given.index("--train") + 1])
        return train(given)

    monkeypatch.setattr(crossfit.entry_point, "main", counted)
    assert cross_validate(folder / "corpus", tmp_path / "out", _arguments(folder, 1), folds=2) == first
    assert trained == [str(tmp_path / "out" / "fold-1" / "train")]
    with pytest.raises(UsageError, match="cross-validation of other texts or arguments"):
        cross_validate(folder / "corpus", tmp_path / "out", _arguments(folder, 2), folds=2)


def test_folds_taught_by_a_file_that_has_changed_are_not_gone_on_with(folder, tmp_path):
    extra = tmp_path / "extra.csv"
    extra.write_text("text,label\nibuprofen gave me hives,ADE\n")
    given = [*_arguments(folder, 1), "--extra-texts", str(extra)]
    cross_validate(folder / "corpus", tmp_path / "out", given, folds=2)
    extra.write_text("text,label\nibuprofen gave me hives,NOT_ADE\n")
    with pytest.raises(UsageError, match="cross-validation of other texts or arguments"):
        cross_validate(folder / "corpus", tmp_path / "out", given, folds=2)


def test_on_the_command_line_its_scores_teach_the_next_model(folder, tmp_path):
    given = [part for name in ("epochs=1", "max-length=32", "bf16=false") for part in ("--set", name)]
    common = [str(folder / "corpus"), "--model-name", str(folder / "base"), *given]
    done = CliRunner().invoke(app, ["cross-validate", *common, "--folds", "2", "--output", str(tmp_path / "cv")])
    assert done.exit_code == 0, done.output
    assert "2 models, each scored on documents it has not seen" in done.output
    scores = tmp_path / "cv" / "scores.npz"
    taught = ["train", *common, "--output", str(tmp_path / "taught"), "--set", f"teacher-scores={scores}"]
    done = CliRunner().invoke(app, taught)
    assert done.exit_code == 0, done.output
    metrics = json.loads((tmp_path / "taught" / "checkpoint" / "metrics.json").read_text())
    n_texts = len(pd.read_csv(folder / "corpus" / "train" / "a.csv", lineterminator="\n"))
    assert metrics["taught"] == n_texts
    assert load_file(tmp_path / "taught" / "checkpoint" / "model.safetensors")
