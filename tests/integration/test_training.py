"""Training, export and release for real, on a very small BERT made here."""

import json

import numpy as np
import pandas as pd
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, set_seed

from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.errors import ContractError
from adverse_events.training import entry_point
from adverse_events.training.corpus import Source, prepare, read_labelled
from adverse_events.training.export import export
from adverse_events.training.release import reference_probabilities, release

DRUGS = ("sertraline", "ibuprofen", "metformin", "atorvastatin", "amoxicillin")
REACTIONS = ("gave me a rash", "made me vomit", "left me dizzy", "made my hair fall out", "keeps me awake")
OTHERS = ("is sold out again", "costs too much", "was in the news", "works well for me", "comes in blue boxes")


def _corpus(folder):
    rows = [
        (f"{drug} {text} {n}", int(text in REACTIONS))
        for n in range(4)
        for drug in DRUGS
        for text in (*REACTIONS, *OTHERS)
    ]
    folder.mkdir()
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(folder / "train.csv", index=False)


def _base(folder, texts):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - a vocabulary entry, no password
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    set_seed(1)
    config = BertConfig(
        vocab_size=300,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=40,
    )
    BertForSequenceClassification(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    _corpus(folder / "a")
    prepare([Source("a", folder / "a")], folder / "corpus")
    _base(folder / "base", read_labelled(folder / "corpus" / "train" / "a.csv")["text"].tolist())
    return folder


def _train(folder, name, *more):
    options = {
        "--train": folder / "corpus" / "train",
        "--validation": folder / "corpus" / "validation",
        "--model-dir": folder / name,
        "--checkpoint-dir": folder / f"{name}-checkpoints",
        "--model-name": folder / "base",
        "--epochs": 16,
        "--learning-rate": 1e-3,
        "--max-length": 32,
        "--batch-size": 16,
    }
    return entry_point.main([*(str(part) for pair in options.items() for part in pair), *more])


# transformers and torch warn about their own internals; their warnings are not ours to mend.
@pytest.mark.filterwarnings("ignore")
def test_a_corpus_becomes_a_model_folder_that_serves(trained):
    """Train, export, choose the threshold, score, and serve: int8 decides as the checkpoint does."""
    metrics = _train(trained, "model")
    assert metrics["validation"]["a"]["best_f1"] > 0.9
    manifest = release(
        trained / "model",
        trained / "released",
        name="tiny",
        corpus=trained / "corpus",
        max_length=32,
        test={"a": trained / "corpus" / "validation" / "a.csv"},
    )
    assert manifest.scores["agreement_with_float32"]["all"] == 1
    assert manifest.scores["test"] == manifest.scores["validation"]
    assert json.loads((trained / "released" / "model.json").read_text())["data"] == manifest.data

    texts = [f"{drug} {text}" for drug in DRUGS for text in (*REACTIONS, *OTHERS)]
    reference = reference_probabilities(trained / "model", texts, 32)
    for arithmetic, tolerance in (("float32", 0.02), ("int8", 0.05)):
        served = EmbeddedClassifier(trained / "released", arithmetic=arithmetic).probabilities(texts)[:, -1]
        np.testing.assert_allclose(served, reference, atol=tolerance)


@pytest.mark.filterwarnings("ignore")
def test_one_seed_gives_one_model(trained):
    scores = [_train(trained, name, "--epochs", "1", "--seed", "5")["validation"] for name in ("first", "second")]
    assert scores[0] == scores[1]


@pytest.mark.filterwarnings("ignore")
def test_an_unknown_source_weight_is_refused_before_training(trained):
    with pytest.raises(SystemExit, match="names b, which the train channel does not hold"):
        _train(trained, "never", "--source-weights", "b=3")


def test_another_architecture_is_refused_by_the_export(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "roberta", "hidden_act": "gelu"}')
    with pytest.raises(ContractError, match="knows BERT with GELU, not roberta"):
        export(tmp_path, tmp_path / "out", max_length=32)
