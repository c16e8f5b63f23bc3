"""Evaluation of a model: small examples worked out by hand, and what the numbers must not depend on."""

import json

import numpy as np
import pytest

from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import starter_model
from adverse_events.corpus.prepare import prepare
from adverse_events.corpus.source import CorpusSource
from adverse_events.errors import ContractError, UsageError
from adverse_events.evaluation.compare import paired_difference
from adverse_events.evaluation.data import read_data
from adverse_events.evaluation.evaluate import LabelledTexts, evaluate
from adverse_events.evaluation.intervals import drawn_scores, draws, intervals
from adverse_events.evaluation.operating import operating_points
from adverse_events.evaluation.page import render
from adverse_events.evaluation.scores import best_f1, calibration_error, score
from adverse_events.registry.evaluation import parse_evaluation

POSITIVE = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0], bool)
FOUND = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
SECRETS = [
    "zoloft gave me a terrible rash",
    "picked up my zoloft today",
    "no headache on prozac",
    "lyrica makes me dizzy",
]


def _data(n=4, **columns):
    texts = [f"{text} {i}" for i in range(n // 4) for text in SECRETS]
    labels = ["ADE", "NOT_ADE", "NOT_ADE", "ADE"] * (n // 4)
    return LabelledTexts(
        texts, columns.get("labels", labels), columns.get("sources", ["a"] * n), columns.get("groups", [""] * n)
    )


@pytest.fixture(scope="module")
def model():
    return EmbeddedClassifier(starter_model(), threads=1)


def test_scores_of_a_small_example():
    """At 0.55 four are called, three rightly, of four positives; precisions at the hits are 1, 1, 1 and 4/5."""
    probabilities = np.column_stack([1 - FOUND, FOUND])
    scores = score(POSITIVE.astype(int), probabilities, 0.55)
    assert scores["precision"] == pytest.approx(0.75)
    assert scores["recall"] == pytest.approx(0.75)
    assert scores["f1"] == pytest.approx(0.75)
    assert scores["average_precision"] == pytest.approx((1 + 1 + 1 + 4 / 5) / 4)
    assert best_f1(POSITIVE, FOUND) == pytest.approx(2 * 4 / (5 + 4))
    assert scores["brier"] == pytest.approx(float(np.mean((FOUND - POSITIVE) ** 2)))


def test_calibration_error_has_bins_of_equal_mass():
    """Five bins of two: mean probabilities .05 .25 .45 .65 .85 against shares 0 0 .5 .5 1."""
    expected = np.mean([0.05, 0.25, 0.05, 0.15, 0.15])
    assert calibration_error(POSITIVE, FOUND, bins=5) == pytest.approx(expected)
    assert calibration_error(np.array([True, False]), np.array([0.5, 0.5]), bins=1) == 0


def test_operating_points_give_the_reviewers_load():
    """A recall of 0.8 of four needs all four: the limit is 0.5, one of six others is called too."""
    point = operating_points(POSITIVE, FOUND)[0]
    assert point["threshold"] == 0.5
    assert point["recall_reached"] == 1
    assert point["load_per_1000"]["0.2"] == pytest.approx(1000 * (0.2 + 0.8 / 6))
    assert point["precision_at"]["0.07"] == pytest.approx(0.07 / (0.07 + 0.93 / 6))
    assert operating_points(np.ones(3, bool), np.ones(3)) == []


def test_a_recall_that_falls_on_a_text_is_reached_by_it():
    """0.80 of five positives is the fourth, whatever binary fractions make of it."""
    positive = np.array([True] * 5 + [False])
    found = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.1])
    assert operating_points(positive, found)[0]["threshold"] == 0.6


def test_a_draw_of_every_text_once_is_the_score_itself():
    drawn = drawn_scores(POSITIVE, FOUND, 0.55, np.ones((1, 10)))
    whole = score(POSITIVE.astype(int), np.column_stack([1 - FOUND, FOUND]), 0.55)
    for name in ("precision", "recall", "f1", "average_precision", "brier", "ece"):
        assert drawn[name][0] == pytest.approx(whole[name])


def test_positives_and_others_are_drawn_apart():
    weights = next(draws(POSITIVE, None, n_draws=50, seed=1))
    assert weights.shape == (50, 10)
    assert set(weights[:, POSITIVE].sum(axis=1)) == {4}
    assert set(weights[:, ~POSITIVE].sum(axis=1)) == {6}


def test_a_review_is_drawn_whole():
    groups = ["r1", "r1", "r1", "r2", "r2", "", "", "r3", "r3", "r3"]
    weights = next(draws(POSITIVE, groups, n_draws=50, seed=1))
    for members in ([0, 1, 2], [3, 4], [7, 8, 9]):
        assert (weights[:, members] == weights[:, members[:1]]).all()
    assert (weights[:, 5] != weights[:, 6]).any()


def test_intervals_repeat_by_seed_and_hold_the_score():
    rng = np.random.default_rng(0)
    positive = rng.random(400) < 0.3
    found = np.clip(positive * 0.4 + rng.random(400) * 0.6, 0, 1)
    one, again, other = (intervals(positive, found, 0.5, n_draws=300, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
    truth = score(positive.astype(int), np.column_stack([1 - found, found]), 0.5)
    for name, (low, high) in one.items():
        assert low <= high
        if name != "ece":  # resampling adds to it: the interval may lie above
            assert low <= truth[name] <= high


def test_a_model_is_not_better_than_itself_and_worse_than_a_better_one():
    rng = np.random.default_rng(0)
    positive = rng.random(600) < 0.3
    good = np.clip(positive * 0.5 + rng.random(600) * 0.5, 0, 1)
    poor = rng.random(600)
    same = paired_difference(positive, (good, 0.5), (good, 0.5), n_draws=200)
    assert (same["f1_difference"], same["interval"], same["p_worse"]) == (0, (0, 0), 0.5)
    worse = paired_difference(positive, (poor, 0.5), (good, 0.5), n_draws=200)
    assert worse["interval"][1] < 0
    assert worse["p_worse"] == 1
    assert worse["average_precision_difference"] < -0.2
    assert paired_difference(np.zeros(5, bool), (good[:5], 0.5), (good[:5], 0.5))["f1_difference"] is None


def test_the_document_is_what_the_registry_reads(model):
    measured = evaluate(
        model,
        _data(8, sources=["a", "b"] * 4),
        {"path": "mine.csv", "sha256": "0" * 64, "n_rows": 8},
        against=model,
        n_draws=100,
    )
    read = parse_evaluation(json.dumps(measured, allow_nan=False).encode(), "document")
    assert read.groups.keys() == {"a", "b", "all"}
    assert read.model.version == model.model_version
    assert read.comparison.sources["all"].f1_difference == 0
    assert read.sources["a"].operating_points == () or read.sources["a"].operating_points[0].load_per_1000


def test_a_source_of_one_class_has_no_score_and_says_why(model):
    data = _data(4, labels=["NOT_ADE"] * 4)
    measured = evaluate(model, data, {"path": "x", "sha256": "0" * 64, "n_rows": 4}, n_draws=100)
    assert measured["sources"]["a"]["f1"] is None
    assert "same label" in measured["sources"]["a"]["undefined"]
    assert measured["sources"]["a"]["confusion"]["counts"][1] == [0, 0]
    assert "same label" in render(measured)


def test_neither_document_nor_page_holds_a_text(model):
    data = _data(8, sources=["<b>bold</b>"] * 8)
    measured = evaluate(model, data, {"path": "x.csv", "sha256": "0" * 64, "n_rows": 8}, n_draws=100)
    page = render(measured)
    for shown in (json.dumps(measured), page):
        assert not [text for text in SECRETS if text in shown]
    assert "<b>bold" not in page
    assert page == render(measured)


def test_labels_the_model_does_not_know_are_refused(model):
    with pytest.raises(ContractError, match="none of its classes NOT_ADE, ADE"):
        evaluate(model, _data(4, labels=["A", "B", "A", "B"]), {})


def _csv(path, rows, header="text,label"):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_data_of_ones_own_names_its_sources(tmp_path):
    path = _csv(tmp_path / "mine.csv", ["one,1,x", "two,0,y", "three,0,"], "text,label,source")
    data, facts = read_data(path, labels=("NOT_ADE", "ADE"))
    assert data.sources == ["x", "y", "mine"]
    assert facts["path"] == "mine.csv"
    assert facts["n_rows"] == 3
    with pytest.raises(UsageError, match="no column where"):
        read_data(path, labels=("NOT_ADE", "ADE"), source_column="where")


def test_a_split_of_a_prepared_corpus_is_evaluated_and_training_texts_are_refused(tmp_path):
    rows = [f"on day {n} number {n * 7} came with {n % 13} and {n % 11} leaves,{n % 2}" for n in range(80)]
    _csv(tmp_path / "a.csv", rows)
    corpus = tmp_path / "corpus"
    prepare([CorpusSource.of(str(tmp_path / "a.csv"))], corpus)
    labels = ("NOT_ADE", "ADE")
    data, _ = read_data(corpus, labels=labels)
    assert set(data.sources) == {"a"}
    with pytest.raises(UsageError, match="no split test; it has train, validation"):
        read_data(corpus, labels=labels, split="test")
    with pytest.raises(ContractError, match="evaluation texts occur in training"):
        read_data(tmp_path / "a.csv", labels=labels, corpus=corpus)
