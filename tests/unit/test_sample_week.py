"""The sample week is what the generator makes, honest about what it holds, and hard where it should be."""

from __future__ import annotations

import csv
import gzip
import html
import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from adverse_events.errors import UsageError
from adverse_events.sample import defects, grammar, wire
from adverse_events.sample.clock import SNOWFLAKE_EPOCH_MS, SNOWFLAKE_LOW_BITS
from adverse_events.sample.composition import COPIES, SHARES
from adverse_events.sample.generate import RESENT_EVERY, generate, write_sample
from adverse_events.sample.week import (
    DAYS,
    GOLD_FILE,
    N_POSTS,
    PAGES_FILE,
    POSTS_FILE,
    POSTS_FOLDER,
    SEED,
    START,
    gold_labels,
    sample_week,
)
from adverse_events.source.archive import Archive, ArchiveSettings

ICD10CM_CODE = re.compile(r"[A-TV-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?")
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")


@pytest.fixture(scope="module")
def week():
    return list(generate(N_POSTS, SEED))


@pytest.fixture(scope="module")
def gold():
    with gold_labels().open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def singles():
    return gzip.decompress((sample_week() / POSTS_FILE).read_bytes()).decode().splitlines()


@pytest.fixture(scope="module")
def pages():
    return [json.loads(line) for line in (sample_week() / PAGES_FILE).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def chunks():
    """The bundle as the archive source reads it."""
    return list(Archive(ArchiveSettings(path=str(sample_week()))).read())


def test_the_bundled_files_are_what_the_generator_writes(tmp_path, singles):
    """Compressed bytes may differ between zlib versions, the lines may not."""
    posts = write_sample(tmp_path)
    assert gzip.decompress((posts / POSTS_FILE).read_bytes()).decode().splitlines() == singles
    assert (posts / PAGES_FILE).read_bytes() == (sample_week() / PAGES_FILE).read_bytes()
    assert (tmp_path / GOLD_FILE).read_bytes() == gold_labels().read_bytes()


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_the_command_line_writes_the_same_bytes_under_any_hash_seed(tmp_path, hash_seed):
    command = [sys.executable, "-m", "adverse_events.sample.generate", str(tmp_path / "there"), "--posts", "300"]
    subprocess.run([*command, "--seed", "7"], check=True, env={**os.environ, "PYTHONHASHSEED": hash_seed})
    write_sample(tmp_path / "here", 300, 7)
    for name in (GOLD_FILE, f"{POSTS_FOLDER}/{POSTS_FILE}", f"{POSTS_FOLDER}/{PAGES_FILE}"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_another_seed_gives_other_posts():
    assert [post.text for post in generate(50, 1)] != [post.text for post in generate(50, 2)]


def test_the_bundle_is_large_enough_and_small_enough(singles, gold):
    assert len(singles) >= 2400
    assert len(gold) == N_POSTS
    files = [sample_week() / POSTS_FILE, sample_week() / PAGES_FILE, gold_labels()]
    assert sum(file.stat().st_size for file in files) < 1_500_000


def test_every_row_is_a_labelled_post_a_resent_one_or_a_counted_reject(chunks, gold):
    times = Counter(tweet.tweet_id for chunk in chunks for tweet in chunk.tweets)
    assert set(times) == {row["tweet_id"] for row in gold}
    assert Counter(times.values()) == {2: N_POSTS // RESENT_EVERY, 1: N_POSTS - N_POSTS // RESENT_EVERY}
    assert Counter(reject.reason for chunk in chunks for reject in chunk.rejects) == defects.MALFORMED


def test_what_the_source_reads_is_the_whole_text(chunks, week):
    """Long posts from their note; the API escapes ampersands."""
    written = {post.tweet_id: post.text for post in week}
    read = {tweet.tweet_id: tweet.text for chunk in chunks for tweet in chunk.tweets}
    assert {tweet_id: html.unescape(text) for tweet_id, text in read.items()} == written


def test_the_defects_are_those_the_table_counts():
    assert Counter(reason for reason, _ in defects.defects(START)) == defects.MALFORMED


def test_blank_keep_alive_lines_are_strewn_among_the_posts(singles):
    assert singles.count("") == defects.BLANK_LINES


def test_about_one_post_in_twelve_is_an_event_and_every_kind_is_there(week):
    assert 0.07 <= sum(post.is_ade for post in week) / N_POSTS <= 0.1
    kinds = Counter(post.kind for post in week)
    assert set(kinds) == set(SHARES)
    for kind in set(SHARES) - {*COPIES, "advert"}:  # an advert stands in where there is nothing to copy
        assert kinds[kind] / N_POSTS == pytest.approx(SHARES[kind] / 1000, abs=0.004)


def test_events_name_at_least_forty_ingredients_and_sixty_codes(week):
    events = [post for post in week if post.is_ade]
    assert len({ingredient for post in events for ingredient in post.drug_ingredients}) >= 40
    assert len({code for post in events for _, code in post.events}) >= 60


def test_no_single_word_marks_most_events(week):
    """A classifier that looks for one word must fail."""
    ours = [set(re.findall(r"[a-z']+", post.text.lower())) for post in week if post.kind == "ade"]
    theirs = [set(re.findall(r"[a-z']+", post.text.lower())) for post in week if not post.is_ade]
    common = Counter(word for words in theirs for word in words)
    for word, n_posts in Counter(word for words in ours for word in words).items():
        if common[word] / len(theirs) < 0.05:
            assert n_posts / len(ours) < 0.2, word


def test_gold_events_are_spans_of_the_text_with_codes(week, gold):
    for post, row in zip(week, gold, strict=True):
        assert bool(post.events) == post.is_ade == (row["is_ade"] == "1")
        for surface, code in post.events:
            assert surface in post.text
            assert not set(surface) & set(";=&<>")
            assert ICD10CM_CODE.fullmatch(code)
        assert row["events"] == ";".join(f"{surface}={code}" for surface, code in post.events)
        assert not PRIVATE_USE.search(post.text)


def test_an_event_names_its_drug_and_a_post_without_a_drug_names_none(week):
    assert all(post.drug_ingredients for post in week if post.is_ade)
    assert not any(post.drug_ingredients for post in week if post.kind == "no_drug")


def test_ids_are_snowflakes_in_time_order(week):
    ids = [int(post.tweet_id) for post in week]
    assert ids == sorted(set(ids))
    assert ids[0] > 2**53
    for post, tweet_id in zip(week, ids, strict=True):
        age = timedelta(milliseconds=(tweet_id >> SNOWFLAKE_LOW_BITS) + SNOWFLAKE_EPOCH_MS)
        assert datetime.fromtimestamp(0, UTC) + age == post.created_at


def test_posts_fill_the_week_and_thin_out_at_night(week):
    assert START <= week[0].created_at <= week[-1].created_at < START + timedelta(days=DAYS)
    assert len({post.created_at.date() for post in week}) == DAYS
    by_hour = Counter(post.created_at.hour for post in week)
    assert by_hour[8] + by_hour[9] < by_hour[0] + by_hour[1]


def test_copies_of_adverts_and_posts_share_an_hour_with_their_original(week):
    """Screening finds duplicates inside a window, so there must be some to find."""
    seen = set()
    for post in week:
        said = (post.created_at.replace(minute=0, second=0, microsecond=0), post.text)
        assert post.kind != "duplicate" or said in seen
        seen.add(said)
    assert sum(post.kind == "near_duplicate" for post in week) >= 50


def test_reposts_repeat_a_post_and_are_nobodys_event(week):
    reposts = [post for post in week if post.kind == "repost"]
    assert all(post.text.startswith("RT @fake_") and not post.is_ade for post in reposts)
    kinds = Counter(post.reference.kind if post.reference else "by hand" for post in reposts)
    assert kinds["retweeted"] > kinds["by hand"] > 0


def test_a_long_post_is_cut_and_its_note_is_whole(week):
    long_posts = [post for post in week if len(post.text) > wire.LONGEST_TEXT]
    assert len(long_posts) >= 20
    for post in long_posts:
        tweet = wire.tweet(post)
        assert re.search(r"… https://t\.co/\w+$", tweet["text"])
        assert len(tweet["note_tweet"]["text"]) >= len(post.text) > len(tweet["text"])
    assert any(surface not in wire.tweet(post)["text"] for post in long_posts for surface, _ in post.events)


def test_short_posts_have_no_note(week):
    assert all("note_tweet" not in wire.tweet(p) for p in week if len(p.text) <= wire.LONGEST_TEXT)


def test_pages_are_whole_and_newest_first(pages):
    *full, empty = pages
    assert empty == {"meta": {"result_count": 0}}
    for page in full:
        ids = [int(tweet["id"]) for tweet in page["data"]]
        assert ids == sorted(ids, reverse=True)
        assert page["meta"]["result_count"] == len(ids)
        assert {tweet["author_id"] for tweet in page["data"]} <= {user["id"] for user in page["includes"]["users"]}
    assert any("tweets" in page["includes"] for page in full)
    assert any("places" in page["includes"] for page in full)


def test_entities_point_into_the_text(pages):
    tweets = [tweet for page in pages for tweet in page.get("data", [])]
    spans = [(t["text"], tag) for t in tweets for tag in t.get("entities", {}).get("hashtags", [])]
    assert spans
    assert all(text[tag["start"] : tag["end"]] == f"#{tag['tag']}" for text, tag in spans)


def test_single_posts_come_wrapped_and_bare(singles):
    shapes = Counter("data" if line.startswith('{"data"') else "bare" for line in singles if line.startswith('{"'))
    assert shapes["data"] > shapes["bare"] > 100


def test_accounts_links_and_numbers_are_invented(week):
    text = "\n".join(post.text for post in week)
    assert all(post.author.username.startswith("fake_") and len(post.author.username) <= 15 for post in week)
    assert all(handle.lower().startswith("fake_") for handle in re.findall(r"(?<!\w)@(\w+)", text))
    assert all(link.startswith("https://t.co/x") for link in re.findall(r"https?://\S+", text))
    assert all(mail.lower() == "example" for mail in re.findall(r"\w@(\w+)\.", text))
    assert all(number.startswith("555-01") for number in re.findall(r"\d{3}-\d{4}", text))


def test_there_are_hundreds_of_frames_and_every_class_and_symptom_they_name_exists():
    frames = [frame for kind in SHARES if kind not in COPIES for frame in grammar.frames_of(kind)]
    assert len({frame.text for frame in frames}) == len(frames) >= 250
    classes = grammar.drug_classes()
    known = {*classes, *(entry["taken"] for entry in classes.values())}
    assert all(name in known for frame in frames for name in frame.classes)
    assert {symptom for entry in classes.values() for symptom in entry["wrong"]} <= set(grammar.symptoms())


def test_many_posts_stay_distinct():
    texts = [post.text for post in generate(20_000, 3)]
    assert len(set(texts)) / len(texts) > 0.9


@pytest.mark.parametrize(
    ("n_posts", "start", "days"),
    [(-1, START, 7), (5, START, 0), (5, datetime(2026, 3, 2), 7)],  # noqa: DTZ001 - a naive start is the point
)
def test_impossible_requests_are_refused(n_posts, start, days):
    with pytest.raises(UsageError):
        generate(n_posts, 1, start=start, days=days)


def test_no_posts_is_a_sample_of_defects_only(tmp_path):
    folder = write_sample(tmp_path, 0)
    lines = gzip.decompress((folder / POSTS_FILE).read_bytes()).decode().splitlines()
    assert len(lines) == len(defects.defects(START)) + defects.BLANK_LINES
    assert (tmp_path / GOLD_FILE).read_text(encoding="utf-8").count("\n") == 1
