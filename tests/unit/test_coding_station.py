"""The coding station: rows in, the same rows with their events out; and the wire shape."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from adverse_events.coding.code import code
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.select import CodingSettings
from adverse_events.coding.wire import to_response
from adverse_events.errors import ContractError
from adverse_events.records import Coding, DrugMention
from adverse_events.staging import CLASSIFIED, CODED, Batch, Tally, read_staged, write_staged
from adverse_events.windows import Window

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def coder():
    return EmbeddedCoder.load()


def row(number, text, *, is_ade):
    mention = {"mention": "zoloft", "begin": 0, "end": 6, "ingredient": "sertraline"}
    return {
        "tweet_id": str(number),
        "text": text,
        "created_at": AT,
        "lang": "en",
        "source": "x",
        "author_pseudonym": None,
        "author_country": None,
        "author_region": None,
        "author_city": None,
        "drug_mentions": [mention],
        "n_duplicates": 0,
        "duplicate_tweet_ids": [],
        "origin": "posts.jsonl",
        "row_number": number,
        "payload_sha256": "0" * 64,
        "window_start": AT,
        "ade_probability": 0.9 if is_ade else 0.1,
        "is_ade": is_ade,
        "label": "Adverse_Event" if is_ade else "Not_AE",
        "is_truncated": False,
    }


def run(folder, rows, coder):
    scored = folder / "classified.arrow"
    write_staged(scored, CLASSIFIED, [pa.Table.from_pylist(rows, schema=CLASSIFIED)])
    batch = code(Batch((Window(AT),), scored, (), {}), coder, CodingSettings())
    return batch, pa.Table.from_batches(read_staged(batch.rows), CODED)


def test_only_positives_are_coded_and_every_row_stays_in_its_place(tmp_path, coder):
    texts = ["zoloft gave me nausea", "zoloft gave me nausea", "zoloft, no headache, cant sleep", "zoloft"]
    rows = [row(number, text, is_ade=number != 1) for number, text in enumerate(texts)]
    batch, coded = run(tmp_path, rows, coder)
    assert batch.rows == tmp_path / "coded.arrow"
    assert coded.select(CLASSIFIED.names).to_pylist() == rows
    events = coded.column("events").to_pylist()
    assert [[event["text"] for event in found] for found in events] == [["nausea"], [], ["headache", "cant sleep"], []]
    assert [event["is_event"] for event in events[2]] == [False, True]


def test_an_event_carries_its_code_role_cause_and_traits(tmp_path, coder):
    _, coded = run(tmp_path, [row(0, "zoloft gave me nausea", is_ade=True)], coder)
    assert coded.column("events").to_pylist() == [
        [
            {
                "text": "nausea",
                "begin": 15,
                "end": 21,
                "category": "MEDICAL_CONDITION",
                "type": "DX_NAME",
                "score": 0.95,
                "traits": [{"name": "SYMPTOM", "score": 0.95}],
                "role": "ADE",
                "icd10cm_code": "R11.0",
                "icd10cm_description": "Nausea",
                "icd10cm_score": 0.95,
                "cause_code": "T43.225",
                "is_event": True,
                "body_system": "digestive",
                "is_serious": False,
            }
        ]
    ]


def test_where_the_coder_abstains_the_code_is_null_and_the_event_stays(tmp_path, coder):
    _, coded = run(tmp_path, [row(0, "zoloft makes me feel weird", is_ade=True)], coder)
    ((event,),) = coded.column("events").to_pylist()
    assert (event["icd10cm_code"], event["icd10cm_score"], event["is_event"]) == (None, None, True)


def test_a_positive_without_text_has_no_events(tmp_path, coder):
    _, coded = run(tmp_path, [row(0, None, is_ade=True)], coder)
    assert coded.column("events").to_pylist() == [[]]


def test_a_batch_without_rows_stays_one(tmp_path, coder):
    batch, coded = run(tmp_path, [], coder)
    assert batch.rows.is_file()
    assert coded.num_rows == 0
    assert coded.schema == CODED


def test_the_response_has_the_documented_keys_and_types(coder):
    """InferICD10CM response syntax, Amazon Comprehend Medical API reference."""
    text = "zoloft gave me nausea, feel weird"
    drug = DrugMention("zoloft", 0, 6, "sertraline")
    response = to_response(coder.code([text], [[drug]])[0].entities, coder.coder_version)
    assert set(response) == {"Entities", "ModelVersion"}
    assert isinstance(response["ModelVersion"], str)
    documented = {
        "Id": int,
        "Text": str,
        "Category": str,
        "Type": str,
        "Score": float,
        "BeginOffset": int,
        "EndOffset": int,
        "Attributes": list,
        "Traits": list,
        "ICD10CMConcepts": list,
    }
    assert [entity["Id"] for entity in response["Entities"]] == [0, 1]
    for entity in response["Entities"]:
        assert set(entity) == {*documented, "Role", "CauseCode", "BodySystem"}
        assert {key: type(entity[key]) for key in documented} == documented
        assert text[entity["BeginOffset"] : entity["EndOffset"]] == entity["Text"]
        assert all(
            {key: type(trait[key]) for key in trait} == {"Name": str, "Score": float} for trait in entity["Traits"]
        )
    nausea, weird = response["Entities"]
    assert nausea["ICD10CMConcepts"][0] == {"Code": "R11.0", "Description": "Nausea", "Score": 0.95}
    assert weird["ICD10CMConcepts"] == []


class RefusingCoder:
    """Refuses texts that say so, and charges a unit for the others: a remote coder whose faults a test can choose."""

    coder_version = "refusing"
    icd10cm_release = "2026-04"
    served_by = "service refusing"

    def code(self, texts, drug_mentions):
        del drug_mentions
        refused = Coding(refusal="the service refused this text (TextSizeLimitExceededException)")
        return [refused if "refuse" in text else Coding(billable_units={"service": 2}) for text in texts]


def test_a_post_the_coder_refuses_stays_assessed_and_stands_in_the_rejects(tmp_path):
    rows = [row(0, "zoloft, refuse me", is_ade=True), row(1, "zoloft", is_ade=True), row(2, "refuse", is_ade=False)]
    scored = tmp_path / "classified.arrow"
    write_staged(scored, CLASSIFIED, [pa.Table.from_pylist(rows, schema=CLASSIFIED)])
    window = Window(AT)
    batch = code(Batch((window,), scored, (), {window: Tally(3)}), RefusingCoder(), CodingSettings())
    assert [len(chunk) for chunk in read_staged(batch.rows)] == [3]
    (rejected,) = (reject for path in batch.rejects for chunk in read_staged(path) for reject in chunk.to_pylist())
    assert (rejected["reason"], rejected["tweet_id"], rejected["row_number"]) == ("refused_by_coder", "0", 0)
    assert "TextSizeLimitExceeded" in rejected["detail"]
    tally = batch.tallies[window]
    assert (tally.uncoded, tally.rejected, tally.billable_units) == ({"refused_by_coder": 1}, {}, {"service": 2})
    tally.check(window, rows_assessed=3)
    assert batch.served_by == {"code": "service refusing"}


def test_a_coder_that_answers_for_fewer_texts_fails_the_batch(tmp_path):
    class Forgetful(RefusingCoder):
        def code(self, texts, drug_mentions):
            return super().code(texts, drug_mentions)[1:]

    scored = tmp_path / "classified.arrow"
    write_staged(scored, CLASSIFIED, [pa.Table.from_pylist([row(0, "zoloft", is_ade=True)], schema=CLASSIFIED)])
    with pytest.raises(ContractError, match="0 codings came back for 1 posts"):
        code(Batch((Window(AT),), scored, (), {}), Forgetful(), CodingSettings())
