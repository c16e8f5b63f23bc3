"""Search on X as a source of posts, over HTTP: complete, each post once, resumable, never over its caps."""

import json
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from adverse_events.errors import AnswerError, PermanentServiceError, TransientServiceError, UsageError
from adverse_events.local_x.clock import Clock
from adverse_events.local_x.faults import Fault
from adverse_events.local_x.listener import LocalX
from adverse_events.local_x.state import State
from adverse_events.sample.clock import snowflake
from adverse_events.source.x.pages import check_page
from adverse_events.source.x.search_settings import POSTS_PER_PAGE
from adverse_events.source.x.state import FILE, Standing, XState
from adverse_events.windows import Window
from tests.x_server import START, add_posts, ids, read, search_for, stored


@pytest.fixture
def server():
    with LocalX(state=State(clock=Clock(START + timedelta(days=2)))) as running:
        yield running


@pytest.fixture
def state(server):
    return server.state


def test_every_page_of_every_query_is_read_and_a_post_that_two_find_comes_once(server, state, tmp_path):
    made = add_posts(state, 130) + add_posts(state, 1, drug="sertraline and ibuprofen", hours=5)
    search = search_for(server, tmp_path, product="recent", search__longest_query_recent=60)
    assert len(search._queries) > 5
    tweets, rejects, left_out = read(search)
    assert ids(tweets) == sorted(map(stored, made))
    assert (rejects, left_out) == ([], [])
    assert state.served == 132


def test_posts_of_other_hours_languages_and_reposts_are_not_asked_for(server, state, tmp_path):
    (inside,) = add_posts(state, 1, hours=23)
    add_posts(state, 1, hours=24)
    add_posts(state, 1, hours=1, lang="es")
    add_posts(state, 1, hours=2, referenced_tweets=[{"type": "retweeted", "id": "1"}])
    tweets, _, _ = read(search_for(server, tmp_path))
    assert ids(tweets) == [stored(inside)]
    assert state.served == 1


def test_a_long_post_has_its_whole_text(server, state, tmp_path):
    add_posts(state, 1, note_tweet={"text": "the whole of it, with sertraline at its very end"}, text="the whole of…")
    ((tweet,), _, _) = read(search_for(server, tmp_path))
    assert tweet.text == "the whole of it, with sertraline at its very end"


def test_of_an_edited_post_the_latest_version_is_kept(server, state, tmp_path):
    """Between two pages an author edits: one query has seen the first version, the next one sees the second."""
    (first,) = add_posts(state, 1, drug="sertraline and ibuprofen")
    later = str(snowflake(START + timedelta(minutes=20), 3))
    search = search_for(server, tmp_path, search__longest_query_all=60)
    ask, n_found = search._client.get, 0

    def get(*arguments, **more):
        nonlocal n_found
        page = ask(*arguments, **more)
        n_found += bool(page.get("data"))
        if page.get("data") and n_found == 1:
            state.edit(first, later, "sertraline and ibuprofen: it was the ibuprofen")
        return page

    search._client.get = get
    ((tweet,), _, _) = read(search)
    assert n_found == 2
    assert tweet.tweet_id == stored(later)
    assert tweet.text.endswith("it was the ibuprofen")


def test_ids_beyond_what_floats_hold_stay_apart(server, state, tmp_path):
    base = snowflake(START, 0)
    for low in range(3):
        add_posts(state, 1, id=str(base + low), edit_history_tweet_ids=[str(base + low)])
    tweets, _, _ = read(search_for(server, tmp_path, privacy__mode="case"))
    assert ids(tweets) == [str(base + low) for low in range(3)]
    assert base > 2**53


