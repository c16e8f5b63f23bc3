"""What the Comprehend Medical coder makes of every way in which the service, or the way to it, fails."""

import itertools
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from adverse_events.aws.session import Cloud
from adverse_events.aws.settings import AwsSettings
from adverse_events.coding.comprehend.coder import ComprehendCoder
from adverse_events.coding.comprehend.settings import ComprehendSettings
from adverse_events.errors import (
    AdverseEventsError,
    AnswerError,
    ContractError,
    PermanentServiceError,
    TransientServiceError,
)
from tests.comprehend_server import (
    BROKEN,
    DENIED,
    EXPIRED,
    NOT_A_NUMBER,
    OUTSIDE,
    PROXY_PAGE,
    REFUSED_WORD,
    SKEWED,
    THROTTLE,
    TRUNCATED,
    UNAVAILABLE,
    WRONG_PLACE,
    Fault,
    code,
    each_entity,
    open_coder,
)

TEXT = "zoloft gave me nausea"
NO_ENTITIES = Fault(change=lambda answer: {"ModelVersion": answer["ModelVersion"]})
NO_VERSION = Fault(change=lambda answer: {"Entities": answer["Entities"]})
NEXT_PAGE = Fault(change=lambda answer: {**answer, "PaginationToken": "more"})
REPLACED = Fault(change=lambda answer: {**answer, "ModelVersion": "4.0.0"})
WRONG = [
    NOT_A_NUMBER,
    WRONG_PLACE,
    OUTSIDE,
    NO_ENTITIES,
    NO_VERSION,
    each_entity(Score=1.5),
    each_entity(BeginOffset=-1),
    each_entity(Traits=[{"Name": "NEGATION"}]),
    each_entity(ICD10CMConcepts=[{"Code": "R11.0", "Description": "Nausea", "Score": -0.1}]),
]


@pytest.mark.parametrize("fault", [THROTTLE, BROKEN, UNAVAILABLE, TRUNCATED, PROXY_PAGE, *WRONG])
def test_a_fault_that_passes_costs_a_request_and_changes_nothing(service, fault):
    coder = open_coder()
    expected = code(coder, TEXT)
    service.faults = iter([fault])
    assert code(coder, TEXT) == expected
    assert len(service.texts()) == 3


@pytest.mark.parametrize("fault", [THROTTLE, BROKEN, TRUNCATED, PROXY_PAGE])
def test_a_fault_that_stays_ends_as_one_worth_retrying(service, fault):
    coder = open_coder(attempts=2)
    service.always = fault
    with pytest.raises(TransientServiceError, match="InferICD10CM"):
        code(coder, TEXT)
    assert len(service.texts()) == 2


@pytest.mark.parametrize("fault", [NOT_A_NUMBER, WRONG_PLACE, NO_ENTITIES, NO_VERSION])
def test_answers_that_stay_wrong_are_a_broken_contract(service, fault):
    coder = open_coder(attempts=2)
    service.always = fault
    with pytest.raises(AnswerError, match="comprehendmedical"):
        code(coder, TEXT)
    assert len(service.texts()) == 2


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [(DENIED, "ade doctor"), (EXPIRED, "renew them and run again"), (SKEWED, "set the clock")],
)
def test_what_no_patience_helps_is_asked_once_and_says_what_to_do(service, fault, remedy):
    coder = open_coder()
    service.always = fault
    with pytest.raises(PermanentServiceError, match=remedy):
        code(coder, TEXT)
    assert len(service.texts()) == 1


def test_a_denied_key_fails_before_any_post_is_sent(service):
    service.always = DENIED
    with pytest.raises(PermanentServiceError, match=r"InferICD10CM.*lack this permission"):
        open_coder()
    assert service.texts() == []


def test_what_answers_in_the_service_s_place_is_noticed_before_any_post_is_sent(service):
    service.always = NO_VERSION
    with pytest.raises(AnswerError, match="ModelVersion"):
        open_coder(attempts=1)


def test_another_model_in_the_middle_of_a_run_ends_it(service):
    coder = open_coder()
    service.faults = iter([REPLACED])
    with pytest.raises(ContractError, match=r"3\.1\.0 was replaced by 4\.0\.0 while it answered"):
        code(coder, TEXT)
    assert len(service.texts()) == 1


