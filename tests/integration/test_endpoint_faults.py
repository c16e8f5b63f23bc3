"""The endpoint classifier over the wire: faults on the way, posts the model refuses, a model that changes."""

import logging
import time
import traceback
from itertools import chain

import numpy as np
import pytest

from adverse_events.aws.settings import AwsSettings
from adverse_events.classification.endpoint.classifier import SageMakerClassifier
from adverse_events.classification.endpoint.settings import EndpointSettings
from adverse_events.errors import (
    AnswerError,
    ContractError,
    PermanentServiceError,
    TransientServiceError,
)
from tests.endpoint_server import (
    CARD,
    LABELS,
    NAME,
    connected,
    endpoint_in_moto,
    make_endpoint,
    toy_scores,
)
from tests.moto_server import cloud_at

MARK = "zebrafish"
"""A word of every post below; no error may carry it."""

CHUNKS = [[f"{MARK} post {chunk} {row}" for row in range(n)] for chunk, n in enumerate((7, 0, 20, 1, 13))]
TEXTS = list(chain.from_iterable(CHUNKS))


@pytest.fixture(scope="module")
def account(moto, listening):
    """Return what makes an account at these servers: `Cloud` by its settings."""
    with pytest.MonkeyPatch.context() as patch:

        def account(**settings):
            return connected(cloud_at(moto, patch, AwsSettings(**settings), sagemaker_runtime=listening.url))

        make_endpoint(account())
        yield account


@pytest.fixture(scope="module")
def cloud(account):
    return account(max_attempts=2)


@pytest.fixture(scope="module")
def patient(account):
    return account(max_attempts=6)


def _open(cloud, server, **settings):
    classifier = SageMakerClassifier.open(
        cloud, EndpointSettings(name=NAME, **{"texts_per_request": 10, "requests_in_flight": 3, **settings})
    )
    server.requests.clear()
    return classifier


def _score(classifier, chunks=CHUNKS):
    return list(classifier.score(chunks))


def _check(scored, chunks=CHUNKS):
    assert [len(chunk.probabilities) for chunk in scored] == [len(texts) for texts in chunks]
    found = np.concatenate([chunk.probabilities for chunk in scored])
    np.testing.assert_array_equal(found, toy_scores(list(chain.from_iterable(chunks))))


def _says_no_post(error):
    assert MARK not in "".join(traceback.format_exception(error))


def test_chunks_come_back_in_order_and_requests_span_them(cloud, server):
    classifier = _open(cloud, server)
    _check(_score(classifier))
    assert sorted(map(len, server.requests)) == [1, 10, 10, 10, 10]
    assert classifier.served_by == f"endpoint {NAME}, variant AllTraffic"


def test_no_more_requests_are_in_flight_than_the_setting_allows(cloud, server):
    classifier = _open(cloud, server, texts_per_request=1, requests_in_flight=3)
    server.scores = lambda texts: (time.sleep(0.02), toy_scores(texts))[1]
    server.most_at_once = 0
    _check(_score(classifier))
    assert server.most_at_once == 3


@pytest.mark.parametrize(
    "fault", ["throttle", "unavailable", "crash", "html", "gateway", "cut", "halved", "short", "nan"]
)
def test_a_passing_fault_leaves_the_same_scores(cloud, server, fault):
    classifier = _open(cloud, server)
    server.fault = lambda number, _texts: fault if number == 1 else None
    _check(_score(classifier))
    assert len(server.requests) == 6


def test_faults_on_one_request_in_twenty_leave_the_same_scores(patient, server):
    faults = ["throttle", "unavailable", "crash", "html", "gateway", "cut", "halved", "short", "nan"]
    classifier = _open(patient, server, texts_per_request=2, requests_in_flight=4)
    server.fault = lambda number, _texts: faults[number // 20 % 9] if number % 20 == 7 else None
    chunks = [[f"{MARK} {chunk} {row}" for row in range(40)] for chunk in range(10)]
    _check(_score(classifier, chunks), chunks)
    assert 200 < len(server.requests) < 230


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("throttle", TransientServiceError, "ThrottlingException"),
        ("overload", TransientServiceError, "container answered HTTP 503"),
        ("html", AnswerError, "is a proxy in between"),
        ("short", AnswerError, r"\d+ answers came back for \d+ texts"),
        ("labels", AnswerError, "other classes than NOT_ADE, ADE"),
        ("denied", PermanentServiceError, "lack this permission"),
        ("expired", PermanentServiceError, "credentials have expired"),
        ("skewed", PermanentServiceError, "this machine's clock"),
        ("replaced", ContractError, "model toy.another00000 answered in place of .*run again"),
    ],
)
def test_a_lasting_fault_ends_the_run_with_its_reason_and_no_post(cloud, server, fault, error, says):
    classifier = _open(cloud, server)
    server.fault = lambda number, _texts: fault if number else None
    with pytest.raises(error, match=says) as raised:
        _score(classifier)
    _says_no_post(raised.value)


