"""Explanations: each thing decided names the entry and the words that decided it."""

import csv
import re

import pytest

from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.explain import Explainer
from adverse_events.coding.lexicon import FOLDER
from adverse_events.records import Entity
from adverse_events.screening.drugs import DrugLexicon

TEXT = (
    "My son got hives from amoxicillin, we rushed him to the ER. I think lexapro makes me dizzy but no nausea, "
    "and it did nothing for my anxiety. Headache every day."
)


@pytest.fixture(scope="module")
def explained():
    drugs = DrugLexicon.load().find(TEXT)
    (coding,) = EmbeddedCoder.load().code([TEXT], [drugs])
    explainer = Explainer()
    conditions = dict(
        zip([e.text for e in coding.entities], explainer.conditions(TEXT, drugs, coding.entities), strict=True)
    )
    return coding, conditions, explainer.situations(TEXT, drugs, coding)


def test_everything_decided_has_a_reason(explained):
    coding, conditions, situations = explained
    for entity in coding.entities:
        told = {(reason.of, reason.value) for reason in conditions[entity.text]}
        traits = {("trait", trait.name) for trait in entity.traits} - {
            ("trait", name) for name in ("SYMPTOM", "SIGN", "DIAGNOSIS")
        }
        assert {("condition", entity.text), ("role", entity.role), *traits} <= told
        assert (("cause", entity.cause_code) in told) == (entity.cause_code is not None)
        assert all(reason.why for reason in conditions[entity.text])
    assert [reason.value for reason in situations] == [
        one.name for one in sorted((*coding.seriousness, *coding.special_situations), key=lambda one: one.begin)
    ]


def test_the_words_named_stand_in_the_text_and_in_the_line_named(explained):
    _, conditions, situations = explained
    lines = {
        file: list(csv.reader((FOLDER / file).read_text(encoding="utf-8").splitlines()))
        for file in ("conditions.csv", "cues.csv", "situations.csv")
    }
    n_places = 0
    for reason in [*situations, *(reason for found in conditions.values() for reason in found)]:
        assert reason.words in TEXT
        for file, numbers in re.findall(r"(\w+\.csv) line ([\d, ]+)", reason.why):
            for number in map(int, re.findall(r"\d+", numbers)):
                n_places += 1
                row = lines[file][number - 1]
                assert row[0] in {"hives", "dizziness", "nausea", "anxiety", "headache", reason.value, *(row[:1])}
    assert n_places > 8


def test_a_cue_s_line_is_one_that_lists_it(explained):
    _, conditions, _ = explained
    (denial,) = (reason for reason in conditions["nausea"] if reason.value == "NEGATION")
    number = int(re.search(r"cues.csv line (\d+)", denial.why)[1])
    row = (FOLDER / "cues.csv").read_text(encoding="utf-8").splitlines()[number - 1]
    assert row.startswith("NEGATION,before")
    assert denial.words == "no"


def test_a_rule_without_a_cue_is_said_in_words(explained):
    _, conditions, _ = explained
    (role,) = (reason for reason in conditions["Headache"] if reason.of == "role")
    assert (role.value, role.words) == ("ADE", "")
    assert "after a drug was named" in role.why


def test_a_condition_only_a_remote_coder_found_has_no_reason():
    assert Explainer().conditions("crumbly", (), [Entity("crumbly", 0, 7, 0.9)]) == [[]]