def test_in_signal_mode_nothing_of_the_author_is_asked_for_or_kept(server, state, tmp_path):
    add_posts(state, 1, text="sertraline, says @fern_1, write to fern@example.org", note_tweet={})
    ((tweet,), _, _) = read(search_for(server, tmp_path))
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert tweet.author_id is None
    assert b"1700000000000000001" not in held
    assert b"fern" not in held
    assert b"Ohio" not in held
    assert add_posts(state, 1)[0].encode() not in held
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_in_case_mode_the_author_becomes_a_pseudonym(server, state, tmp_path):
    (made,) = add_posts(state, 1)
    ((tweet,), _, _) = read(search_for(server, tmp_path, privacy__mode="case"))
    assert tweet.tweet_id == made
    assert len(tweet.author_id) == 32


def test_withheld_posts_unknown_fields_and_broken_posts_are_all_accounted_for(server, state, tmp_path):
    add_posts(state, 1, withheld={"copyright": False, "country_codes": ["DE"], "scope": "tweet"}, novel={"a": [1]})
    add_posts(state, 1, hours=1, lang="en", created_at=None)
    add_posts(state, 1, hours=2, text="", note_tweet={"text": ""}, entities={})
    state.add({"id": str(snowflake(START + timedelta(hours=3), 0)), "text": "sertraline", "lang": "en"})
    tweets, rejects, _ = read(search_for(server, tmp_path))
    assert len(tweets) == 1
    assert sorted(reject.reason for reject in rejects) == ["missing_created_at", "missing_created_at"]


@pytest.mark.parametrize(
    "page", [{}, {"data": []}, {"data": {"id": "1"}, "meta": {}}, {"meta": "none"}, {"errors": []}]
)
def test_an_answer_that_does_not_say_whether_more_follows_is_not_taken_for_the_last(page):
    with pytest.raises(AnswerError, match="no page of posts"):
        check_page(page)


def test_a_page_without_posts_may_have_a_next_one(server, state, tmp_path, monkeypatch):
    """X's pages hold up to so many posts, and may hold none before the last."""
    (made,) = add_posts(state, 1)
    search = search_for(server, tmp_path)
    ask = search._client.get
    answers = iter([{"meta": {"result_count": 0, "next_token": "t"}}])
    monkeypatch.setattr(
        search._client,
        "get",
        lambda path, params, check: next(answers, None) or ask(path, {**params, "next_token": None}, check=check),
    )
    tweets, _, _ = read(search)
    assert ids(tweets) == [stored(made)]


def test_a_post_of_another_time_than_asked_for_is_refused_and_in_no_window(server, state, tmp_path):
    add_posts(state, 1, created_at="2026-03-05T00:00:00.000Z")
    tweets, (reject,), _ = read(search_for(server, tmp_path))
    assert (tweets, reject.reason, reject.created_at) == ([], "wrong_time", None)


def test_partial_errors_are_counted_and_the_posts_kept(server, state, tmp_path):
    made = add_posts(state, 3)
    state.faults.set("search/all", {Fault.PARTIAL: 1.0})
    tweets, (reject,), _ = read(search_for(server, tmp_path))
    assert ids(tweets) == sorted(map(stored, made))
    assert reject.reason == "partial_error"
    assert "tweet, referenced_tweets.id, Not Found Error" in reject.detail


@pytest.mark.parametrize("product", ["recent", "all"])
def test_faults_change_no_row(server, state, tmp_path, product):
    made = add_posts(state, 1400)
    state.faults.everywhere(0.1, (f"search/{product}",))
    search = search_for(
        server, tmp_path, product=product, x__max_attempts=12, search__hours_per_request=2, **QUERIES[product]
    )
    tweets, rejects, left_out = read(search)
    assert ids(tweets) == sorted(map(stored, made))
    assert (rejects, left_out) == ([], [])
    assert state.faults.done.total() > 3


QUERIES = {"recent": {"search__longest_query_recent": 70}, "all": {"search__longest_query_all": 70}}


