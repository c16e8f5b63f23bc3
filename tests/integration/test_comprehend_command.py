"""`ade code` and the coding station where settings alone choose Comprehend Medical."""

import json
from pathlib import Path

import pytest

from ade.conditions import code
from ade.files import STANDARD_OUTPUT
from adverse_events import assembly
from adverse_events.errors import ContractError
from adverse_events.settings import load_settings
from tests.comprehend_server import REFUSED_WORD, VERSION, comprehend_server
from tests.moto_server import REGION


@pytest.fixture(scope="module")
def running():
    with comprehend_server() as running:
        yield running


@pytest.fixture
def service(running, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return running.reset(monkeypatch)


def _code(argument, output=STANDARD_OUTPUT):
    return code(argument, "text", None, Path(output), strict=False, as_json=True)


def test_one_setting_moves_a_text_to_the_service_and_its_entities_stay_the_same(service, capsys, monkeypatch):
    text = "zoloft for my anxiety gave me nausea; my mom gets hives on humira"
    assert _code(text) == 0
    embedded = json.loads(capsys.readouterr().out)
    monkeypatch.setenv("ADE_CODING__SERVICE", "comprehend")
    assert _code(text) == 0
    remote = json.loads(capsys.readouterr().out)
    assert service.texts() == [text]
    assert remote["Entities"] == embedded["Entities"]
    assert {entity["Role"] for entity in remote["Entities"]} >= {"INDICATION", "ADE"}
    assert remote["ModelVersion"].startswith(f"comprehend-medical-{VERSION}+")


def test_a_row_the_service_refuses_says_so_and_the_others_are_coded(service, monkeypatch, capsys):
    monkeypatch.setenv("ADE_CODING__SERVICE", "comprehend")
    Path("posts.csv").write_text(f"text\nnausea all day\n{REFUSED_WORD} rash\nso dizzy\n")
    assert _code("posts.csv", "out.jsonl") == 0
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert lines[1] == {"row": 2, "error": "refused_by_coder", "Entities": None}
    assert [line["Entities"][0]["Text"] for line in (lines[0], lines[2])] == ["nausea", "dizzy"]
    assert json.loads(capsys.readouterr().out)["rejected"] == {"refused_by_coder": 1}


def test_a_text_the_service_refuses_is_an_error_without_its_words(service, monkeypatch):
    monkeypatch.setenv("ADE_CODING__SERVICE", "comprehend")
    with pytest.raises(ContractError, match="the text was refused") as raised:
        _code(f"{REFUSED_WORD} rash")
    assert REFUSED_WORD not in str(raised.value)


def test_every_setting_of_the_coder_is_heeded(service, monkeypatch, tmp_path):
    for name, value in {
        "ADE_CODING__SERVICE": "comprehend",
        "ADE_COMPREHEND__DETECT_ENTITIES": "true",
        "ADE_COMPREHEND__POSTS_PER_REQUEST": "4",
        "ADE_COMPREHEND__CACHE": str(tmp_path / "answers.sqlite"),
        "ADE_COMPREHEND__ICD10CM_RELEASE": "2025-10",
    }.items():
        monkeypatch.setenv(name, value)
    coder = assembly.coder_for(load_settings())
    coder.code(["zoloft gave me nausea", "so dizzy"], [(), ()])
    assert coder.coder_version.endswith(f"+entities-{VERSION}+packed4")
    assert coder.icd10cm_release == "2025-10"
    assert coder.served_by.endswith(f"in {REGION}")
    assert len(service.texts()) == len(service.texts("DetectEntitiesV2")) == 1
    assert (tmp_path / "answers.sqlite").stat().st_size > 0
