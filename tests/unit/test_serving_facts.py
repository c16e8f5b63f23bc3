"""The manifest as the container reads it: the same model as the rest of the project sees, without its libraries."""

import ast
import json
import shutil
import sys
from pathlib import Path

import pytest

import adverse_events.serving
from adverse_events.classification.model_folder import read_manifest, starter_model
from adverse_events.serving.facts import ModelFacts, ModelFolderError
from adverse_events.serving.handler import load, model_fn

FOLDER = Path(adverse_events.serving.__file__).parent
OUTSIDE = {"numpy", "onnxruntime", "tokenizers", "starlette", "uvicorn"}


def test_the_container_calls_the_model_what_the_project_calls_it():
    facts, manifest = ModelFacts.read(starter_model()), read_manifest(starter_model())
    assert facts.version == manifest.version
    assert (facts.card.version, facts.card.ade_label, facts.card.ade_threshold) == (
        manifest.version,
        manifest.labels[-1],
        manifest.ade_threshold,
    )


@pytest.mark.parametrize("module", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_the_folder_imports_only_its_siblings_and_what_the_image_installs(module):
    """It is shipped alone, under another name: an absolute import of the project would fail there."""
    for node in ast.walk(ast.parse(module.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level <= 1
            names = [node.module] if node.level == 0 else []
        for name in names:
            assert name.split(".")[0] in OUTSIDE | sys.stdlib_module_names


@pytest.fixture
def model_copy(tmp_path):
    return shutil.copytree(starter_model(), tmp_path / "model")


def test_an_empty_folder_is_refused_with_what_it_lacks(tmp_path):
    with pytest.raises(ModelFolderError, match=r"model\.json cannot be read"):
        model_fn(tmp_path)


@pytest.mark.parametrize("said", ["{", "[]", "{}", '{"name": "x", "labels": 3}'])
def test_a_manifest_that_is_none_is_refused(tmp_path, said):
    (tmp_path / "model.json").write_text(said)
    with pytest.raises(ModelFolderError, match="no manifest of a model"):
        ModelFacts.read(tmp_path)


def test_a_missing_and_a_damaged_file_are_named(model_copy):
    (model_copy / "tokenizer.json").write_text(json.dumps({}))
    with pytest.raises(ModelFolderError, match=r"tokenizer\.json is not the file"):
        load(model_copy)
    (model_copy / "tokenizer.json").unlink()
    with pytest.raises(ModelFolderError, match=r"tokenizer\.json cannot be read"):
        load(model_copy)