def test_a_replaced_model_is_not_asked_again(cloud, server):
    classifier = _open(cloud, server, requests_in_flight=1)
    server.fault = lambda _number, _texts: "replaced"
    with pytest.raises(ContractError, match="replaced"):
        _score(classifier)
    assert len(server.requests) == 1


def test_a_score_that_stays_no_number_is_that_rows_alone(cloud, server):
    classifier = _open(cloud, server)
    server.fault = lambda _number, texts: "nan" if TEXTS[9] in texts else None
    found = np.concatenate([chunk.probabilities for chunk in _score(classifier)])
    expected = toy_scores(TEXTS)
    expected[9, -1] = np.nan
    np.testing.assert_array_equal(found, expected)


def test_posts_the_model_refuses_stand_alone_and_the_others_keep_their_scores(cloud, server):
    poisoned = {TEXTS[3], TEXTS[25], TEXTS[26]}
    classifier = _open(cloud, server)
    server.fault = lambda _number, texts: "poison" if poisoned & set(texts) else None
    scored = _score(classifier)
    refused = [CHUNKS[i][row] for i, chunk in enumerate(scored) for row in chunk.refusals]
    assert set(refused) == poisoned
    assert all(
        why == f"endpoint {NAME}: the model's container answered HTTP 400"
        for c in scored
        for why in c.refusals.values()
    )
    found = np.concatenate([chunk.probabilities for chunk in scored])
    expected = toy_scores(TEXTS)
    expected[[TEXTS.index(text) for text in poisoned]] = np.nan
    np.testing.assert_array_equal(found, expected)


def test_a_post_too_large_for_any_request_is_refused_without_asking(cloud, server):
    classifier = _open(cloud, server)
    huge = "é" * 3_200_000
    (scored,) = _score(classifier, [["before", huge, "after"]])
    assert scored.refusals.keys() == {1}
    assert "at most 6291456" in scored.refusals[1]
    assert np.isnan(scored.probabilities[1]).all()
    np.testing.assert_array_equal(scored.probabilities[[0, 2]], toy_scores(["before", "after"]))
    assert max(len(text) for texts in server.requests for text in texts) < 100


@pytest.mark.parametrize("n_poisonous", [1, 3])
def test_posts_on_which_the_model_fails_each_time_are_rejected_and_the_others_scored(cloud, server, n_poisonous):
    poisonous = set(TEXTS[5 : 5 + n_poisonous])
    server.fault = lambda _number, texts: "crash" if poisonous & set(texts) else None
    classifier = _open(cloud, server, texts_per_request=20)
    scored = _score(classifier)
    found = np.concatenate([chunk.probabilities for chunk in scored])
    assert {TEXTS[index] for index in np.flatnonzero(np.isnan(found[:, 0]))} == poisonous
    why = [detail for chunk in scored for detail in chunk.refusals.values()]
    assert why == [f"endpoint {NAME}: the model's container answered HTTP 500 each time it was asked for this post"] * (
        n_poisonous
    )
    assert len(server.requests) < 20 + 20 * n_poisonous


def test_a_container_that_fails_on_most_posts_ends_the_run_and_rejects_none(cloud, server):
    server.fault = lambda _number, texts: "crash" if MARK in "".join(texts) else None
    with pytest.raises(TransientServiceError, match="HTTP 500") as raised:
        _score(_open(cloud, server, texts_per_request=40))
    _says_no_post(raised.value)


def test_a_container_that_fails_on_harmless_texts_too_ends_the_run_undivided(cloud, server):
    classifier = _open(cloud, server, texts_per_request=40)
    server.fault = lambda _number, _texts: "crash"
    with pytest.raises(TransientServiceError, match="HTTP 500"):
        _score(classifier)
    assert {len(texts) for texts in server.requests} == {40, 1, 2}


def test_requests_of_our_container_are_larger_than_those_of_another(cloud, server):
    texts = [f"{MARK} {row}" for row in range(1100)]
    _score(_open(cloud, server, texts_per_request=None, requests_in_flight=1), [texts])
    assert list(map(len, server.requests)) == [1024, 76]
    server.card = None
    _score(_open(cloud, server, texts_per_request=None, requests_in_flight=1), [texts])
    assert list(map(len, server.requests)) == [256, 256, 256, 256, 76]