def test_a_run_that_fails_half_way_goes_on_from_its_page(server, state, tmp_path):
    made = add_posts(state, 350)
    state.faults.set("search/recent", {Fault.SERVER_ERROR: 1.0}, after=2)
    with pytest.raises(TransientServiceError, match="HTTP 503"):
        read(search_for(server, tmp_path, product="recent"))
    assert state.served == 200
    state.faults.clear()
    tweets, _, _ = read(search_for(server, tmp_path, product="recent"))
    assert ids(tweets) == sorted(map(stored, made))
    assert state.served == 350


@pytest.mark.parametrize("lifetime", [0, 1.5])
def test_an_expired_page_token_costs_no_post_and_doubles_none(server, state, tmp_path, lifetime):
    made = add_posts(state, 350)
    state.faults.set("search/recent", {Fault.SERVER_ERROR: 1.0}, after=2)
    with pytest.raises(TransientServiceError):
        read(search_for(server, tmp_path, product="recent"))
    state.faults.clear()
    state.token_lifetime_s = lifetime
    state.clock.advance(3600)
    if not lifetime:
        state.token_lifetime_s = 3000
    tweets, _, _ = read(search_for(server, tmp_path, product="recent"))
    assert ids(tweets) == sorted(map(stored, made))
    # Only the posts of the second it went on from are paid for again.
    assert state.served <= 352


def test_tokens_that_expire_at_once_end_the_run_instead_of_going_round(server, state, tmp_path):
    add_posts(state, 10)
    for number in range(200):
        moment = START + timedelta(hours=1, milliseconds=number)
        add_posts(
            state,
            1,
            id=str(snowflake(moment, 0)),
            created_at=f"2026-03-02T01:00:00.{number:03d}Z",
            edit_history_tweet_ids=[str(snowflake(moment, 0))],
        )
    state.token_lifetime_s = -1
    with pytest.raises(TransientServiceError, match="expire at once"):
        read(search_for(server, tmp_path, product="recent"))


def test_a_cap_stops_between_pages_keeps_whole_spans_and_the_next_run_goes_on(server, state, tmp_path):
    made = [*add_posts(state, 40), *add_posts(state, 130, hours=6)]
    capped = {"product": "recent", "search__hours_per_request": 6}
    tweets, _, left_out = read(search_for(server, tmp_path, x__max_posts_per_run=145, **capped))
    assert ids(tweets) == sorted(map(stored, made[:40]))
    assert [(part.start, part.end) for part in left_out] == [
        (START + timedelta(hours=h), START + timedelta(hours=h + 6)) for h in (6, 12, 18)
    ]
    assert "x.max_posts_per_run (145) is reached" in left_out[0].why
    assert state.served == 140
    tweets, _, left_out = read(search_for(server, tmp_path, x__max_posts_per_run=145, **capped))
    assert ids(tweets) == sorted(map(stored, made))
    assert left_out == []
    assert state.served == 170


def test_a_cap_is_never_exceeded_by_a_page(server, state, tmp_path):
    add_posts(state, 300)
    read(search_for(server, tmp_path, x__max_posts_per_run=217))
    assert 207 < state.served <= 217


def test_a_cap_below_the_smallest_page_says_so_instead_of_asking_to_run_again(server, state, tmp_path):
    add_posts(state, 3)
    _, _, (part,) = read(search_for(server, tmp_path, x__max_posts_per_run=9))
    assert "less than X's smallest page, 10 posts; raise it" in part.why
    assert "backfill" in part.why
    assert state.asked.total() == 0


def test_a_station_that_is_tried_again_has_no_second_allowance(server, state, tmp_path):
    add_posts(state, 300)
    for _ in range(2):
        read(search_for(server, tmp_path, x__max_posts_per_run=100, run="this run"))
    assert state.served == 100


def test_the_months_cap_counts_all_runs(server, state, tmp_path):
    add_posts(state, 300)
    for _ in range(3):
        _, _, left_out = read(search_for(server, tmp_path, x__max_posts_per_month=150))
    assert state.served == 150
    assert "next month" in left_out[0].why


