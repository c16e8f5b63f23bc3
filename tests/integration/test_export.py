"""What is exported computes what was trained, for every family of architectures that can be served."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, MPNetModel, set_seed
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from adverse_events.classification.embedded import GRAPHS, EmbeddedClassifier
from adverse_events.classification.model_folder import MANIFEST, ModelManifest
from adverse_events.corpus.manifest import sha256_of
from adverse_events.errors import ContractError
from adverse_events.training.architectures import FAMILIES, read_encoder
from adverse_events.training.export import export, quantise_rows
from tests.tiny_model import OTHERS, REACTIONS, made_base

MAX_LENGTH = 32
TEXTS = [*REACTIONS, *(f"{first} and {second}" for first in REACTIONS for second in OTHERS)]
COMMON = {"vocab_size": 300, "pad_token_id": 0, "max_position_embeddings": 40, "initializer_range": 0.2}
SHAPES = {
    "distilbert": {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128},
    "electra": {"embedding_size": 32},
}
BERT_LIKE = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}


@pytest.fixture(scope="module", params=FAMILIES)
def trained(request, tmp_path_factory):
    """A checkpoint with weights far from zero, all of them numbers that int8 holds, and what it says of `TEXTS`."""
    folder = made_base(tmp_path_factory.mktemp(request.param), TEXTS)
    shape = SHAPES.get(request.param, {})
    config = AutoConfig.for_model(request.param, **COMMON, **({} if "dim" in shape else BERT_LIKE), **shape)
    set_seed(3)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("bias") and "Norm" not in name:
                weight.normal_(0, 0.2)
            elif weight.dim() == 2:
                codes, scales = quantise_rows(weight.numpy())
                weight.copy_(torch.from_numpy(codes * scales[:, None]))
    model.save_pretrained(folder)
    inputs = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    return folder, torch.softmax(logits / 1.5, dim=1).numpy()


def _exported(folder, output):
    export(folder, output, max_length=MAX_LENGTH, temperature=1.5)
    (output / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    files = (*GRAPHS.values(), "weights.bin", "tokenizer.json")
    manifest = ModelManifest(
        name="tiny",
        labels=("NOT_ADE", "ADE"),
        max_length=MAX_LENGTH,
        ade_threshold=0.5,
        sha256={file: sha256_of(output / file) for file in files},
        recipe={},
        data={},
        scores={},
    )
    (output / MANIFEST).write_text(manifest.model_dump_json())


def test_an_exported_model_computes_what_was_trained(trained, tmp_path):
    folder, expected = trained
    _exported(folder, tmp_path)
    reference = EmbeddedClassifier(tmp_path, arithmetic="float32").probabilities(TEXTS)
    assert expected[:, 1].std() > 0.02  # they differ from text to text
    np.testing.assert_allclose(reference, expected, atol=2e-5)
    shipped = EmbeddedClassifier(tmp_path).probabilities(TEXTS)
    np.testing.assert_allclose(shipped, expected, atol=0.05)
    assert np.corrcoef(shipped[:, 1], expected[:, 1])[0, 1] > 0.99


def test_far_tokens_share_their_bias_as_in_mpnet(tmp_path):
    """All distances of 512 positions, against the bucket that transformers finds for each."""
    config = AutoConfig.for_model("mpnet", **{**COMMON, **BERT_LIKE, "max_position_embeddings": 514})
    model = AutoModelForSequenceClassification.from_config(config)
    assert isinstance(model.mpnet, MPNetModel)
    model.save_pretrained(tmp_path)
    bias = read_encoder(tmp_path, max_length=512).distance_bias
    back = torch.arange(-511, 512)
    bucket = MPNetEncoder.relative_position_bucket(-back)
    expected = model.mpnet.encoder.relative_attention_bias.weight.detach()[bucket].T
    np.testing.assert_array_equal(bias, expected)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"model_type": "deberta-v2"}, "not deberta-v2 with gelu"),
        ({"hidden_act": "relu"}, "not bert with relu"),
        ({"position_embedding_type": "relative_key"}, "and relative_key ones"),
    ],
)
def test_arithmetic_that_is_not_known_is_refused(tmp_path, changed, named):
    config = {"model_type": "bert", "hidden_act": "gelu", **changed}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ContractError, match=named):
        export(tmp_path, tmp_path / "out", max_length=MAX_LENGTH)
    assert not (tmp_path / "out").exists()
