"""A very small BERT and a corpus it can learn, made here, for tests that train for real."""

import pandas as pd
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, set_seed

from adverse_events.corpus.prepare import prepare
from adverse_events.corpus.source import CorpusSource

DRUGS = ("sertraline", "ibuprofen", "metformin", "atorvastatin", "amoxicillin")
REACTIONS = ("gave me a rash", "made me vomit", "left me dizzy", "made my hair fall out", "keeps me awake")
OTHERS = ("is sold out again", "costs too much", "was in the news", "works well for me", "comes in blue boxes")
QUESTIONS = ("can I take it now?", "how much is a dose?", "with food or not?", "who sells it?", "is it safe?")
TEXTS = {"ADE": REACTIONS, "NOT_ADE": OTHERS, "QUESTION": QUESTIONS}


def made_corpus(folder, labels=("NOT_ADE", "ADE")):
    """Write and prepare a corpus of one source, ``a``; returns its folder."""
    rows = [
        (f"{drug} {text} {n}", label) for n in range(4) for drug in DRUGS for label in labels for text in TEXTS[label]
    ]
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(folder / "a.csv", index=False)
    prepare([CorpusSource.of(str(folder / "a.csv"))], folder / "corpus", labels=labels, near_duplicate=1.0)
    return folder / "corpus"


def made_base(folder, texts, **shape):
    """Write an untrained BERT of two layers, with a tokenizer of `texts`; returns its folder."""
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
        **shape,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def arguments(folder, name, *more):
    """Return the arguments of a short run on ``folder/corpus`` from ``folder/base`` into ``folder/name``."""
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
        "--bf16": "false",
    }
    return [*(str(part) for pair in options.items() for part in pair), *map(str, more)]
