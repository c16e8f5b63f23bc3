"""The classify station and the embedded classifier, on the shipped model."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pytest

from adverse_events.classification.classify import ClassifierSettings, choose_classes, classify
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import read_manifest, starter_model
from adverse_events.classification.protocol import Scored
from adverse_events.errors import ContractError, UsageError
from adverse_events.serving.model import PIECES_PER_TEXT, TOKENS_PER_BATCH, batches
from adverse_events.staging import SCREENED, Batch, Tally, read_staged, write_staged
from adverse_events.windows import Window

WINDOW = Window(datetime(2026, 3, 1, tzinfo=UTC))

TEXTS = [
    "started sertraline last week and I have been throwing up every single morning since",
    "lovely weather for a walk by the canal",
    "Toxic hepatitis induced by disulfiram in a young woman.",
    "is ibuprofen sold without a prescription in Spain?",
    "",
]


class FixedClassifier:
    """Answers with the scores it was given: a classifier whose faults a test can choose."""

    model_version = "fixed"
    labels = ("NOT_ADE", "ADE")
    ade_threshold = 0.5
    thresholds = MappingProxyType({})
    served_by = "endpoint fixed"

    def __init__(self, ade, refusals=None, *, is_truncated=False):
        self.ade = np.array(ade, np.float32)
        self.refusals = refusals or {}
        self.is_truncated = is_truncated

    def score(self, chunks):
        for _ in chunks:
            scores = np.stack([1 - self.ade, self.ade], axis=1)
            yield Scored(scores, [self.is_truncated] * len(scores), self.refusals)


@pytest.fixture(scope="module")
def classifier():
    return EmbeddedClassifier(starter_model(), threads=1)


def _batch(folder, n_rows):
    rows = [
        {
            "tweet_id": str(i),
            "text": f"post {i}",
            "created_at": WINDOW.start,
            "lang": "en",
            "source": "x",
            "author_pseudonym": None,
            "drug_mentions": [],
            "n_duplicates": 0,
            "duplicate_tweet_ids": [],
            "origin": "posts.jsonl",
            "row_number": i + 1,
            "payload_sha256": "0" * 64,
            "window_start": WINDOW.start,
        }
        for i in range(n_rows)
    ]
    write_staged(folder / "screened.arrow", SCREENED, [pa.Table.from_pylist(rows, SCREENED)])
    return Batch((WINDOW,), folder / "screened.arrow", (), {WINDOW: Tally(rows_in=n_rows)})


def test_scores_come_back_one_per_text_in_order_of_the_texts(classifier):
    together = classifier.probabilities(TEXTS)
    one_by_one = np.concatenate([classifier.probabilities([text]) for text in TEXTS])
    assert together.shape == (len(TEXTS), 2)
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


def test_a_post_that_reports_a_reaction_scores_above_one_that_does_not(classifier):
    scores = classifier.probabilities(TEXTS)[:, -1]
    assert min(scores[0], scores[2]) > classifier.ade_threshold > max(scores[1], scores[3])


def test_int8_agrees_with_float32(classifier):
    reference = EmbeddedClassifier(starter_model(), arithmetic="float32", threads=1)
    difference = np.abs(classifier.probabilities(TEXTS) - reference.probabilities(TEXTS))
    assert difference.max() < 0.1


def test_int8_asks_float32_where_the_decision_is_close(model_copy):
    """With the model's limit put at a post's own int8 score, the score is float32's; far from it, it stays."""
    reference = EmbeddedClassifier(starter_model(), arithmetic="float32", threads=1).probabilities(TEXTS)[:, -1]
    far = EmbeddedClassifier(starter_model(), threads=1).probabilities(TEXTS)[:, -1]
    index = int(np.argmax(np.abs(far - reference)))
    assert far[index] != reference[index]
    manifest = json.loads((model_copy / "model.json").read_text())
    (model_copy / "model.json").write_text(json.dumps(manifest | {"ade_threshold": float(far[index])}))
    near = EmbeddedClassifier(model_copy, threads=1).probabilities(TEXTS)[:, -1]
    assert near[index] == pytest.approx(reference[index], abs=1e-6)


def test_a_reaction_at_the_end_of_a_long_post_is_seen(classifier):
    """Far behind the first piece, which alone a truncating model would read."""
    chatter = "We walked along the river and talked about the film and the weather for a while. " * 40
    reaction = "This sertraline made me throw up every morning and gave me a terrible headache. " * 6
    alone, behind = classifier.probabilities([chatter, chatter + reaction])[:, -1]
    assert behind > classifier.ade_threshold > alone


def test_a_text_beyond_all_reason_is_read_up_to_a_limit_and_says_so(classifier):
    """One crafted post must not cost minutes; a long one that fits is read whole."""
    sentence = "The canal was calm and we talked about the film for a while. "
    n_tokens = PIECES_PER_TEXT * 128
    (scored,) = classifier.score([[sentence * 40, sentence * n_tokens, "x" * 1_000_000]])
    assert scored.is_truncated == [False, True, True]
    assert np.isfinite(scored.probabilities).all()


def test_no_texts_give_no_scores(classifier):
    assert classifier.probabilities([]).shape == (0, 2)


def test_batches_hold_every_index_once_and_stay_within_their_tokens():
    lengths = np.random.default_rng(0).integers(1, 129, 500).tolist()
    found = list(batches(lengths))
    assert sorted(i for batch in found for i in batch) == list(range(500))
    assert all(len(b) * max(lengths[i] for i in b) <= TOKENS_PER_BATCH for b in found)


def test_a_longer_text_than_a_batch_is_a_batch_of_its_own():
    assert list(batches([TOKENS_PER_BATCH + 1, 1])) == [[1], [0]]


