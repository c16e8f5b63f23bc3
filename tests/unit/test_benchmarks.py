"""The benchmarks measure what they say; how fast anything is, no test asserts."""

import json
import os

import numpy as np
import pytest

from ade.__main__ import run as ade
from ade.bench import _lines
from ade.exits import USAGE
from adverse_events.classification.model_folder import starter_model
from adverse_events.errors import ContractError, UsageError
from adverse_events.privacy import mask_text
from adverse_events.records import Coding
from adverse_events.sample.generate import generate
from benchmarks import memory, reference_model, run
from benchmarks.fresh_process import BenchmarkError, json_of, run_fresh
from benchmarks.posts import write_archive, write_texts
from benchmarks.reference_loop import ReferenceLoop
from benchmarks.reference_model import PADDED_LENGTH, TOLERANCE, OnnxReference, check_same_weights, load_reference
from benchmarks.throughput import decisions_in, run_flow, stored_ids

N_TEXTS = 20


class FixedModel:
    """A model that says the same of every text."""

    kind = "fixed"

    def __init__(self, probability):
        self.probability = probability
        self.texts = []

    def ade_probability(self, text):
        self.texts.append(text)
        return self.probability


class SilentCoder:
    """Codes nothing, and keeps what it was asked."""

    coder_version = icd10cm_release = "none"

    def __init__(self):
        self.asked = []

    def code(self, texts, drug_mentions):
        self.asked += zip(texts, drug_mentions, strict=True)
        return [Coding() for _ in texts]


@pytest.fixture(scope="module")
def texts():
    return [mask_text(post.text) for post in generate(N_TEXTS, 11)]


def _line(text, tweet_id="1"):
    return json.dumps({"id": tweet_id, "text": text, "created_at": "2026-03-02T10:00:00.000Z", "author_id": "7"})


def test_the_reference_computes_what_the_shipped_weights_do(texts):
    """Rebuilt in torch where that is installed; its padded scores are those of the float32 graph."""
    model, shipped = load_reference(starter_model()), OnnxReference(starter_model())
    scores = np.array([[model.ade_probability(text), shipped.ade_probability(text)] for text in texts])
    np.testing.assert_allclose(scores[:, 0], scores[:, 1], atol=TOLERANCE)
    assert np.ptp(scores[:, 0]) > 0.5


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setattr(reference_model.importlib.util, "find_spec", lambda _name: None)


@pytest.mark.usefixtures("without_torch")
def test_the_reference_runs_without_torch():
    assert load_reference(starter_model()).kind == "onnxruntime"


def test_another_model_is_not_taken_for_the_reference(texts):
    with pytest.raises(ContractError, match="one model"):
        check_same_weights(FixedModel(float("nan")), starter_model(), texts[:1])


def test_the_reference_reads_only_so_many_tokens():
    model = OnnxReference(starter_model())
    start = "word " * (PADDED_LENGTH - 2)
    assert model.ade_probability(start) == model.ade_probability(f"{start} threw up all night on sertraline")


def test_the_loop_writes_one_object_per_post_that_names_a_drug(tmp_path):
    model, coder = FixedModel(0.9), SilentCoder()
    loop = ReferenceLoop(model, 0.6, coder, tmp_path)
    done = loop.run([_line("escitalopram made me dizzy @fake_me"), _line("nice day", "2")])
    (row,) = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert (done.n_read, list(done.scored), model.texts) == (2, ["1"], ["escitalopram made me dizzy @user"])
    assert len(row) == 12
    assert row["pred_label"] == "Adverse_Event"
    # The older path's defect, kept because the reference is to do the work that path did.
    assert row["drug_mentions"] == ["citalopram", "escitalopram"]
    assert [text for text, _ in coder.asked] == model.texts


def test_the_loop_codes_positives_only(tmp_path):
    coder = SilentCoder()
    ReferenceLoop(FixedModel(0.5), 0.6, coder, tmp_path).run([_line("sertraline and a walk")])
    assert not coder.asked


def test_the_loop_and_the_flow_score_the_same_texts(tmp_path):
    archive = write_archive(tmp_path / "posts.jsonl", 100)
    assert run_flow(archive, tmp_path / "lake").n_read == 100
    decisions = decisions_in(tmp_path / "lake")
    (tmp_path / "loop").mkdir()
    loop = ReferenceLoop(FixedModel(0.0), 0.6, SilentCoder(), tmp_path / "loop")
    scored = loop.run(archive.read_text().splitlines()).scored
    found = zip(stored_ids(scored), scored.values(), strict=True)
    both = {tweet_id: post.text for tweet_id, post in found if tweet_id in decisions}
    assert len(both) > 50
    assert both == {tweet_id: decisions[tweet_id].text for tweet_id in both}


