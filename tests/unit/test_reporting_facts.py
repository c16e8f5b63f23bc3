"""What is read from a lake is what its receipts and positives say, within the range asked for."""

from datetime import datetime, timedelta

import pytest

from adverse_events.errors import UsageError
from adverse_events.reporting import facts as facts_module
from adverse_events.reporting.facts import gather
from adverse_events.reporting.positive import UNCODED
from adverse_events.windows import Window
from tests.report_lake import CODES, WEEK, assessment, make_lake, write_sample_week, write_undated, write_window

FIRST, SECOND = Window(WEEK), Window(WEEK.replace(hour=1))
HEADACHE = "[=Zoloft|sertraline] and [=sertraline|sertraline] gave me a [!headache|R51.9]"
BOTH = "🤢 [=aspirin|aspirin] on [=Zoloft|sertraline]: [!headache|R51.9], [!fog|], [~no rash|R21]"


def at(minutes):
    return WEEK + timedelta(minutes=minutes)


@pytest.fixture
def lake(tmp_path):
    make_lake(tmp_path)
    write_window(
        tmp_path,
        FIRST,
        [
            assessment(HEADACHE, at=at(5), tweet_id="a", probability=0.7),
            assessment(HEADACHE, at=at(6), tweet_id="b", probability=0.2),
            assessment(BOTH, at=at(7), tweet_id="c", probability=0.9),
        ],
        screened_out={"repost": 4},
    )
    write_window(tmp_path, SECOND, [assessment(HEADACHE, at=at(65), tweet_id="d", probability=0.6)])
    write_undated(tmp_path, "posts.jsonl", 2)
    return tmp_path


def test_drugs_codes_and_pairs_count_a_post_once_and_only_what_it_reports(lake):
    facts = gather(lake)
    assert facts.top_ingredients() == [("sertraline", 3), ("aspirin", 1)]
    assert facts.top_codes() == [("R51.9", 3), (UNCODED, 1)]
    assert facts.top_pairs(2) == [(("sertraline", "R51.9"), 3), (("aspirin", UNCODED), 1)]
    assert facts.descriptions == {"R21": CODES["R21"], "R51.9": CODES["R51.9"]}


def test_positives_are_counted_by_the_hour(lake):
    assert gather(lake).posts_by_start() == {at(0): 2, at(60): 1}


def test_many_kinds_of_post_are_counted_by_the_day_instead(lake, monkeypatch):
    monkeypatch.setattr(facts_module, "MAX_HOURLY_CELLS", 2)
    facts = gather(lake)
    assert facts.minutes_per_cell == 24 * 60
    assert facts.posts_by_start() == {at(0): 3}


def test_a_cap_keeps_the_most_probable_posts_and_counts_all(lake):
    facts = gather(lake, max_positives=2)
    assert [positive.ade_probability for positive in facts.positives] == [0.9, 0.7]
    assert facts.n_positives == facts.account.rows_positive == 3


def test_offsets_still_point_at_the_words_after_an_emoji(lake):
    post = gather(lake).positives[0]
    assert [post.text[drug.begin : drug.end] for drug in post.drugs] == ["aspirin", "Zoloft"]
    assert [post.text[event.begin : event.end] for event in post.events] == ["headache", "fog", "no rash"]
    assert [event.is_event for event in post.events] == [True, True, False]


def test_a_range_holds_the_windows_that_start_in_it_and_no_undated_input(lake):
    facts = gather(lake, start=at(30), end=at(120))
    assert (facts.account.n_windows, facts.account.rows_in, facts.n_positives) == (1, 1, 1)


def test_without_a_range_undated_input_is_part_of_the_account(lake):
    account = gather(lake).account
    assert (account.rows_in, account.rows_undated) == (4 + 4 + 2, 2)


def test_a_range_without_windows_has_no_facts(lake):
    facts = gather(lake, start=at(6000))
    assert (facts.account.rows_in, facts.n_positives, facts.positives, facts.cells) == (0, 0, (), ())