def test_the_threshold_decides_and_a_setting_moves_it(tmp_path):
    batch = _batch(tmp_path, 3)
    scores = FixedClassifier([0.2, 0.5, 0.9])
    for threshold, expected in ((None, [False, True, True]), (0.6, [False, False, True])):
        done = classify(batch, scores, ClassifierSettings(ade_threshold=threshold))
        (rows,) = read_staged(done.rows)
        assert rows.column("is_ade").to_pylist() == expected
        assert rows.column("label").to_pylist() == ["ADE" if yes else "NOT_ADE" for yes in expected]


@pytest.mark.parametrize("bad", [np.nan, 1.5, -0.1])
def test_a_score_that_is_no_probability_is_rejected_and_accounted_for(tmp_path, bad):
    done = classify(_batch(tmp_path, 3), FixedClassifier([0.2, bad, 0.9]), ClassifierSettings())
    (rows,) = read_staged(done.rows)
    (rejected,) = (row for path in done.rejects for table in read_staged(path) for row in table.to_pylist())
    assert rows.column("tweet_id").to_pylist() == ["0", "2"]
    assert (rejected["reason"], rejected["tweet_id"], rejected["row_number"]) == ("invalid_probability", "1", 2)
    done.tallies[WINDOW].check(WINDOW, rows_assessed=2)


def test_fewer_scores_than_posts_fail_the_batch(tmp_path):
    with pytest.raises(ContractError, match="2 scores came back for 3 posts"):
        classify(_batch(tmp_path, 3), FixedClassifier([0.2, 0.9]), ClassifierSettings())


def test_a_post_the_model_refuses_is_rejected_with_the_models_reason(tmp_path):
    refusing = FixedClassifier([0.2, np.nan, np.nan], {1: "the container answered HTTP 400"})
    done = classify(_batch(tmp_path, 3), refusing, ClassifierSettings())
    refused, invalid = (row for path in done.rejects for table in read_staged(path) for row in table.to_pylist())
    assert (refused["reason"], refused["tweet_id"]) == ("refused_by_classifier", "1")
    assert refused["detail"].startswith("the container answered HTTP 400")
    assert (invalid["reason"], invalid["tweet_id"]) == ("invalid_probability", "2")
    assert done.tallies[WINDOW].rejected == {"invalid_probability": 1, "refused_by_classifier": 1}


@pytest.mark.parametrize("is_truncated", [True, False, None])
def test_a_row_says_whether_its_text_was_cut_and_the_batch_who_scored_it(tmp_path, is_truncated):
    done = classify(_batch(tmp_path, 2), FixedClassifier([0.2, 0.9], is_truncated=is_truncated), ClassifierSettings())
    (rows,) = read_staged(done.rows)
    assert rows.column("is_truncated").to_pylist() == [is_truncated] * 2
    assert done.served_by == {"classify": "endpoint fixed"}


def test_an_empty_batch_passes_through(tmp_path):
    done = classify(_batch(tmp_path, 0), FixedClassifier([]), ClassifierSettings())
    assert sum(rows.num_rows for rows in read_staged(done.rows)) == 0
    assert done == replace(done, rejects=())


@pytest.fixture
def model_copy(tmp_path):
    return shutil.copytree(starter_model(), tmp_path / "model")


def test_a_corrupt_weights_file_is_refused_by_name(model_copy):
    weights = model_copy / "weights.bin"
    damaged = bytearray(weights.read_bytes())
    damaged[1000] ^= 1
    weights.write_bytes(damaged)
    with pytest.raises(ContractError, match=r"weights\.bin.*corrupt"):
        EmbeddedClassifier(model_copy)


def test_a_missing_model_file_is_named(model_copy):
    (model_copy / "tokenizer.json").unlink()
    with pytest.raises(UsageError, match=r"tokenizer\.json is missing"):
        EmbeddedClassifier(model_copy)


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"holds no model\.json"):
        read_manifest(tmp_path)


def test_a_malformed_manifest_is_refused_with_the_field(model_copy):
    manifest = json.loads((model_copy / "model.json").read_text())
    manifest["ade_threshold"] = 3
    (model_copy / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ContractError, match="ade_threshold"):
        read_manifest(model_copy)


def test_the_shipped_model_keeps_its_promises():
    """At most 25 MB; decisions equal to float32 on at least 99.5 % of validation texts, as its manifest records."""
    folder = starter_model()
    manifest = read_manifest(folder)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 25_000_000
    assert manifest.scores["agreement_with_float32"]["all"] >= 0.995
    assert manifest.scores["test"]["ade_corpus_v2"]["f1"] >= 0.84


def test_of_several_other_classes_the_one_furthest_above_its_limit_is_named():
    """0.3 of 0.2 is further above than 0.4 of 0.5; an ADE at its limit is an ADE whatever the others say."""
    scores = np.array([[0.4, 0.3, 0.3], [0.4, 0.1, 0.5], [0.2, 0.1, 0.7]], np.float32)
    labels = ("NOT_ADE", "QUESTION", "ADE")
    limits = {"NOT_ADE": 0.5, "QUESTION": 0.2}
    assert choose_classes(scores, labels, 0.5, limits).tolist() == [1, 2, 2]
    assert choose_classes(scores, labels, 0.6, limits).tolist() == [1, 0, 2]
    assert choose_classes(scores, labels, 0.6, {}).tolist() == [0, 0, 2]
    assert choose_classes(scores, labels, 0.6, {"NOT_ADE": 0.5, "QUESTION": 0.0}).tolist() == [1, 1, 2]
