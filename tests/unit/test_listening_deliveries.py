"""A line of the stream: what it delivers, however damaged, and never a word of it in a reject."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from adverse_events.landing.masking import Masker
from adverse_events.landing.protocol import LandedPost, LandedReject
from adverse_events.listening.deliveries import Deliveries, Notice
from adverse_events.privacy import IdentityKey

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = IdentityKey(b"k" * 32)
ID = "1897640112640000001"


def line(**fields):
    post = {"id": ID, "text": "Two weeks on sertraline @someone", "created_at": "2026-03-01T11:59:58.120Z", **fields}
    return json.dumps({"data": post, "matching_rules": [{"id": "1", "tag": "ade:1"}]}).encode()


def deliver(raw, *, keeps_ids=False, retention_days=30):
    deliveries = Deliveries(Masker(KEY, keeps_ids=keeps_ids), max_characters=25_000, retention_days=retention_days)
    return list(deliveries.of_line(raw, NOW))


def test_a_post_is_masked_before_anything_else_sees_it():
    (post,) = deliver(line(author_id="77", lang="en"))
    assert isinstance(post, LandedPost)
    assert post.tweet_id == KEY.pseudonym(ID, "tweet")
    assert (post.text, post.author_pseudonym) == ("Two weeks on sertraline @user", None)
    assert post.created_at == datetime(2026, 3, 1, 11, 59, 58, 120_000, UTC)


def test_in_case_mode_the_id_stays_and_the_author_is_a_pseudonym():
    (post,) = deliver(line(author_id="77"), keeps_ids=True)
    assert (post.tweet_id, post.author_pseudonym) == (ID, KEY.pseudonym("77", "author"))


def test_a_heartbeat_delivers_nothing():
    assert deliver(b"") == deliver(b"  ") == []


def test_unknown_fields_are_no_trouble():
    (post,) = deliver(line(withheld={"country_codes": ["DE"]}, novelty={"deep": [1, {"er": None}]}))
    assert isinstance(post, LandedPost)


def test_a_withheld_post_without_text_is_rejected_and_accounted_for():
    (reject,) = deliver(line(text="", withheld={"copyright": True, "country_codes": ["XX"]}))
    assert (reject.reason, reject.tweet_id) == ("empty_text", KEY.pseudonym(ID, "tweet"))


def test_the_versions_before_an_edit_are_named():
    (post,) = deliver(line(edit_history_tweet_ids=["1", "2", ID]))
    assert post.earlier_ids == tuple(KEY.pseudonym(each, "tweet") for each in ("1", "2"))


def test_of_a_long_post_the_whole_text_lands():
    (post,) = deliver(line(text="Two weeks…", note_tweet={"text": "Two weeks on sertraline and no sleep"}))
    assert post.text.endswith("no sleep")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (line()[:70], "malformed_json"),
        (b'{"data": 5}', "missing_text"),
        (b"[1, 2]", "not_a_post"),
        (line(text=None), "null_text"),
        (line(created_at="yesterday"), "bad_created_at"),
        (b"\xff" + line(), "invalid_utf8"),
    ],
)
def test_what_is_no_post_is_kept_as_a_reject_without_its_text(raw, reason):
    (reject,) = deliver(raw)
    assert isinstance(reject, LandedReject)
    assert (reject.reason, reject.received_at) == (reason, NOW)
    assert "sertraline" not in repr(reject)


@pytest.mark.parametrize(
    ("created_at", "reason"),
    [(NOW + timedelta(days=2), "dated_ahead"), (NOW - timedelta(days=31), "older_than_retention")],
)
def test_a_post_of_an_impossible_time_is_filed_under_its_arrival(created_at, reason):
    (reject,) = deliver(line(created_at=created_at.isoformat()))
    assert (reject.reason, reject.created_at, reject.dated) == (reason, None, NOW)


def test_a_clock_that_is_hours_off_loses_nothing():
    (post,) = deliver(line(created_at=(NOW + timedelta(hours=5)).isoformat()))
    assert isinstance(post, LandedPost)


def test_what_x_says_of_the_connection_is_a_notice():
    raw = b'{"errors": [{"title": "operational-disconnect", "disconnect_type": "OperationalDisconnect"}]}'
    assert deliver(raw) == [Notice("operational-disconnect")]
    assert deliver(b'{"errors": "odd"}') == [Notice("an error without a title")]
