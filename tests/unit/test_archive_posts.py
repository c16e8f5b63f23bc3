"""What becomes of one row: a post, or a reject with its reason, its place and what could be read of it."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from adverse_events.errors import UsageError
from adverse_events.source.archive import Archive, ArchiveSettings
from adverse_events.source.protocol import CHARACTERS_PER_CHUNK, ROWS_PER_CHUNK

AT = "2026-03-01T10:00:00.000Z"
MOMENT = datetime(2026, 3, 1, 10, tzinfo=UTC)
GOOD = {"id": "1", "text": "the rash went away", "created_at": AT}


@pytest.fixture
def read(tmp_path):
    """Write posts to a file and return what the archive makes of them: tweets, rejects."""

    def run(content, name="posts.jsonl", **settings):
        path = tmp_path / name
        if isinstance(content, list):
            content = "\n".join(item if isinstance(item, str) else json.dumps(item) for item in content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        chunks = list(Archive(ArchiveSettings(path=str(path), **settings)).read())
        return [t for c in chunks for t in c.tweets], [r for c in chunks for r in c.rejects]

    return run


def test_a_post_of_the_x_api_is_read_whole(read):
    post = {
        "id": "1765000000000000001",
        "edit_history_tweet_ids": ["1764999999999999999", "1765000000000000001"],
        "text": "day three on the new tablets and I…",
        "note_tweet": {"text": "day three on the new tablets and I still cannot sleep", "entities": {}},
        "created_at": AT,
        "author_id": "77",
        "lang": "en",
        "referenced_tweets": [{"type": "replied_to", "id": "5"}],
    }
    line = json.dumps({"data": post, "includes": {"users": [{"id": "77", "location": "Leeds"}]}})
    [tweet], [] = read(line)
    assert tweet.tweet_id == "1765000000000000001"
    assert tweet.text == "day three on the new tablets and I still cannot sleep"
    assert (tweet.created_at, tweet.lang, tweet.author_id, tweet.is_repost) == (MOMENT, "en", "77", False)
    assert (tweet.origin, tweet.row_number) == ("posts.jsonl", 1)
    assert tweet.payload_sha256 == hashlib.sha256(line.encode()).hexdigest()
    assert "cannot sleep" not in repr(tweet)


@pytest.mark.parametrize(
    ("change", "is_repost"),
    [
        ({"referenced_tweets": [{"type": "retweeted", "id": "5"}]}, True),
        ({"text": "RT @someone: the rash went away"}, True),
        ({"referenced_tweets": [{"type": "quoted", "id": "5"}]}, False),
        ({"referenced_tweets": None}, False),
        ({"text": "what does RT @ mean"}, False),
    ],
)
def test_reposts_are_told_by_their_reference_or_their_beginning(read, change, is_repost):
    [tweet], [] = read([{**GOOD, **change}])
    assert tweet.is_repost is is_repost


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "missing_id"),
        ({"id": None}, "missing_id"),
        ({"id": 1.5e18}, "bad_id"),
        ({"id": "1.76E+18"}, "bad_id"),
        ({"id": True}, "bad_id"),
        ({"text": None}, "null_text"),
        ({"text": ""}, "empty_text"),
        ({"text": " \n\t"}, "empty_text"),
        ({"text": 5}, "bad_text"),
        ({"text": "half \ud83d a pair"}, "lone_surrogate"),
        ({"text": "a\0b"}, "nul_character"),
        ({"text": "x" * 60_000}, "text_too_long"),
        ({"created_at": None}, "missing_created_at"),
        ({"created_at": " "}, "missing_created_at"),
        ({"created_at": "yesterday"}, "bad_created_at"),
        ({"created_at": 1_772_352_000_000}, "bad_created_at"),
        ({"created_at": "1970-01-01T00:00:00Z"}, "bad_created_at"),
        ({"created_at": "2026-02-30T00:00:00Z"}, "bad_created_at"),
        ({"created_at": "2026-03-01T10:00:00"}, "naive_created_at"),
        ({"created_at": "2026-03-01"}, "naive_created_at"),
    ],
)
def test_a_post_that_breaks_the_contract_is_rejected_with_its_reason(read, change, reason):
    tweets, [reject] = read([GOOD, {**GOOD, **change}, GOOD])
    assert [tweet.row_number for tweet in tweets] == [1, 3]
    assert (reject.reason, reject.origin, reject.row_number) == (reason, "posts.jsonl", 2)
    assert reject.tweet_id == (None if "id" in change else "1")
    assert reject.created_at == (None if "created_at" in change else MOMENT)


@pytest.mark.parametrize("key", ["id", "text", "created_at"])
def test_a_post_without_a_key_that_others_have_is_rejected(read, key):
    lacking = {name: value for name, value in GOOD.items() if name != key}
    [_], [reject] = read([GOOD, lacking])
    assert reject.reason == f"missing_{key}"


def test_no_reject_carries_the_text_of_its_post(read):
    secret = "quetiapine nightmares"  # noqa: S105 - a word to look for
    broken = [{**GOOD, "text": secret + "\ud800"}, {**GOOD, "text": secret * 3000}, f'{{"text": "{secret}']
    _, rejects = read([GOOD, *broken, {**GOOD, "created_at": secret}, {**GOOD, "id": {"a": secret}}])
    assert len(rejects) == 5
    assert "quetiapine" not in repr(rejects)


def test_a_surrogate_pair_written_as_two_escapes_is_one_character(read):
    [tweet], [] = read('{"id": "1", "text": "\\ud83d\\ude00", "created_at": "2026-03-01T10:00:00Z"}')
    assert tweet.text == "\N{GRINNING FACE}"


def test_a_lone_surrogate_in_a_field_nobody_reads_costs_nothing(read):
    [tweet], [] = read([{**GOOD, "place": "\ud83d"}])
    assert tweet.text == GOOD["text"]


def test_the_longest_text_taken_is_a_setting(read):
    long = {**GOOD, "text": "x" * 60_000}
    assert read([long], max_characters=60_000)[0][0].text == long["text"]
    assert "59999" in read([long], max_characters=59_999)[1][0].detail


@pytest.mark.parametrize(
    ("written", "lang"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("PT_br", "pt"),
        ("und", None),
        ("qme", None),
        ("zxx", None),
        ("", None),
        (7, None),
    ],
)
def test_a_language_is_kept_when_the_source_names_one(read, written, lang):
    [tweet], [] = read([{**GOOD, "lang": written}])
    assert tweet.lang == lang


def test_times_of_any_zone_become_utc(read):
    zone = timezone(timedelta(hours=5, minutes=30))
    [tweet], [] = read([{**GOOD, "created_at": MOMENT.astimezone(zone).isoformat()}])
    assert (tweet.created_at, tweet.created_at.tzinfo) == (MOMENT, UTC)


def test_columns_are_found_by_their_usual_names_whatever_their_case(read):
    [tweet], [] = read(f"Tweet_ID,Timestamp,Tweet,Language,User\n7,{AT},fine today,en,bob\n", "a.csv")
    assert (tweet.tweet_id, tweet.text, tweet.lang, tweet.author_id) == ("7", "fine today", "en", "bob")


def test_columns_asked_for_win_over_the_usual_names(read):
    [tweet], [] = read(
        f"id,key,text,said,created_at,when\n1,k,no,yes,2020-01-01T00:00Z,{AT}\n",
        "a.csv",
        text_column="said",
        id_column="key",
        time_column="when",
    )
    assert (tweet.tweet_id, tweet.text, tweet.created_at) == ("k", "yes", MOMENT)


@pytest.mark.parametrize("column", ["text_column", "id_column", "time_column", "lang_column", "author_column"])
def test_a_column_asked_for_that_is_not_there_is_refused_with_those_that_are(read, column):
    with pytest.raises(UsageError, match=r"posts\.jsonl: no column 'nope'; it has id, text, created_at"):
        read([GOOD], **{column: "nope"})


def test_a_file_without_any_text_or_time_is_refused_with_the_setting_that_names_it(read):
    with pytest.raises(UsageError, match="no column of text among id, said; name it with text_column"):
        read("id,said\n", "a.csv")
    with pytest.raises(UsageError, match=r"no column of times among id, text; name it with time_column.*assume_time"):
        read("id,text\n", "a.csv")


def test_a_file_of_which_no_row_can_be_read_comes_out_as_rejects(read):
    [], rejects = read(["{", "}"])
    assert [reject.reason for reject in rejects] == ["malformed_json", "malformed_json"]


def test_a_plain_file_of_texts_needs_only_an_assumed_time(read):
    tweets, [] = read("text,label\nno sleep,1\nall good,0\nno sleep,1\n", "a.csv", assume_time=MOMENT)
    assert {tweet.created_at for tweet in tweets} == {MOMENT}
    ids = [tweet.tweet_id for tweet in tweets]
    assert ids[0] == ids[2] != ids[1]
    again, [] = read("text\nall good\nno sleep\n", "b.csv", assume_time=MOMENT.astimezone(timezone(timedelta(hours=1))))
    assert [tweet.tweet_id for tweet in again] == [ids[1], ids[0]]


def test_an_assumed_time_fills_gaps_and_corrects_nothing(read):
    lines = [
        GOOD,
        {**GOOD, "created_at": None},
        {**GOOD, "created_at": "soon"},
        {**GOOD, "created_at": None, "text": ""},
    ]
    assumed = MOMENT + timedelta(days=1)
    tweets, rejects = read([*lines, "{"], assume_time=assumed)
    assert [tweet.created_at for tweet in tweets] == [MOMENT, assumed]
    assert [(reject.reason, reject.created_at) for reject in rejects] == [
        ("bad_created_at", None),
        ("empty_text", assumed),
        ("malformed_json", None),
    ]


def test_in_a_file_without_times_even_an_unreadable_row_is_of_the_assumed_one(read):
    _, [reject] = read("text\nfine\na,b\n", "a.csv", assume_time=MOMENT)
    assert (reject.reason, reject.created_at) == ("ragged_row", MOMENT)


@pytest.mark.parametrize("moment", ["2026-03-01T00:00", "1970-01-01T00:00Z"])
def test_an_assumed_time_has_a_zone_and_a_likely_year(moment):
    with pytest.raises(ValidationError, match="assume_time"):
        ArchiveSettings(assume_time=moment)


def test_parquet_posts_keep_number_ids_and_typed_times(tmp_path):
    rows = {"id": [1765000000000000001], "text": ["fine"], "created_at": pa.array([MOMENT], pa.timestamp("us", "UTC"))}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    [chunk] = Archive(ArchiveSettings(path=str(tmp_path / "a.parquet"))).read()
    assert (chunk.tweets[0].tweet_id, chunk.tweets[0].created_at) == ("1765000000000000001", MOMENT)


def test_parquet_times_without_a_zone_are_rejected(tmp_path):
    rows = {"id": ["1"], "text": ["fine"], "created_at": pa.array([datetime(2026, 3, 1)], pa.timestamp("us"))}  # noqa: DTZ001 - the point
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    [chunk] = Archive(ArchiveSettings(path=str(tmp_path / "a.parquet"))).read()
    assert [reject.reason for reject in chunk.rejects] == ["naive_created_at"]


def test_chunks_are_bounded_in_rows_and_in_characters(tmp_path):
    def chunk_sizes(n_posts: int, text: str) -> list[int]:
        line = json.dumps({**GOOD, "text": text}) + "\n"
        (tmp_path / "a.jsonl").write_text(line * n_posts)
        return [chunk.n_rows for chunk in Archive(ArchiveSettings(path=str(tmp_path / "a.jsonl"))).read()]

    assert chunk_sizes(ROWS_PER_CHUNK + 1, "short") == [ROWS_PER_CHUNK, 1]
    per_chunk = CHARACTERS_PER_CHUNK // 20_000 + 1
    assert chunk_sizes(per_chunk + 1, "x" * 20_000) == [per_chunk, 1]
