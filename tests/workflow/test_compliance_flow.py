"""Deletions end to end: from a list, or from X over HTTP, to a lake that no run can fill again."""

import json
import os
import time
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO

import pyarrow.parquet as pq
import pytest

from ade.__main__ import run
from adverse_events.aws.settings import AwsSettings
from adverse_events.errors import UsageError
from adverse_events.landing.protocol import LandedPost, StoreFacts
from adverse_events.landing.sqlite import SqliteLanding
from adverse_events.local_x.listener import LocalX
from adverse_events.privacy import IdentityKey
from adverse_events.source.protocol import Tweet
from adverse_events.source.x.state import Standing, StoredRow, XState
from flows.backfill import backfill_adverse_events
from flows.comply import comply_with_deletions
from flows.detect import detect_adverse_events
from tests.moto_server import BUCKET, REGION, cloud_at, make_bucket, moto_server, objects_in

KEY = "an identity key of a test, long enough"
WORD = "zanzibarquokka"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SYMPTOMS = ("nausea", "a pounding headache", "itchy red hives")


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("ADE_PRIVACY__IDENTITY_KEY", KEY)


@pytest.fixture
def posts(tmp_path):
    """Two hours of posts; 900 and 901 say the same, and 900 is kept for both."""
    same = f"{WORD} three days on sertraline and the nausea will not let me sleep at all"
    rows = [
        {
            "id": str(900 + number),
            "created_at": f"2026-03-01T0{number % 2}:{number:02d}:00Z",
            "lang": "en",
            "text": f"{WORD}{number} {SYMPTOMS[number % 3]} since i went on metformin, that is day {number}",
        }
        for number in range(2, 12)
    ]
    rows += [
        {"id": str(900 + number), "created_at": f"2026-03-01T00:0{number}:00Z", "lang": "en", "text": same}
        for number in range(2)
    ]
    path = tmp_path / "posts.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def hash_of(tweet_id):
    return IdentityKey(KEY.encode()).tweet_hash(tweet_id)


def stored(lake):
    ids = set()
    for part in lake.glob("assessments/*/*/*.parquet"):
        for row in pq.ParquetFile(part).read(["tweet_id", "duplicate_tweet_ids"]).to_pylist():
            ids |= {row["tweet_id"], *row["duplicate_tweet_ids"]}
    return ids


def detect(posts, lake, **options):
    return detect_adverse_events.fn(source=str(posts), lake=str(lake), options=options)


def test_a_deleted_post_never_comes_back_and_its_duplicate_takes_its_place(posts, tmp_path):
    lake = tmp_path / "lake"
    detect(posts, lake)
    (tmp_path / "gone.txt").write_text("900\n904 protected\n")
    account = comply_with_deletions.fn(deletions=str(tmp_path / "gone.txt"), lake=str(lake))

    assert not stored(lake) & {hash_of("900"), hash_of("904")}
    assert (account.by_reason, account.n_due) == ({"protected": 1, "user_request": 1}, 1)
    again = backfill_adverse_events.fn(source=str(posts), lake=str(lake))
    assert not stored(lake) & {hash_of("900"), hash_of("904")}
    assert hash_of("901") in stored(lake)
    assert dict(again.deleted) == {"protected": 1, "user_request": 1}
    assert backfill_adverse_events.fn(source=str(posts), lake=str(lake)).n_windows == 0


def test_a_list_given_before_the_first_run_counts_as_well(posts, tmp_path):
    lake = tmp_path / "lake"
    empty = tmp_path / "other.jsonl"
    empty.write_text(json.dumps({"id": "1", "created_at": "2026-02-01T00:00:00Z", "lang": "en", "text": "nothing"}))
    detect(empty, lake)
    (tmp_path / "gone.csv").write_text("tweet_id,reason\n905,suspended\n")
    assert comply_with_deletions.fn(deletions=str(tmp_path / "gone.csv"), lake=str(lake)).n_in_lake == 0

    account = detect(posts, lake)
    assert dict(account.deleted) == {"suspended": 1}
    assert hash_of("905") not in stored(lake)


