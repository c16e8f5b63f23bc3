"""The landing table behind a network that fails: nothing lost, nothing doubled, and what is new is known as new."""

import json

import pytest

from adverse_events.aws.settings import AwsSettings
from adverse_events.errors import TransientServiceError
from tests.faulty_service import Trouble, lost_answer, reset
from tests.landing_stores import dynamodb_store, ids_in, post
from tests.moto_server import cloud_at, moto_server

THROTTLED = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"


def throttled(_, environ, start_response):
    """DynamoDB's refusal of a request that comes too fast; it is not carried out."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = json.dumps({"__type": THROTTLED, "message": "made up for a test"}).encode()
    headers = [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
    start_response("400 Bad Request", headers)
    return [body]


@pytest.fixture
def trouble():
    return Trouble()


@pytest.fixture
def store(trouble, monkeypatch):
    with moto_server(trouble) as url:
        cloud = cloud_at(url, monkeypatch, AwsSettings(region="eu-west-1", max_attempts=8))
        with dynamodb_store(cloud) as store:
            yield store


@pytest.mark.parametrize("fault", [throttled, reset, lost_answer])
def test_puts_that_fail_for_now_are_asked_again(store, trouble, fault):
    trouble.fail_at_random(0.2, [fault], seed=3)
    posts = [post(number) for number in range(12)]
    landed = store.put([*posts, post(50, earlier_ids=(post(0).tweet_id,))])
    trouble.rules.clear()
    assert len(landed.new) == 13
    assert ids_in(store) == [*range(1, 12), 50]
    assert store.put(posts).n_duplicates == 12


def test_a_table_that_throttles_for_ever_says_that_asking_again_may_help(store, trouble, monkeypatch):
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    trouble.fail("POST", throttled)
    with pytest.raises(TransientServiceError, match="ProvisionedThroughputExceededException"):
        store.put([post(1)])
