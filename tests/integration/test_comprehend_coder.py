"""The coder that asks Comprehend Medical, over the wire: real boto3, our own server behind the service's protocol."""

import gzip
import json
import re

import pytest

from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.errors import ContractError
from adverse_events.privacy import mask_text
from adverse_events.records import Coding
from adverse_events.sample.week import sample_week
from adverse_events.screening.drugs import DrugLexicon
from tests.comprehend_server import (
    REFUSED_WORD,
    VERSION,
    Fault,
    code,
    open_coder,
)
from tests.moto_server import REGION

UNITS = "comprehendmedical:InferICD10CM"


@pytest.fixture(scope="module")
def week():
    """Return the texts of the sample week's posts, positive or not, as the flow sends them."""
    texts = []
    with gzip.open(sample_week() / "posts.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            try:
                post = json.loads(line)["data"]
                text = post.get("note_tweet", post)["text"]
            except (ValueError, KeyError, TypeError):
                continue  # one of the lines that are malformed on purpose
            if isinstance(text, str) and not re.search(r"[\ud800-\udfff]", text):
                texts.append(mask_text(text))
    return texts


def test_the_sample_week_is_coded_as_in_process(service, week):
    """Same entities to the last trait and cause, from answers that have no member the service lacks."""
    mentions = [DrugLexicon.load().find(text) for text in week]
    expected = [coding.entities for coding in EmbeddedCoder.load().code(week, mentions)]
    found = [coding.entities for coding in open_coder().code(week, mentions)]
    assert found == expected
    assert {"ADE", "INDICATION", "BENEFIT", "WITHDRAWAL", "LACK_OF_EFFECT", "UNKNOWN"} == {
        entity.role for entities in found for entity in entities
    }
    assert {"PAST_HISTORY", "NEGATION"} <= {trait.name for e in found for entity in e for trait in entity.traits}
    assert len(service.texts()) == len({text for text in week if any(map(str.isalpha, text))})


def test_packed_posts_are_coded_as_alone_where_the_service_keeps_sentences_apart(service, week):
    """Our own coder does; the requests are a twentieth, and the units their exact sum."""
    mentions = [DrugLexicon.load().find(text) for text in week]
    expected = [coding.entities for coding in EmbeddedCoder.load().code(week, mentions)]
    codings = open_coder(posts_per_request=20).code(week, mentions)
    assert [coding.entities for coding in codings] == expected
    assert len(service.texts()) <= len(set(week)) / 20 + 1
    assert sum(coding.billable_units.get(UNITS, 0) for coding in codings) == sum(
        -(-len(text) // 100) for text in service.texts()
    )


def test_each_distinct_text_is_one_request_and_its_first_post_bears_the_units(service):
    codings = code(open_coder(), "zoloft gave me nausea", "1 2 3", "zoloft gave me nausea")
    assert service.texts() == ["zoloft gave me nausea"]
    assert [dict(coding.billable_units) for coding in codings] == [{UNITS: 1}, {}, {}]
    assert codings[0].entities == codings[2].entities != ()


def test_equal_texts_with_other_drugs_have_their_own_causes(service):
    drugs = [DrugLexicon.load().find(name) for name in ("zoloft", "humira")]
    first, second = open_coder().code(["gave me nausea"] * 2, drugs)
    assert first.entities[0].cause_code != second.entities[0].cause_code
    assert len(service.texts()) == 1


def test_each_started_hundred_characters_is_a_unit(service):
    texts = [("nausea " * 50)[:length] for length in (99, 100, 101, 250)]
    assert [coding.billable_units[UNITS] for coding in code(open_coder(), *texts)] == [1, 1, 2, 3]


def test_a_text_without_letters_costs_nothing(service):
    coder = open_coder()
    assert code(coder) == []
    assert code(coder, "", "1234", "\U0001f922") == [Coding(), Coding(), Coding()]
    assert service.texts() == []


def test_half_a_character_is_refused_here(service):
    refused, fine = open_coder().code(["nausea \ud83d", "nausea"], [(), ()])
    assert "surrogate" in refused.refusal
    assert fine.entities
    assert service.texts() == ["nausea"]


def test_texts_and_mentions_must_pair_up(service):
    with pytest.raises(ContractError, match="2 texts but drug mentions of 1"):
        open_coder().code(["nausea", "headache"], [()])


def test_whatever_changes_results_is_in_the_version(service):
    plain, full = open_coder(), open_coder(detect_entities=True, posts_per_request=5)
    assert plain.coder_version.startswith(f"comprehend-medical-{VERSION}+3+")
    assert full.coder_version == f"{plain.coder_version}+entities-{VERSION}+packed5"


def test_it_says_who_answered_and_with_which_release(service):
    assert open_coder().served_by == f"comprehendmedical InferICD10CM in {REGION}"
    full = open_coder(detect_entities=True, icd10cm_release="2025-10")
    assert full.served_by == f"comprehendmedical InferICD10CM and DetectEntitiesV2 in {REGION}"
    assert full.icd10cm_release == "2025-10"


@pytest.mark.parametrize("letter", ["a", "\u00e9", "\U0001f600", "\u65e5"])
def test_a_text_over_the_limit_is_asked_in_pieces_and_offsets_count_the_whole(service, letter):
    text = f"zoloft gave me nausea. {letter * 30} so " * 600
    (coding,) = code(open_coder(), text)
    parts = service.texts()
    assert len(parts) > 2
    assert max(len(part.encode()) for part in parts) <= 10_000
    assert [text[entity.begin : entity.end] for entity in coding.entities] == ["nausea"] * 600
    assert coding.billable_units[UNITS] == sum(-(-len(part) // 100) for part in parts)


def test_detect_entities_says_type_and_is_asked_only_where_there_is_a_condition(service):
    service.always = Fault(change=_other_types)
    nausea, nothing = code(open_coder(detect_entities=True), "zoloft gave me nausea", "nothing to tell of zoloft")
    assert [(entity.text, entity.category, entity.type) for entity in nausea.entities] == [
        ("nausea", "MEDICAL_CONDITION", "ACUITY")
    ]
    assert nothing.entities == ()
    assert service.texts("DetectEntitiesV2") == ["zoloft gave me nausea"]
    assert dict(nausea.billable_units) == {UNITS: 1, "comprehendmedical:DetectEntitiesV2": 1}


def _other_types(answer):
    """Return a DetectEntitiesV2 answer with another type, and an entity of another category over the same words."""
    if "UnmappedAttributes" not in answer:
        return answer
    found = [{**entity, "Type": "ACUITY"} for entity in answer["Entities"]]
    return {
        **answer,
        "Entities": [*found, *({**entity, "Category": "ANATOMY", "Type": "X", "Score": 1.0} for entity in found)],
    }


def test_time_expressions_are_no_conditions(service):
    service.always = Fault(
        change=lambda answer: {
            **answer,
            "Entities": [{**entity, "Type": "TIME_EXPRESSION"} for entity in answer["Entities"]],
        }
    )
    assert code(open_coder(), "zoloft gave me nausea")[0].entities == ()


def test_a_cached_answer_is_not_paid_for_twice_and_is_the_same(service, tmp_path):
    texts = ["zoloft gave me nausea", "no headache on humira", "nothing of note"]
    first = code(open_coder(cache=tmp_path / "answers.sqlite"), *texts)
    service.asked.clear()
    again = code(open_coder(cache=tmp_path / "answers.sqlite"), *texts)
    assert service.texts() == []
    assert [coding.entities for coding in again] == [coding.entities for coding in first]
    assert [dict(coding.billable_units) for coding in again] == [{}, {}, {}]


def test_a_refusal_is_not_remembered_as_an_answer(service, tmp_path):
    for _ in range(2):
        (coding,) = code(open_coder(cache=tmp_path / "answers.sqlite"), f"{REFUSED_WORD} rash")
        assert coding.refusal
    assert len(service.texts()) == 2


def test_answers_of_packs_and_of_single_posts_are_kept_apart(service, tmp_path):
    code(open_coder(cache=tmp_path / "answers.sqlite"), "zoloft gave me nausea", "so dizzy")
    service.asked.clear()
    code(open_coder(cache=tmp_path / "answers.sqlite", posts_per_request=2), "zoloft gave me nausea", "so dizzy")
    assert len(service.texts()) == 1


def test_a_post_refused_in_a_pack_costs_its_neighbours_nothing_but_a_request(service):
    texts = ["zoloft gave me nausea", f"{REFUSED_WORD} rash", "humira gave me a headache"]
    codings = code(open_coder(posts_per_request=3), *texts)
    assert [bool(coding.refusal) for coding in codings] == [False, True, False]
    assert [[entity.text for entity in coding.entities] for coding in codings] == [["nausea"], [], ["headache"]]
    assert [coding.billable_units.get(UNITS, 0) for coding in codings] == [1, 0, 1]


def test_a_condition_that_reaches_over_a_border_is_asked_about_post_by_post(service):
    texts = ["zoloft gave me nausea" + "," * 100, "headache all day", "humira and hives"]
    coder = open_coder(posts_per_request=3)
    service.faults = iter([Fault(change=_over_the_first_border)])
    codings = code(coder, *texts)
    assert service.texts()[1:] == texts[:2]
    assert [[entity.text for entity in coding.entities] for coding in codings] == [["nausea"], ["headache"], ["hives"]]
    assert sum(coding.billable_units[UNITS] for coding in codings) == sum(-(-len(t) // 100) for t in service.texts())


def _over_the_first_border(answer):
    first, second, third = answer["Entities"]
    over = {**first, "EndOffset": second["EndOffset"], "Text": "nausea" + "," * 100 + ".\n\nheadache"}
    return {**answer, "Entities": [over, third]}