def test_x_says_what_is_gone_from_the_archive_a_signal_lake_was_made_of(posts, tmp_path, monkeypatch):
    lake = tmp_path / "lake"
    detect(posts, lake)
    with LocalX() as x:
        x.state.compliance.takes_s = 0
        x.state.delete("902")
        monkeypatch.setenv("ADE_X__BASE_URL", x.address)
        monkeypatch.setenv("ADE_X__BEARER_TOKEN", x.state.token)
        account = comply_with_deletions.fn(ask_x=True, lake=str(lake), options={"source.path": str(posts)})
        with pytest.raises(UsageError, match="holds no ids that X could read"):
            comply_with_deletions.fn(ask_x=True, lake=str(lake))

    assert account.by_reason == {"deleted": 1}
    assert hash_of("902") not in stored(lake)


def test_x_is_asked_about_the_ids_of_a_case_lake(posts, tmp_path, monkeypatch):
    lake = tmp_path / "lake"
    detect(posts, lake, **{"privacy.mode": "case"})
    with LocalX() as x:
        x.state.compliance.takes_s = 0
        x.state.protect("903", "901")
        monkeypatch.setenv("ADE_X__BASE_URL", x.address)
        monkeypatch.setenv("ADE_X__BEARER_TOKEN", x.state.token)
        comply_with_deletions.fn(ask_x=True, lake=str(lake), options={"privacy.mode": "case"})
        asked = {tweet_id for job in x.state.compliance.jobs.values() for tweet_id in job.ids}

    assert {"900", "901", "903"} <= asked
    assert not stored(lake) & {"901", "903"}


