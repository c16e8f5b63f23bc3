"""`ade code`: which drugs a row is about, and what happens to arguments that are no text."""

import json
from pathlib import Path

import pytest

from ade.conditions import code, drugs_in
from ade.files import STANDARD_OUTPUT
from adverse_events.errors import UsageError
from adverse_events.screening.drugs import DrugLexicon


@pytest.fixture
def outside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _code(argument, drug_column=None, output=STANDARD_OUTPUT, **kwargs):
    return code(argument, "text", drug_column, Path(output), **{"strict": False, "as_json": True, **kwargs})


def test_a_drug_the_file_names_counts_where_the_text_writes_it():
    text = "day 3 of zorvexil, dizzy again"
    (mention,) = drugs_in(text, ["Zorvexil"], DrugLexicon.load())
    assert (mention.mention, mention.begin, mention.end, mention.ingredient) == ("zorvexil", 9, 17, "zorvexil")


def test_a_drug_the_text_does_not_write_stands_at_its_start():
    (mention,) = drugs_in("dizzy again", ["Zoloft"], DrugLexicon.load())
    assert (mention.begin, mention.end, mention.ingredient) == (0, 0, "sertraline")


def test_a_brand_in_the_file_is_the_ingredient_found_in_the_text():
    mentions = drugs_in("sertraline makes me dizzy", ["Zoloft"], DrugLexicon.load())
    assert [(mention.mention, mention.ingredient) for mention in mentions] == [("sertraline", "sertraline")]


def test_a_text_is_coded_in_the_shape_of_infericd10cm(outside, capsys):
    assert _code("this sertraline makes me nauseous 🤢 and I cannot sleep") == 0
    response = json.loads(capsys.readouterr().out)
    assert set(response) == {"Entities", "ModelVersion", "ICD10CMRelease", "Seriousness", "SpecialSituations"}
    assert "R11.0" in [entity["ICD10CMConcepts"][0]["Code"] for entity in response["Entities"]]
    assert {"Id", "Text", "Category", "Type", "Score", "BeginOffset", "EndOffset", "Traits", "Role"} <= set(
        response["Entities"][0]
    )


def test_every_row_of_a_file_gets_its_line_and_offsets_count_its_own_text(outside, capsys):
    texts = ["nausea all day", "", "lovely @someone weather, but so dizzy"]
    rows = "".join(f'"{text}",sertraline\n' for text in texts)
    (outside / "posts.csv").write_text(f"text,drug\n{rows}")
    assert _code("posts.csv", "drug", "out.jsonl", strict=True) == 3
    lines = [json.loads(line) for line in (outside / "out.jsonl").read_text().splitlines()]
    assert [line["row"] for line in lines] == [1, 2, 3]
    assert lines[1] == {"row": 2, "error": "empty_text", "Entities": None}
    for text, line in zip(texts, lines, strict=True):
        for entity in line["Entities"] or []:
            assert text[entity["BeginOffset"] : entity["EndOffset"]] == entity["Text"]
    assert [line["Entities"][0]["ICD10CMConcepts"][0]["Code"] for line in (lines[0], lines[2])] == ["R11.0", "R42"]
    assert json.loads(capsys.readouterr().out)["rows_rejected"] == 1


@pytest.mark.parametrize("argument", ["posts.csv", "posts.csv.gz", "data/posts.jsonl", "notes.txt"])
def test_the_path_of_a_missing_file_is_not_taken_for_a_text(outside, argument):
    with pytest.raises(UsageError, match="no such file"):
        _code(argument)


def test_a_folder_is_not_taken_for_a_text(outside):
    (outside / "posts").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        _code("posts")


@pytest.mark.parametrize("text", ["", "  ", "half \ud83d"])
def test_what_is_no_text_is_refused(outside, text):
    with pytest.raises(UsageError, match="the text is"):
        _code(text)


def test_flags_of_a_file_are_refused_with_a_text(outside):
    with pytest.raises(UsageError, match="for a file of texts"):
        _code("so dizzy today", output="out.jsonl")
    assert list(outside.iterdir()) == []


def test_a_text_is_explained_on_a_terminal(outside, capsys):
    assert _code("cipro sent me to the ER with hives", as_json=False) == 0
    printed = capsys.readouterr().out
    for word in (
        "hives",
        "ADE",
        "L50.9",
        "T36.8X5",
        "conditions.csv line",
        "hospitalization",
        "situations.csv line",
        "2026-04",
    ):
        assert word in printed


def test_json_can_have_the_shape_of_detectentitiesv2(outside, capsys):
    assert _code("cipro gave me hives", operation="DetectEntitiesV2") == 0
    answer = json.loads(capsys.readouterr().out)
    assert [entity["Category"] for entity in answer["Entities"]] == ["MEDICAL_CONDITION", "MEDICATION"]
    assert all("ICD10CMConcepts" not in entity for entity in answer["Entities"])
    assert (answer["UnmappedAttributes"], answer["Entities"][0]["Role"]) == ([], "ADE")


def test_json_tells_seriousness_and_special_situations(outside, capsys):
    assert _code("20 weeks pregnant, zoloft put me in the ER") == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["Name"] for one in answer["Seriousness"]] == ["hospitalization"]
    assert answer["SpecialSituations"] == [
        {"Name": "pregnancy_exposure", "Text": "20 weeks pregnant", "BeginOffset": 0, "EndOffset": 17, "IsAuthor": True}
    ]