def test_requests_stay_within_their_bytes(cloud, server):
    classifier = _open(cloud, server, texts_per_request=1000, bytes_per_request=1000)
    _check(_score(classifier, [['"é☕\n' * 10] * 60]), [['"é☕\n' * 10] * 60])
    assert len(server.requests) > 5


def test_an_endpoint_deleted_in_mid_run_ends_it_within_a_few_requests(cloud, server):
    classifier = _open(cloud, server)
    server.fault = lambda number, _texts: "missing" if number > 1 else None
    with pytest.raises(PermanentServiceError, match="is not there") as raised:
        _score(classifier, CHUNKS * 20)
    _says_no_post(raised.value)
    assert len(server.requests) < 15


def test_a_failure_calls_off_what_waits_to_be_asked_again(account, server):
    """One request is throttled for ever, the next is denied: the run ends with the denial, at once."""
    classifier = _open(account(max_attempts=20), server, texts_per_request=1)
    server.fault = lambda _number, texts: "throttle" if texts == [TEXTS[0]] else "denied" if TEXTS[2] in texts else None
    started = time.monotonic()
    with pytest.raises(PermanentServiceError, match="AccessDenied"):
        _score(classifier)
    assert time.monotonic() - started < 5


def test_an_answer_that_takes_too_long_is_asked_for_again(account, server):
    classifier = _open(account(max_attempts=2, read_timeout_s=0.5), server)
    server.fault = lambda number, _texts: "slow" if number == 1 else None
    _check(_score(classifier))


def test_closing_the_scores_sends_nothing_more(cloud, server):
    """Chunks are read a few requests ahead, and no further once nobody reads."""
    n_read = 0

    def chunks():
        nonlocal n_read
        for chunk in range(1000):
            n_read += 1
            yield [f"{chunk} {row}" for row in range(10)]

    scores = _open(cloud, server, requests_in_flight=2).score(chunks())
    next(scores)
    scores.close()
    time.sleep(0.1)
    assert len(server.requests) <= 4
    assert n_read <= 6


def test_an_error_in_the_texts_source_is_the_callers_own(cloud, server):
    def chunks():
        yield ["one"]
        raise KeyError("the source broke")

    with pytest.raises(KeyError, match="the source broke"):
        list(_open(cloud, server).score(chunks()))


def test_no_chunks_ask_nothing(cloud, server):
    classifier = _open(cloud, server)
    assert _score(classifier, []) == []
    (empty,) = _score(classifier, [[]])
    assert empty.probabilities.shape == (0, len(LABELS))
    assert server.requests == []
    assert classifier.served_by == f"endpoint {NAME}"


def test_every_variant_that_answered_is_named(cloud, server):
    classifier = _open(cloud, server)
    _score(classifier, [["one"]])
    server.variant = "Shadow"
    _score(classifier, [["two"]])
    assert classifier.served_by == f"endpoint {NAME}, variant AllTraffic, variant Shadow"


def test_a_server_that_marks_what_it_cut_is_believed(cloud, server):
    (ours,) = _score(_open(cloud, server), [["short", "long " * 300]])
    assert ours.is_truncated == [False, True]
    server.card = None
    (foreign,) = _score(_open(cloud, server), [["short", "long " * 300]])
    assert foreign.is_truncated == [None, None]


def test_a_foreign_endpoint_whose_configuration_changes_in_mid_run_ends_it(cloud, server):
    server.card = None
    classifier = _open(cloud, server)
    scores = classifier.score(CHUNKS)
    next(scores)
    record = endpoint_in_moto()
    record.endpoint_config_name, before = "ade-config-2", record.endpoint_config_name
    cloud.client("sagemaker").create_endpoint_config(
        EndpointConfigName="ade-config-2",
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": "ade-model",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    try:
        with pytest.raises(ContractError, match="changed from ade-config to ade-config-2"):
            list(scores)
    finally:
        record.endpoint_config_name = before


def test_logs_carry_no_post(patient, server, caplog):
    classifier = _open(patient, server)
    faults = {1: "html", 2: "throttle", 3: "short"}
    server.fault = lambda number, texts: "poison" if TEXTS[3] in texts else faults.get(number)
    # botocore's own debug log prints requests; ours and the warnings of every library may not.
    with caplog.at_level(logging.INFO), caplog.at_level(logging.DEBUG, "adverse_events"):
        _score(classifier)
    assert MARK not in caplog.text
    assert classifier.model_version == CARD.version