def test_the_commands_say_what_went_and_never_an_id(posts, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lake = tmp_path / "lake"
    detect(posts, lake)
    assert run(["forget", "902", "--lake", "lake", "--dry-run", "--json"]) == 0
    dry = json.loads(capsys.readouterr().out)
    assert (dry["rows_deleted"], dry["windows_rewritten"], hash_of("902") in stored(lake)) == (1, 1, True)

    (tmp_path / "gone.txt").write_text("902\n1.9E+18\n777\n")
    assert run(["comply", "gone.txt", "--lake", "lake", "--strict"]) == 3
    said = capsys.readouterr()
    assert "gone.txt line 2: the id was rounded" in said.err
    assert "902" not in said.out + said.err
    assert hash_of("902") not in stored(lake)
    assert run(["comply", "gone.txt", "--lake", "nowhere"]) == 2
    assert not (tmp_path / "nowhere").exists()
    monkeypatch.setenv("ADE_PRIVACY__IDENTITY_KEY", KEY[::-1])
    assert run(["forget", "903", "--lake", "lake"]) == 2
    assert "key fingerprint" in capsys.readouterr().err


def test_the_report_page_written_afterwards_shows_the_post_no_more(posts, tmp_path):
    lake, page = tmp_path / "lake", tmp_path / "report.html"
    detect(posts, lake)
    (tmp_path / "gone.txt").write_text("\n".join(str(900 + number) for number in range(12)))
    comply_with_deletions.fn(deletions=str(tmp_path / "gone.txt"), lake=str(lake), report=str(page))
    assert page.is_file()
    assert WORD not in page.read_text()


def test_calls_and_mail_are_assessed_like_posts(tmp_path):
    drop = tmp_path / "drop"
    for name, text in {
        "calls/2026-03-01T0930Z.txt": "Caller Jane Roe has had a bad rash all over since she started lamotrigine.",
        "mail/a.eml": "From: ann@example.org\nDate: Sun, 01 Mar 2026 10:30:00 +0000\nMessage-ID: <m1@example.org>\n\n"
        "Sertraline gave me terrible nausea, I had to stop taking it.\n",
    }.items():
        path = drop / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        os.utime(path, (time.time() - 3600,) * 2)
    lake = tmp_path / "lake"
    account = detect(drop, lake, **{"source.kind": "drop"})

    assert (account.rows_read, account.rows_assessed) == (2, 2)
    rows = [row for part in lake.glob("assessments/*/*/*.parquet") for row in pq.ParquetFile(part).read().to_pylist()]
    assert {row["source"] for row in rows} == {"calls", "mail"}
    (tmp_path / "gone.txt").write_text("m1@example.org\n")
    assert comply_with_deletions.fn(deletions=str(tmp_path / "gone.txt"), lake=str(lake)).by_reason == {
        "user_request": 1
    }
    assert detect(drop, lake, **{"source.kind": "drop"}).rows_assessed == 1


def test_the_landing_store_forgets_too_and_keeps_the_post_out(posts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADE_LANDING__PATH", str(tmp_path / "landing.sqlite"))
    detect(posts, tmp_path / "lake")
    landed = LandedPost(hash_of("902"), "masked", datetime(2026, 3, 1, tzinfo=UTC), "en", None, False, "0" * 64)  # noqa: FBT003
    facts = StoreFacts("signal", IdentityKey(KEY.encode()).fingerprint, 60)
    with closing(SqliteLanding.open(tmp_path / "landing.sqlite", facts)) as store:
        store.put([landed])
    (tmp_path / "gone.txt").write_text("902\n")
    account = comply_with_deletions.fn(deletions=str(tmp_path / "gone.txt"), lake=str(tmp_path / "lake"))

    assert (account.n_landed, account.n_in_lake) == (1, 1)
    with closing(SqliteLanding.open(tmp_path / "landing.sqlite", facts)) as store:
        assert store.put([landed]).n_forgotten == 1
    assert comply_with_deletions.fn(deletions=str(tmp_path / "gone.txt"), lake=str(tmp_path / "lake")).n_landed == 0


def test_the_pages_that_a_search_keeps_forget_too(posts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADE_X__STATE_FOLDER", str(tmp_path / "state"))
    detect(posts, tmp_path / "lake")
    kept = [
        StoredRow(root, 0, Tweet(hash_of(root), "masked", NOON, "en", None, False, "x", None, root * 16))  # noqa: FBT003
        for root in ("902", "903")
    ]
    with XState(tmp_path / "state") as state:
        state.save("a day", "a query", Standing(is_done=True), kept)
    (tmp_path / "gone.txt").write_text("902\n")

    account = comply_with_deletions.fn(deletions=str(tmp_path / "gone.txt"), lake=str(tmp_path / "lake"))

    assert (account.n_landed, account.n_in_lake) == (1, 1)
    with XState(tmp_path / "state") as state:
        assert [row.tweet_id for row in state.rows("a day")] == [hash_of("903")]


def test_a_lake_in_a_bucket_loses_the_post_for_good_too(posts, tmp_path, monkeypatch):
    with moto_server() as url:
        cloud = cloud_at(url, monkeypatch, AwsSettings(region=REGION))
        make_bucket(cloud)
        lake = f"s3://{BUCKET}/lake"
        options = {"aws.region": REGION}
        with pytest.raises(UsageError, match="there is no lake"):
            comply_with_deletions.fn(lake=lake, options=options)
        detect(posts, lake, **options)
        (tmp_path / "gone.txt").write_text("900\n904 protected\n")
        account = comply_with_deletions.fn(deletions=str(tmp_path / "gone.txt"), lake=lake, options=options)
        again = backfill_adverse_events.fn(source=str(posts), lake=lake, options=options)

        assert (account.by_reason, account.n_due) == ({"protected": 1, "user_request": 1}, 1)
        assert dict(again.deleted) == {"protected": 1, "user_request": 1}
        parts = objects_in(cloud, prefix="lake/assessments/").values()
        left = {name for data in parts for name in pq.read_table(BytesIO(data))["tweet_id"].to_pylist()}
        assert hash_of("901") in left
        assert not left & {hash_of("900"), hash_of("904")}
        assert comply_with_deletions.fn(lake=lake, options=options).forgotten == ()
