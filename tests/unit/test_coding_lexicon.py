"""The lexicon's files: what they promise, and how a broken one is refused."""

import csv
import re
import shutil
import warnings

import pytest

from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.lexicon import BODY_SYSTEMS, FOLDER
from adverse_events.coding.lexicon_build import build_lexicon
from adverse_events.errors import ContractError

SCREENING = FOLDER.parents[1] / "screening" / "lexicon"


def rows(file):
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def release():
    """The April 2026 release of ICD-10-CM."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package reads its data through a deprecated standard-library call
        return pytest.importorskip("simple_icd_10_cm")


@pytest.fixture
def copy(tmp_path):
    """A small lexicon of one's own to break: the shipped files, most conditions left out."""
    folder = shutil.copytree(FOLDER, tmp_path / "lexicon", ignore=shutil.ignore_patterns("compiled.json"))
    for file, column, kept in (
        ("conditions.csv", "condition", {"nausea", "vomiting", "headache", "knee pain", "feeling off"}),
        ("patterns.csv", "condition", {"headache", "knee pain"}),
        ("alternatives.csv", "condition", set()),
        ("official.csv", "icd10cm_code", {"L42"}),
    ):
        lines = rows(file)
        with (folder / file).open("w", encoding="utf-8", newline="") as written:
            writer = csv.DictWriter(written, list(lines[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(line for line in lines if line[column] in kept)
    return folder


def test_it_knows_many_conditions_each_in_many_words():
    n_forms = [len(row["forms"].split("|")) for row in rows("conditions.csv")]
    assert len(n_forms) >= 500
    assert sum(n_forms) / len(n_forms) >= 6
    assert min(n_forms) >= 3


def test_every_body_system_has_conditions_and_some_of_them_are_serious():
    conditions = rows("conditions.csv")
    assert {row["body_system"] for row in conditions} == BODY_SYSTEMS
    serious = {row["condition"] for row in conditions if row["is_serious"] == "yes"}
    assert {"anaphylaxis", "seizure", "suicidal thoughts", "liver failure", "stroke", "rhabdomyolysis"} <= serious
    assert not {"nausea", "headache", "insomnia", "weight gain", "rash"} & serious


def test_every_code_is_billable_in_the_release_and_carries_its_official_description(release):
    wrong = [
        row["condition"]
        for row in rows("conditions.csv")
        if row["icd10cm_code"]
        and not (
            release.is_valid_item(row["icd10cm_code"])
            and release.is_leaf(row["icd10cm_code"])
            and release.get_description(row["icd10cm_code"]) == row["icd10cm_description"]
        )
    ]
    assert wrong == []


def test_every_cause_is_an_adverse_effect_code_of_the_release(release):
    causes = rows("causes.csv")
    wrong = [
        row["ingredient"]
        for row in causes
        if not re.fullmatch(r"T(3[6-9]|4\d|50)\.[0-9A-Z]{1,2}5", row["icd10cm_code"])
        or release.get_description(row["icd10cm_code"]) != row["icd10cm_description"]
        or not row["icd10cm_description"].startswith("Adverse effect")
    ]
    assert len(causes) >= 300
    assert wrong == []


NOT_A_DRUG = {
    "copper intrauterine device": "its harms are complications of a device (T83), not effects of a drug (T36-T50)"
}


def test_every_ingredient_of_the_drug_lexicon_has_a_cause_or_a_reason_why_not():
    """A combination needs none of its own: its parts name the cause where they share one."""
    causes = {row["ingredient"] for row in rows("causes.csv")}
    with (SCREENING / "drugs.csv").open(encoding="utf-8", newline="") as lines:
        ingredients = {row["ingredient"] for row in csv.DictReader(lines)}
    parts = {part for ingredient in ingredients - causes for part in ingredient.split(" / ")}
    assert parts - causes == set(NOT_A_DRUG)


def test_ingredients_are_lower_case_and_sorted():
    ingredients = [row["ingredient"] for row in rows("causes.csv")]
    assert ingredients == sorted(ingredient.lower() for ingredient in ingredients)


ODD = ",SYMPTOM,,general,no,"


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("conditions.csv", f"odd one,R1.10,Nausea{ODD}odd feeling", "not an ICD-10-CM code"),
        ("conditions.csv", f"odd one,R11.7,Nausea{ODD}odd feeling", "R11.7 is not in the ICD-10-CM release"),
        ("conditions.csv", f"odd one,R11,Nausea{ODD}odd feeling", "R11 is not valid for reporting"),
        ("conditions.csv", "odd one,,,FEELING,,general,no,odd feeling", "kind is 'FEELING'"),
        ("conditions.csv", "odd one,,,SYMPTOM,,elsewhere,no,odd feeling", "body_system is 'elsewhere'"),
        ("conditions.csv", "odd one,,,SYMPTOM,,general,perhaps,odd feeling", "is_serious is 'perhaps'"),
        ("conditions.csv", f"odd one,R11.0,{ODD}odd feeling", "a code needs its description"),
        ("conditions.csv", f"odd one,R11.0,Nausea{ODD}HEADACHES", "the same as one of conditions.csv, line"),
        ("conditions.csv", f"odd one,R11.0,Nausea{ODD}the odd", "begins or ends with a filler"),
        ("conditions.csv", f"odd one,R11.0,Nausea{ODD}{{nowhere}} odd", "slot {nowhere}"),
        ("conditions.csv", f"nausea,R11.0,Nausea{ODD}odd feeling", "listed twice"),
        ("conditions.csv", "odd one,R11.0,Nausea", "3 cells, expected 8"),
        ("patterns.csv", "pain,no such condition,antler", "not a condition"),
        ("patterns.csv", "pain,nausea,knee", "the same as one of patterns.csv, line"),
        ("patterns.csv", "glow,nausea,antler", "pattern is 'glow'"),
        ("alternatives.csv", "nausea,no such condition", "not a condition"),
        ("alternatives.csv", "nausea,feeling off", "all with a code"),
        ("official.csv", "R11.7,Nausea,SYMPTOM,general,odd feeling", "R11.7 is not in the ICD-10-CM release"),
        ("idioms.csv", "joke,the odd", "begins or ends with a filler"),
        ("cues.csv", "NEGATION,before,far,no,any,sans", "not a number of words"),
        ("cues.csv", "DENIAL,before,3,no,any,sans", "meaning is 'DENIAL'"),
        ("causes.csv", "aspirine,T39015,Adverse effect of aspirin", "not an ICD-10-CM code"),
        ("spellings.csv", "can not,cannot", "listed twice"),
    ],
)
def test_a_bad_line_is_refused_by_file_and_number(copy, file, line, fault):
    path = copy / file
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    number = len(path.read_text(encoding="utf-8").splitlines())
    with pytest.raises(ContractError) as refused:
        build_lexicon(copy)
    assert str(refused.value).startswith(f"lexicon {file}: line {number}: ")
    assert fault in str(refused.value)


def test_a_code_may_deliberately_be_a_category(copy):
    path = copy / "conditions.csv"
    path.write_text(
        f"{path.read_text(encoding='utf-8')}odd one,R11.-,Nausea and vomiting{ODD}odd feeling\n", encoding="utf-8"
    )
    (entity,) = EmbeddedCoder.load(copy).code(["odd feeling"], [()])[0].entities
    assert entity.concepts[0].code == "R11"


def test_a_missing_file_is_named(copy):
    (copy / "cues.csv").unlink()
    with pytest.raises(ContractError, match=r"lexicon cues\.csv: is missing"):
        EmbeddedCoder.load(copy)


def test_a_file_that_is_not_utf8_is_named(copy):
    (copy / "idioms.csv").write_bytes(b"idiom,why\n\xff\xfe,joke\n")
    with pytest.raises(ContractError, match=r"lexicon idioms\.csv: is not UTF-8"):
        EmbeddedCoder.load(copy)


def test_a_file_with_other_columns_is_named(copy):
    (copy / "words.csv").write_text("kind,words\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"words\.csv: line 1: columns are kind, words"):
        EmbeddedCoder.load(copy)


def test_any_change_of_the_lexicon_changes_the_coder_version(copy):
    before = EmbeddedCoder.load(copy).coder_version
    path = copy / "idioms.csv"
    path.write_text(path.read_text(encoding="utf-8") + "joke,migraine inducing prose\n", encoding="utf-8")
    assert EmbeddedCoder.load(copy).coder_version != before
