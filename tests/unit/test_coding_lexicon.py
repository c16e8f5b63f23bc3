"""The lexicon's files: what they promise, and how a broken one is refused."""

import csv
import re
import shutil
import time
import warnings

import pytest

from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.lexicon import FOLDER
from adverse_events.errors import ContractError


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
    """A lexicon of one's own to break."""
    return shutil.copytree(FOLDER, tmp_path / "lexicon")


def test_it_knows_many_conditions_each_in_many_words():
    conditions = rows("conditions.csv")
    n_forms = sum(len(row["forms"].split("|")) for row in conditions)
    assert len(conditions) >= 400
    assert n_forms / len(conditions) >= 6


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


def test_ingredients_are_lower_case_and_sorted():
    ingredients = [row["ingredient"] for row in rows("causes.csv")]
    assert ingredients == sorted(ingredient.lower() for ingredient in ingredients)


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("conditions.csv", "odd one,R1.10,Nausea,SYMPTOM,,general,no,odd feeling", "not an ICD-10-CM code"),
        ("conditions.csv", "odd one,,,FEELING,,general,no,odd feeling", "kind is 'FEELING'"),
        ("conditions.csv", "odd one,R11.0,,SYMPTOM,,general,no,odd feeling", "a code needs its description"),
        ("conditions.csv", "odd one,R11.0,Nausea,SYMPTOM,,general,no,HEADACHES", "the same as one of line"),
        ("conditions.csv", "odd one,R11.0,Nausea,SYMPTOM,,general,no,the odd", "begins or ends with a filler"),
        ("conditions.csv", "odd one,R11.0,Nausea,SYMPTOM,,general,no,{nowhere} odd", "slot {nowhere}"),
        ("conditions.csv", "nausea,R11.0,Nausea,SYMPTOM,,general,no,odd feeling", "listed twice"),
        ("conditions.csv", "odd one,R11.0,Nausea", "3 cells, expected 8"),
        ("anatomy.csv", "antler,no such condition,,,,,,,,", "not a condition"),
        ("cues.csv", "NEGATION,before,far,no,any,sans", "not a number of words"),
        ("cues.csv", "DENIAL,before,3,no,any,sans", "meaning is 'DENIAL'"),
        ("causes.csv", "aspirine,T39015,Adverse effect of aspirin", "not an ICD-10-CM code"),
        ("spellings.csv", "cannot,can not", "listed twice"),
    ],
)
def test_a_bad_line_is_refused_by_file_and_number(copy, file, line, fault):
    path = copy / file
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    number = len(path.read_text(encoding="utf-8").splitlines())
    with pytest.raises(ContractError) as refused:
        EmbeddedCoder.load(copy)
    assert str(refused.value).startswith(f"lexicon {file}: line {number}: ")
    assert fault in str(refused.value)


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
    path.write_text(path.read_text(encoding="utf-8") + "migraine inducing prose,joke\n", encoding="utf-8")
    assert EmbeddedCoder.load(copy).coder_version != before


def test_loading_is_quick():
    """The aim is 0.3 s; the bound leaves room for a busy machine."""
    seconds = []
    for _ in range(3):
        started = time.process_time()
        EmbeddedCoder.load()
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.6
