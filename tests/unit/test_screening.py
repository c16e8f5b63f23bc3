"""The screening station: every row goes on, is screened out for one reason, or is refused."""

import hashlib
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from pydantic import ValidationError

from adverse_events.errors import ContractError
from adverse_events.screening.drugs import DrugLexicon
from adverse_events.screening.screen import ScreeningSettings, screen
from adverse_events.staging import REJECTED, SCREENED, TWEETS, Batch, StagedWriter, Tally, read_staged
from adverse_events.windows import windows_between

START = datetime(2026, 3, 1, tzinfo=UTC)
LEXICON = DrugLexicon.load()
LONG = "prozac has had me up since four in the morning and I honestly want to scream into a pillow"


def post(text, tweet_id=None, *, hour=0, minute=0, lang="en", is_repost=False, row=1):
    window = START + timedelta(hours=hour)
    digest = hashlib.sha256(f"{text}{tweet_id}{row}".encode()).hexdigest()
    return {
        "tweet_id": tweet_id or digest[:8],
        "text": text,
        "created_at": window + timedelta(minutes=minute),
        "lang": lang,
        "source": "x",
        "author_pseudonym": None,
        "author_country": None,
        "author_region": None,
        "author_city": None,
        "is_repost": is_repost,
        "origin": "posts.jsonl",
        "row_number": row,
        "payload_sha256": digest,
        "window_start": window,
    }


@pytest.fixture
def staged(tmp_path):
    """Return a function that stages posts as the source does: sorted, in chunks, each window's rows counted."""

    def stage(posts, n_windows=1, rows_per_chunk=4096):
        windows = tuple(windows_between(START, START + timedelta(hours=n_windows)))
        order = ("window_start", "created_at", "tweet_id", "payload_sha256")
        posts = sorted(posts, key=lambda row: tuple(row[name] for name in order))
        with StagedWriter(tmp_path / "tweets.arrow", TWEETS) as rows:
            for begin in range(0, len(posts), rows_per_chunk):
                rows.write_rows(posts[begin : begin + rows_per_chunk])
        tallies = {w: Tally(rows_in=sum(row["window_start"] == w.start for row in posts)) for w in windows}
        return Batch(windows, tmp_path / "tweets.arrow", (), tallies)

    return stage


def rows_of(path):
    return [row for chunk in read_staged(path) for row in chunk.to_pylist()]


def screened_out(batch, hour=0):
    return dict(batch.tallies[batch.windows[hour]].screened_out)


def check_account(batch):
    """Rows in = rows passed + screened out + rejected, in each window."""
    passed = [row["window_start"] for row in rows_of(batch.rows)]
    for window in batch.windows:
        batch.tallies[window].check(window, passed.count(window.start))


def test_each_reason_is_counted_and_the_rest_goes_on(staged):
    posts = [
        post("Lexapro gives me such vivid dreams", "1", minute=1),
        post("RT Lexapro gives me such dreams", "2", minute=2, is_repost=True),
        post("El lexapro me da dolor de cabeza", "3", minute=3, lang="es"),
        post("nothing to see here", "4", minute=4),
        post("Lexapro gives me such vivid dreams", "1", minute=5, row=9),
        post("@user lexapro gives me such vivid dreams!! [link]", "5", minute=6),
        post(LONG, "6", minute=7),
        post(LONG + " lol", "7", minute=8),
    ]
    batch = screen(staged(posts), ScreeningSettings(), LEXICON)
    assert screened_out(batch) == {
        "repost": 1,
        "other_language": 1,
        "no_drug_mention": 1,
        "duplicate_id": 1,
        "exact_duplicate": 1,
        "near_duplicate": 1,
    }
    assert [(row["tweet_id"], row["n_duplicates"], row["duplicate_tweet_ids"]) for row in rows_of(batch.rows)] == [
        ("1", 1, ["5"]),
        ("6", 1, ["7"]),
    ]
    assert batch.rejects == ()
    check_account(batch)


def test_a_row_goes_on_unchanged_with_its_mentions(staged):
    given = post("day 3 on #Lexapro and Zoloft\u2019s gone 😭", "1", lang=None)
    (row,) = rows_of(screen(staged([given]), ScreeningSettings(), LEXICON).rows)
    assert [(m["mention"], m["ingredient"]) for m in row["drug_mentions"]] == [
        ("Lexapro", "escitalopram"),
        ("Zoloft", "sertraline"),
    ]
    assert all(given["text"][m["begin"] : m["end"]] == m["mention"] for m in row["drug_mentions"])
    assert row["lang"] == "en"
    assert (row["n_duplicates"], row["duplicate_tweet_ids"]) == (0, [])
    unchanged = set(TWEETS.names) & set(SCREENED.names) - {"lang"}
    assert {name: row[name] for name in unchanged} == {name: given[name] for name in unchanged}


def test_a_negation_is_not_a_duplicate(staged):
    posts = [post("headache on prozac", "1"), post("no headache on prozac", "2")]
    assert len(rows_of(screen(staged(posts), ScreeningSettings(), LEXICON).rows)) == 2