@pytest.mark.usefixtures("without_torch")
def test_a_throughput_run_accounts_for_every_post():
    measured = run.run("throughput", n_posts=60)["throughput"]
    assert measured["reference"] == "onnxruntime"
    assert json.loads(json.dumps(measured)) == measured
    assert measured["reference_loop"]["posts_read"] == measured["flow"]["posts_read"] == measured["posts"] == 60
    assert {"classify", "screen", "code"} < measured["flow"]["station_seconds"].keys()
    assert 0 < measured["flow"]["share_outside_classifier"] < 1
    assert measured["ratio"].keys() >= {"posts_classified", "posts_read", "classifier_alone"}
    equal = measured["equal_decisions"]
    assert 0.9 < equal["share"] <= 1
    assert equal["posts_of_at_most_64_tokens"] <= equal["posts"] <= measured["flow"]["posts_classified"]


def test_a_wire_run_accounts_for_every_post_on_both_paths():
    measured = run.run("wire", n_posts=60)["wire"]
    assert json.loads(json.dumps(measured)) == measured
    assert measured["embedded"]["posts_classified"] == measured["wire"]["posts_classified"] > 30
    assert measured["wire"]["posts_read"] == measured["posts"] == 60
    assert measured["processor_seconds"]["wire"] > measured["processor_seconds"]["embedded"] > 0
    assert measured["ratio"]["lowest_round"] <= measured["ratio"]["median"] <= measured["ratio"]["highest_round"]
    assert "AWS_ENDPOINT_URL" not in os.environ


def test_memory_is_measured_in_a_process_of_its_own(tmp_path):
    """What the process that measures holds does not count."""
    ballast = bytearray(b"x") * (6 * 10**8)
    measured = memory.peak_of(write_texts(tmp_path / "texts.csv", 50), tmp_path, assume_time="2026-03-01T00:00Z")
    assert len(ballast) > measured["peak_bytes"] > 10**8
    assert measured["account"]["rows_read"] == 50


def test_growth_is_that_of_the_peak():
    small, large = ({"peak_bytes": n, "seconds": 1.0, "account": {"rows_assessed": 5}} for n in (4 * 10**8, 5 * 10**8))
    compared = memory.compare([small, large])
    assert compared["growth"] == pytest.approx(0.25)
    assert (compared["peak_megabytes_small"], compared["peak_megabytes_large"]) == (400, 500)


def test_the_coder_is_measured_alone_and_answers_alike_under_any_hash_seed():
    measured = run.run("coder", n_posts=40, n_rounds=1, hash_seeds=("1", "2"))["coder"]
    assert measured["equal_under_hash_seeds"] == {"seeds": "1, 2", "is_equal": True}
    assert measured["posts_per_core_s"] > 0
    assert measured["peak_megabytes"] > 10
    assert measured["load_seconds"] <= measured["import_and_load_seconds"]


def test_every_benchmark_says_how_long_it_takes():
    assert (
        run.BENCHMARKS.keys()
        == run.MINUTES.keys()
        == {
            "throughput",
            "memory",
            "cold_start",
            "wire",
            "live",
            "coder",
        }
    )


def test_an_unknown_benchmark_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="throughput, memory, cold_start"):
        run.run("speed")


def test_an_unknown_benchmark_is_wrong_usage(capsys):
    assert ade(["bench", "speed"]) == USAGE
    assert "no benchmark speed" in capsys.readouterr().err


def test_results_are_shown_under_dotted_names():
    nested = {"posts": 3000, "ratio": {"read": 6.54321, "speed": 1234.567, "none": None}}
    shown = [("posts", 3000), ("ratio.read", "6.5432"), ("ratio.speed", "1,234.6"), ("ratio.none", None)]
    assert list(_lines(nested)) == shown


def test_both_archives_hold_the_same_texts(tmp_path):
    posts = write_archive(tmp_path / "posts.jsonl", 5).read_text().splitlines()
    rows = write_texts(tmp_path / "posts.csv", 5).read_text().splitlines()
    assert len(posts) == len(rows) - 1 == 5


def test_a_fresh_process_knows_no_settings_of_its_parent(tmp_path, monkeypatch):
    monkeypatch.setenv("ADE_WINDOW_MINUTES", "30")
    script = "import os, json; print(json.dumps([os.getcwd(), os.environ['HOME'], 'ADE_WINDOW_MINUTES' in os.environ]))"
    _, printed = run_fresh(["-c", script], tmp_path / "home")
    assert json_of(printed) == [str(tmp_path / "home")] * 2 + [False]


def test_a_run_that_fails_is_not_timed(tmp_path):
    with pytest.raises(BenchmarkError, match=r"code 3: what went wrong"):
        run_fresh(["-c", "import sys; print('what went wrong', file=sys.stderr); sys.exit(3)"], tmp_path)