def test_posts_can_be_referred_to_in_signal_mode_only(lake):
    """Elsewhere tweet_id is the real id, which leads to a person."""
    assert {positive.reference for positive in gather(lake).positives} == {"a", "c", "d"}
    write_window(lake, Window(WEEK.replace(hour=2)), [], privacy_mode="case")
    assert {positive.reference for positive in gather(lake).positives} == {None}


def test_posts_without_kept_text_are_still_counted(tmp_path):
    row = assessment(HEADACHE, at=at(5), tweet_id="a")
    nothing = {"text": None, "begin": None, "end": None}
    row |= {"text": None, "events": [event | nothing for event in row["events"]]}
    row["drug_mentions"] = [mention | {"mention": None} for mention in row["drug_mentions"]]
    write_window(make_lake(tmp_path), FIRST, [row], keep_text="none")
    facts = gather(tmp_path)
    assert facts.positives[0].text is None
    assert facts.top_codes() == [("R51.9", 1)]


def test_the_sample_week_adds_up(tmp_path):
    write_sample_week(tmp_path, n_posts=60)
    facts = gather(tmp_path)
    account = facts.account
    assert account.rows_in == account.rows_assessed + account.rows_screened_out + account.rows_rejected
    assert facts.n_positives == account.rows_positive == sum(facts.posts_by_start().values()) == 60


def test_a_range_that_ends_before_it_starts_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is not after start"):
        gather(tmp_path, start=at(60), end=at(60))


def test_a_naive_time_is_refused(tmp_path):
    with pytest.raises(UsageError, match="has no time zone"):
        gather(tmp_path, start=datetime(2026, 3, 2))  # noqa: DTZ001 - the point of the test


def test_a_folder_that_is_no_lake_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no lake"):
        gather(tmp_path)


def test_a_lake_without_any_window_has_no_facts(tmp_path):
    facts = gather(make_lake(tmp_path))
    assert (facts.account.rows_in, facts.n_positives, facts.account.span) == (0, 0, None)


TOLD = {"text": "the ER", "begin": 0, "end": 6, "is_author": True}


def test_serious_posts_come_first_then_special_situations_then_the_most_probable(tmp_path):
    make_lake(tmp_path)
    posts = [
        assessment("[=zoloft|sertraline] [!dizzy|R42]", at=WEEK, tweet_id="routine", probability=0.99),
        assessment(
            "[=zoloft|sertraline] [!dizzy|R42]",
            at=WEEK,
            tweet_id="special",
            probability=0.7,
            special_situations=[{"situation": "overdose", **TOLD}],
        ),
        assessment(
            "[=zoloft|sertraline] [!dizzy|R42]",
            at=WEEK,
            tweet_id="serious",
            probability=0.6,
            seriousness=[{"criterion": "hospitalization", **TOLD}],
            special_situations=[{"situation": "overdose", **TOLD}],
        ),
    ]
    write_window(tmp_path, Window(WEEK), posts)
    facts = gather(tmp_path)
    assert [positive.reference for positive in facts.positives] == ["serious", "special", "routine"]
    assert [positive.priority for positive in facts.positives] == ["serious", "special_situation", "routine"]
    assert list(facts.posts_by_priority().items()) == [("serious", 1), ("special_situation", 1), ("routine", 1)]
    assert gather(tmp_path, max_positives=1).positives[0].reference == "serious"


def test_a_category_is_not_counted_beside_its_own_code(tmp_path):
    make_lake(tmp_path)
    post = "[=zoloft|sertraline] [!bleeding|K92] [!black stool|K92.1] [!odd|] [!black stool|K92.1]"
    write_window(tmp_path, Window(WEEK), [assessment(post, at=WEEK, tweet_id="a")])
    assert gather(tmp_path).top_codes() == [("", 1), ("K92.1", 1)]