def test_a_refused_text_is_refused_alone_and_its_words_are_withheld(service):
    refused, fine = code(open_coder(), f"{REFUSED_WORD} nausea", TEXT)
    assert refused.entities == ()
    assert "InvalidRequestException" in refused.refusal
    assert REFUSED_WORD not in refused.refusal
    assert (fine.refusal, len(fine.entities)) == (None, 1)
    assert service.texts().count(f"{REFUSED_WORD} nausea") == 1


def test_a_text_refused_by_the_second_operation_is_refused(service):
    coder = open_coder(detect_entities=True)
    service.faults = iter([None, Fault(400, "InvalidEncodingException")])
    (coding,) = code(coder, TEXT)
    assert "DetectEntitiesV2" in coding.refusal
    assert coding.billable_units == {"comprehendmedical:InferICD10CM": 1}


def test_a_first_page_without_a_way_to_the_next_is_no_answer(service):
    coder = open_coder()
    service.always = NEXT_PAGE
    (coding,) = code(coder, TEXT)
    assert coding.entities == ()
    assert "takes no token" in coding.refusal


def test_a_region_without_the_service_is_named_with_those_that_have_it(monkeypatch, service):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(PermanentServiceError, match=r"no answer in eu-south-1.*us-east-1"):
            open_coder(region="eu-south-1", attempts=1)
        with pytest.raises(TransientServiceError, match="check the network"):
            open_coder(region="eu-west-1", attempts=1)


def test_a_service_that_answers_too_late_is_transient(service):
    account = Cloud(AwsSettings(region="eu-west-1", max_attempts=1, read_timeout_s=0.2))
    coder = ComprehendCoder.open(account, ComprehendSettings())
    service.always = Fault(seconds=0.6)
    with pytest.raises(TransientServiceError, match="ReadTimeout"):
        code(coder, TEXT)


def test_one_fault_in_twenty_changes_no_row(service):
    """Bar: the same rows under 5 % of faults."""
    texts = [f"day {'x' * n} of zoloft, nausea and no rash" for n in range(200)]
    coder = open_coder(attempts=6)
    expected = code(coder, *texts)
    kinds = itertools.cycle([THROTTLE, BROKEN, TRUNCATED, WRONG_PLACE, PROXY_PAGE])
    service.asked.clear()
    service.faults = iter([next(kinds) if n % 20 == 0 else None for n in range(1000)])
    assert code(coder, *texts) == expected
    assert len(service.texts()) > 200


def test_what_was_paid_for_before_a_failure_is_not_paid_for_again(service, tmp_path):
    settings = {"cache": tmp_path / "answers.sqlite", "requests_in_flight": 1, "attempts": 1}
    texts = [f"zoloft gave me nausea on day {'x' * n}" for n in range(10)]
    coder = open_coder(**settings)
    service.faults = itertools.chain([None] * 5, itertools.repeat(BROKEN))
    with pytest.raises(TransientServiceError):
        code(coder, *texts)
    asked = len(service.texts())
    assert asked < len(texts)
    service.faults = iter(())
    service.asked.clear()
    assert all(coding.entities for coding in code(open_coder(**settings), *texts))
    assert service.texts() == texts[5:]


def test_no_more_requests_are_under_way_than_allowed_whoever_asks(service):
    service.always = Fault(seconds=0.02)
    coder = open_coder(requests_in_flight=3)
    batches = [[f"nausea {letter * n}" for n in range(1, 12)] for letter in "ab"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda batch: code(coder, *batch), batches))
    assert service.most_in_flight == 3


def test_the_quota_of_requests_holds_over_the_wire(service):
    coder = open_coder(requests_per_second=50)
    started = time.monotonic()
    code(coder, *(f"nausea {'x' * n}" for n in range(21)))
    assert time.monotonic() - started >= 20 / 50


@pytest.mark.parametrize("fault", [THROTTLE, DENIED, TRUNCATED, NOT_A_NUMBER, WRONG_PLACE, each_entity(Type=None)])
def test_no_word_of_a_post_reaches_a_log_or_an_error(service, caplog, fault):
    coder = open_coder(attempts=1)
    service.always = fault
    with caplog.at_level(logging.INFO), pytest.raises(AdverseEventsError) as raised:
        code(coder, "zoloft gave me nausea, my very own words")
    told, error = [caplog.text], raised.value
    while error:
        told += [str(error), repr(error)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert not any("very own" in line or "nausea" in line for line in told)