def test_an_id_with_two_texts_keeps_the_longest_and_refuses_the_other(staged):
    posts = [post("prozac today", "1", row=4), post("prozac today again, day nine", "1", minute=2, row=8)]
    batch = screen(staged(posts), ScreeningSettings(), LEXICON)
    assert [row["row_number"] for row in rows_of(batch.rows)] == [8]
    (rejects,) = batch.rejects
    (reject,) = rows_of(rejects)
    assert (reject["reason"], reject["row_number"], reject["tweet_id"]) == ("conflicting_duplicate_id", 4, "1")
    assert "posts.jsonl row 8" in reject["detail"]
    assert "prozac" not in reject["detail"]
    assert set(reject) == set(REJECTED.names)
    assert dict(batch.tallies[batch.windows[0]].rejected) == {"conflicting_duplicate_id": 1}
    check_account(batch)


def test_earlier_rejects_are_kept(staged, tmp_path):
    batch = staged([post("prozac", "1"), post("prozac again", "1", row=2)])
    before = tmp_path / "rejects-source.arrow"
    screened = screen(Batch(batch.windows, batch.rows, (before,), batch.tallies), ScreeningSettings(), LEXICON)
    assert screened.rejects[0] == before
    assert len(screened.rejects) == 2


def test_duplicates_are_looked_for_inside_one_window_only(staged):
    posts = [post(LONG, "1"), post(LONG, "2", hour=1), post(LONG, "3", hour=1, minute=1)]
    batch = screen(staged(posts, 3), ScreeningSettings(), LEXICON)
    assert [row["tweet_id"] for row in rows_of(batch.rows)] == ["1", "2"]
    assert [screened_out(batch, hour) for hour in range(3)] == [{}, {"exact_duplicate": 1}, {}]
    check_account(batch)


def test_a_screened_out_row_cannot_stand_for_others(staged):
    """A repost that came first would otherwise take the original with it."""
    posts = [post(LONG, "1", is_repost=True), post(LONG, "2", minute=1)]
    batch = screen(staged(posts), ScreeningSettings(), LEXICON)
    assert [row["tweet_id"] for row in rows_of(batch.rows)] == ["2"]


@pytest.mark.parametrize(
    ("given", "n_kept"),
    [
        ({}, 1),
        ({"keep_reposts": True}, 2),
        ({"require_drug_mention": False}, 2),
        ({"languages": ("en", "es")}, 2),
        ({"languages": ()}, 2),
        ({"near_duplicates": False}, 2),
        ({"near_duplicate_similarity": 1.0}, 2),
    ],
)
def test_a_setting_lets_one_more_kind_of_post_through(staged, given, n_kept):
    posts = [
        post(LONG, "1"),
        post(LONG + " lol", "2"),
        post("zoloft zoloft", "3", is_repost=True),
        post("mit ibuprofen ins bett", "4", lang="es"),
        post("just a headache", "5"),
    ]
    batch = screen(staged(posts), ScreeningSettings(**given), LEXICON)
    assert len(rows_of(batch.rows)) == n_kept
    check_account(batch)


@pytest.mark.parametrize(
    "wrong",
    [
        {"near_duplicate_similarity": 0.2},
        {"min_language_confidence": 2},
        {"languages": "en"},
        {"languages": ["English"]},
        {"unknown": 1},
    ],
)
def test_a_setting_out_of_bounds_is_refused(wrong):
    with pytest.raises(ValidationError):
        ScreeningSettings(**wrong)


def test_an_empty_batch_and_an_empty_window_work(staged):
    empty = screen(staged([], 2), ScreeningSettings(), LEXICON)
    assert rows_of(empty.rows) == []
    with pa.memory_map(str(empty.rows)) as source:
        assert pa.ipc.open_file(source).schema == SCREENED
    check_account(empty)


def test_a_window_in_which_nothing_passes_works(staged):
    batch = screen(staged([post("hello", "1"), post("rt", "2", is_repost=True)]), ScreeningSettings(), LEXICON)
    assert rows_of(batch.rows) == []
    assert screened_out(batch) == {"repost": 1, "no_drug_mention": 1}


def test_only_the_batchs_own_files_remain(staged, tmp_path):
    screen(staged([post(LONG, "1")]), ScreeningSettings(), LEXICON)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["screened.arrow", "tweets.arrow"]


def test_rows_of_a_foreign_window_are_refused(staged):
    batch = staged([post(LONG, "1", hour=1)], 1)
    with pytest.raises(ContractError, match="2026-03-01T01:00Z"):
        screen(batch, ScreeningSettings(), LEXICON)


def test_the_result_does_not_depend_on_the_order_or_the_chunks_of_the_input(staged):
    """Also when clusters, conflicts and windows reach over several chunks."""
    posts = [
        post(
            f"{LONG} {'lol ' * (number % 3)}{number % 7}",
            str(number % 40),
            hour=number % 2,
            minute=number % 60,
            row=number,
        )
        for number in range(120)
    ]
    whole = screen(staged(posts, 2), ScreeningSettings(), LEXICON)
    expected = (rows_of(whole.rows), [rows_of(path) for path in whole.rejects], whole.tallies)
    pieces = screen(staged(posts[::-1], 2, rows_per_chunk=7), ScreeningSettings(), LEXICON)
    assert (rows_of(pieces.rows), [rows_of(path) for path in pieces.rejects], pieces.tallies) == expected
    check_account(pieces)
