"""What a search would come to, by X's own counts: before a post is paid for."""

import json
from datetime import timedelta

import pytest

from ade.__main__ import run
from adverse_events.assembly import live
from adverse_events.errors import AnswerError, PermanentServiceError
from adverse_events.local_x.clock import Clock
from adverse_events.local_x.listener import LocalX
from adverse_events.local_x.state import TOKEN, State
from tests.x_server import START, add_posts, client_for, read, search_for, settings_for


@pytest.fixture
def server():
    with LocalX(state=State(clock=Clock(START + timedelta(days=60)))) as running:
        yield running


def estimate(server, folder, *, days=1, **overrides):
    settings = settings_for(server, folder, **overrides)
    windows = live.windows_of(settings, START, START + timedelta(days=days))
    with client_for(server) as client:
        return live.estimate_for(settings, windows, client)


@pytest.mark.parametrize("longest", [1024, 60])
def test_the_estimate_is_what_the_search_then_costs(server, tmp_path, longest):
    add_posts(server.state, 900)
    add_posts(server.state, 30, drug="sertraline and ibuprofen", hours=16)
    found = estimate(server, tmp_path, search__longest_query_all=longest, search__hours_per_request=6)
    assert server.state.served == 0
    assert found.n_count_requests == server.state.asked["counts/all"] == found.n_queries
    read(search_for(server, tmp_path, search__longest_query_all=longest, search__hours_per_request=6))
    assert (found.n_posts, found.n_requests) == (server.state.served, server.state.asked["search/all"])
    assert found.price == pytest.approx(0.005 * found.n_posts)


def test_a_long_range_is_counted_page_by_page(server, tmp_path):
    for day in (0, 20, 45):
        add_posts(server.state, 10, hours=24 * day)
    found = estimate(server, tmp_path, days=50)
    assert (found.n_posts, found.n_count_requests) == (30, 2)
    assert found.posts_per_day == {"2026-03-02": 10, "2026-03-22": 10, "2026-04-16": 10}


def test_rate_limits_make_time(server, tmp_path):
    found = estimate(server, tmp_path, days=50, search__hours_per_request=1)
    assert found.n_requests == 1200
    assert found.seconds == 2700


def test_case_mode_pays_for_profiles_too(server, tmp_path):
    add_posts(server.state, 10)
    assert estimate(server, tmp_path, privacy__mode="case").price == pytest.approx(10 * (0.005 + 0.010))


def test_the_runs_that_the_cap_makes_of_it(server, tmp_path):
    add_posts(server.state, 100)
    assert estimate(server, tmp_path, x__max_posts_per_run=30).n_runs == 4
    assert estimate(server, tmp_path, x__max_posts_per_run=0).n_runs == 1


def test_an_answer_without_counts_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setattr("adverse_events.local_x.counts._steps", lambda *_: [{"start": "?", "tweet_count": 1}])
    with pytest.raises(AnswerError, match="no page of counts"):
        estimate(server, tmp_path)


def test_a_plan_without_it_is_told_so(server, tmp_path):
    server.state.products = frozenset({"recent"})
    with pytest.raises(PermanentServiceError, match="plan does not include"):
        estimate(server, tmp_path)


def test_the_command_prints_it_for_programs_and_refuses_files(server, tmp_path, monkeypatch, capsys):
    add_posts(server.state, 3)
    monkeypatch.setenv("ADE_X__BASE_URL", server.address)
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", TOKEN)
    asked = ["estimate", "--start", "2026-03-02", "--end", "2026-03-03", "--set", "search.drugs=sertraline"]
    assert run([*asked, "--source", "x://all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_posts"] == 3
    assert run([*asked, "--source", "posts.csv"]) == 2
    assert "only a search has a price" in capsys.readouterr().err
    assert run([*asked, "--source", "x://all"]) == 0
    assert "read no post" in capsys.readouterr().err
