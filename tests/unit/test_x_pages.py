"""Answers of X as they really come: unknown fields, odd values, posts that are none; each is a row or a reject."""

import json
from datetime import timedelta

import pytest

from adverse_events.privacy import PrivacySettings
from adverse_events.source.protocol import Reject, Tweet
from adverse_events.source.x.pages import PageReader
from adverse_events.source.x.state import XState
from tests.x_server import KEY, START, stored

POST = {
    "id": "2028258985374646279",
    "edit_history_tweet_ids": ["2028258985374646279"],
    "text": "two weeks on sertraline &amp; dizzy",
    "created_at": "2026-03-02T00:00:00.000Z",
    "lang": "en",
}


def read(*posts, errors=(), mode="signal"):
    reader = PageReader("x://all/2026", PrivacySettings(mode=mode), KEY, (START, START + timedelta(days=1)))
    page = {"data": list(posts), "errors": list(errors), "meta": {"result_count": len(posts)}, "novelty": {"a": 1}}
    return [row.outcome for row in reader.read(json.loads(json.dumps(page)))]


def test_fields_nobody_asked_for_change_nothing_but_the_payloads_hash():
    (plain,), (novel,) = read(POST), read({**POST, "novel": {"deep": [1, None, {}]}, "public_metrics": {"a": 1e400}})
    assert (plain.tweet_id, plain.text, plain.created_at) == (novel.tweet_id, novel.text, novel.created_at)
    assert plain.payload_sha256 != novel.payload_sha256


def test_an_id_beyond_what_floats_hold_stays_whole_even_as_a_number():
    (tweet,) = read({**POST, "id": 2**63 - 1, "edit_history_tweet_ids": None})
    assert tweet.tweet_id == stored(str(2**63 - 1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "missing_id"),
        ({"id": 2.028258985374646e18}, "bad_id"),
        ({"text": None}, "null_text"),
        ({"text": ""}, "empty_text"),
        ({"text": "half a pair \ud83d"}, "lone_surrogate"),
        ({"created_at": "yesterday"}, "bad_created_at"),
        ({"created_at": "2026-03-02T00:00:00"}, "naive_created_at"),
        ({"created_at": "2026-03-04T00:00:00Z"}, "wrong_time"),
    ],
)
def test_a_post_that_is_none_is_a_reject_with_its_reason(change, reason):
    (reject,) = read({**POST, **change})
    assert isinstance(reject, Reject)
    assert reject.reason == reason
    assert "half a pair" not in repr(reject)


@pytest.mark.parametrize("thing", [None, 3, "text", [POST], True])
def test_what_stands_in_place_of_a_post_is_a_reject(thing):
    assert [row.reason for row in read(thing)] == ["not_a_post"]


@pytest.mark.parametrize("history", [None, [], "2028258985374646279", {"a": 1}])
def test_a_history_of_versions_that_is_none_leaves_the_post_its_own(history):
    assert isinstance(read({**POST, "edit_history_tweet_ids": history})[0], Tweet)


@pytest.mark.parametrize("error", [None, 3, "text", {}, {"title": 5}, {"title": "Not Found Error", "value": "private"}])
def test_any_partial_error_is_one_reject_that_quotes_no_value(error):
    (reject,) = read(errors=[error])
    assert reject.reason == "partial_error"
    assert "private" not in repr(reject)


@pytest.mark.parametrize("mode", ["signal", "case"])
def test_what_is_kept_comes_back_as_it_was(tmp_path, mode):
    reader = PageReader("x", PrivacySettings(mode=mode), KEY, (START, START + timedelta(days=1)))
    page = {"data": [{**POST, "author_id": "1700"}, {**POST, "id": None}], "meta": {}}
    rows = list(reader.read(page))
    with XState(tmp_path) as state:
        state.save("span", "query", state.standing("span", "query"), rows)
        assert list(state.rows("span")) == [row.outcome for row in rows]
