"""Official terms: condensed from the release, and no match for an everyday word."""

import csv

import pytest

from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.lexicon import FOLDER
from adverse_events.coding.lexicon_build import build_lexicon


@pytest.fixture(scope="module")
def terms():
    with (FOLDER / "official.csv").open(encoding="utf-8", newline="") as lines:
        return {term: row["icd10cm_code"] for row in csv.DictReader(lines) for term in row["terms"].split("|")}


def test_the_table_is_in_step_with_the_release():
    """If not: python -m adverse_events.coding.official, then python -m adverse_events.coding.compiled."""
    pytest.importorskip("simple_icd_10_cm")
    from adverse_events.coding.official import official_table  # noqa: PLC0415

    assert (FOLDER / "official.csv").read_text(encoding="utf-8") == official_table(FOLDER)


def test_it_never_claims_a_form_of_the_lexicon(terms):
    lexicon = build_lexicon(FOLDER, official=False)
    assert not [term for term in terms if term in lexicon.forms or term in lexicon.idioms]


def test_it_holds_formal_terms_and_no_everyday_words(terms):
    assert len(terms) > 2000
    assert not [term for term in terms if " " not in term and len(term) < 6]
    assert not {"fall", "burn", "cold", "shock", "stress", "other", "pain", "cyst", "drug"} & set(terms)


@pytest.mark.parametrize(
    ("text", "icd10cm_code"),
    [
        ("developed acanthosis nigricans on it", "L83"),
        ("the biopsy said granulomatous hepatitis", "K75.3"),
        ("diagnosed with pityriasis rosea", "L42"),
        ("metabolic alkalosis in the ER", "E87.3"),
    ],
)
def test_a_formal_term_is_coded_below_a_form_of_the_lexicon(text, icd10cm_code):
    (entity,) = EmbeddedCoder.load().code([text], [()])[0].entities
    assert (entity.concepts[0].code, entity.score) == (icd10cm_code, 0.80)