def test_the_accounts_own_cap_stops_as_cleanly(server, state, tmp_path):
    add_posts(state, 40)
    add_posts(state, 40, hours=6)
    state.posts_left = 40
    tweets, _, left_out = read(search_for(server, tmp_path, search__hours_per_request=6))
    assert len(tweets) == 40
    assert "monthly cap" in left_out[0].why


def test_only_windows_that_are_due_are_read(server, state, tmp_path):
    add_posts(state, 1, hours=1)
    due = add_posts(state, 1, hours=3)
    tweets, _, left_out = read(search_for(server, tmp_path, due=[Window(START + timedelta(hours=3))]))
    assert ids(tweets) == sorted(map(stored, due))
    assert [(part.start.hour, part.end.hour, part.why) for part in left_out] == [(0, 3, None), (4, 0, None)]
    assert state.served == 1


def test_posts_just_fetched_are_read_again_without_being_paid_for(server, state, tmp_path):
    add_posts(state, 5)
    first, second = (read(search_for(server, tmp_path))[0] for _ in range(2))
    assert first == second
    assert state.served == 5
    read(search_for(server, tmp_path, search__reuse_hours=0))
    assert state.served == 10


def test_runs_at_once_share_what_is_kept_and_each_has_every_post(server, state, tmp_path):
    made = add_posts(state, 700)
    searches = [search_for(server, tmp_path, product="recent", search__drugs="sertraline") for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        results = [tweets for tweets, _, _ in threads.map(read, searches)]
    assert all(ids(tweets) == sorted(map(stored, made)) for tweets in results)


def test_the_state_file_may_be_opened_by_many_at_once(tmp_path):
    program = "import sys; from pathlib import Path; from adverse_events.source.x.state import Spent, XState\n"
    program += "for _ in range(20):\n    with XState(Path(sys.argv[1])) as state: state.spend(Spent(1, 0, 1))"
    command = [sys.executable, "-c", program, str(tmp_path / "state")]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    assert [(process.communicate(timeout=60)[1], process.returncode) for process in running] == [(b"", 0)] * 3
    with XState(tmp_path / "state") as file:
        assert file.spent_in_month().posts == 60


def test_posts_that_another_run_takes_away_are_no_empty_window(server, state, tmp_path):
    add_posts(state, 5)
    search = search_for(server, tmp_path)
    rows = search._state.rows

    def taken_away(span):
        with XState(tmp_path) as other:
            other.forget_old(done_hours=0, begun_hours=0)
        return rows(span)

    search._state.rows = taken_away
    with pytest.raises(TransientServiceError, match="another run has removed posts"):
        read(search)


def test_a_query_that_is_read_to_its_end_stays_so(tmp_path):
    """A run that is a page behind another saves after it."""
    with XState(tmp_path) as state:
        state.save("span", "query", Standing(is_done=True))
        state.save("span", "query", Standing(end_time="2026-03-02T00:00:00Z", oldest=1.0))
        assert state.is_done("span", ["query"])


def test_another_list_of_drugs_is_another_search(server, state, tmp_path):
    add_posts(state, 5)
    add_posts(state, 5, drug="warfarin", hours=4)
    assert len(read(search_for(server, tmp_path))[0]) == 5
    assert len(read(search_for(server, tmp_path, search__drugs="sertraline,warfarin"))[0]) == 10


def test_a_full_archive_page_has_its_own_size(server, state, tmp_path):
    add_posts(state, 600)
    read(search_for(server, tmp_path, product="all"))
    n_all = state.asked["search/all"]
    read(search_for(server, tmp_path, product="recent"))
    assert POSTS_PER_PAGE["all"] == 500
    assert (n_all, state.asked["search/recent"]) == (2, 6)


def test_a_range_further_back_than_a_week_names_the_full_archive(server, tmp_path):
    server.state.clock.advance(86_400 * 30)
    with pytest.raises(PermanentServiceError, match="x://all"):
        read(search_for(server, tmp_path, product="recent"))


def test_a_search_without_a_range_is_refused():
    from adverse_events.assembly import live  # noqa: PLC0415
    from adverse_events.settings import load_settings  # noqa: PLC0415

    with pytest.raises(UsageError, match="--start and --end"):
        live.windows_of(load_settings({"source.path": "x://all"}), None, None)


def test_a_state_file_that_is_none_is_named_with_a_remedy(server, tmp_path):
    (tmp_path / FILE).write_text("not a database, but long enough to be taken for one" * 20)
    with pytest.raises(PermanentServiceError, match=r"x\.state_folder"):
        search_for(server, tmp_path)


def test_a_deleted_post_can_be_taken_out_of_what_is_kept(server, state, tmp_path):
    deleted, *others = add_posts(state, 3)
    read(search_for(server, tmp_path))
    with XState(tmp_path) as file:
        assert file.forget([stored(deleted), stored("77")]) == 1
    tweets, _, _ = read(search_for(server, tmp_path))
    assert ids(tweets) == sorted(map(stored, others))
    assert state.served == 3


def test_what_is_old_is_forgotten(server, state, tmp_path):
    add_posts(state, 3)
    read(search_for(server, tmp_path))
    later = time.time() + 7 * 3600
    with XState(tmp_path, clock=lambda: later) as file:
        file.forget_old(done_hours=8, begun_hours=72)
        assert file._file.execute("SELECT count(*) FROM rows").fetchone() == (3,)
        file.forget_old(done_hours=6, begun_hours=72)
        assert file._file.execute("SELECT count(*) FROM rows").fetchone() == (0,)
        assert file.spent_in_month().posts == 3


PROGRAM = """
import os, sys
from datetime import timedelta
from pydantic import SecretStr
from adverse_events.assembly import live
from adverse_events.privacy import IdentityKey
from adverse_events.settings import load_settings
from tests.x_server import KEY, START

address, folder, n_pages = sys.argv[1], sys.argv[2], int(sys.argv[3])
settings = load_settings({
    "source.path": "x://recent", "x.base_url": address, "x.state_folder": folder, "search.drugs": "sertraline"})
windows = live.windows_of(settings, START, START + timedelta(days=1))
source = live.search_for(settings, windows, KEY, SecretStr("local-x-token"))
save = source._state.save

def kill_after(*arguments, **more):
    global n_pages
    save(*arguments, **more)
    n_pages -= 1
    if not n_pages:
        os.kill(os.getpid(), 9)

source._state.save = kill_after
list(source.read())
"""


def test_a_run_that_is_killed_again_and_again_pays_for_each_post_once(server, state, tmp_path):
    made = add_posts(state, 450)
    for n_pages in (1, 2):
        command = [sys.executable, "-c", PROGRAM, server.address, str(tmp_path), str(n_pages)]
        assert subprocess.run(command, check=False, timeout=60).returncode == -9
    tweets, _, _ = read(search_for(server, tmp_path, product="recent", search__drugs="sertraline"))
    assert ids(tweets) == sorted(map(stored, made))
    assert state.served == 450


def test_a_page_is_kept_whole_or_not_at_all(server, state, tmp_path):
    """A kill between two pages is the same as one at any moment: posts, token and price are one transaction."""
    add_posts(state, 250)
    state.faults.set("search/recent", {Fault.SERVER_ERROR: 1.0}, after=1)
    with pytest.raises(TransientServiceError):
        read(search_for(server, tmp_path, product="recent"))
    with sqlite3.connect(tmp_path / FILE) as file:
        ((n_rows,),) = file.execute("SELECT count(*) FROM rows")
        ((token, oldest),) = file.execute("SELECT next_token, oldest FROM queries")
        ((n_posts,),) = file.execute("SELECT posts FROM spent WHERE period LIKE 'month%'")
        ((body,),) = file.execute("SELECT body FROM rows LIMIT 1")
    file.close()
    assert (n_rows, n_posts) == (100, 100)
    assert token
    assert oldest
    assert json.loads(body)["is_masked"]
