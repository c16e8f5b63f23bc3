"""Queries for the drug lexicon: complete, in brackets, never too long."""

import itertools
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adverse_events.errors import UsageError
from adverse_events.local_x.query import parse
from adverse_events.local_x.state import State
from adverse_events.sample.generate import generate
from adverse_events.sample.week import DAYS, N_POSTS, SEED, START
from adverse_events.screening.drugs import DrugLexicon
from adverse_events.screening.lexicon_data import read_lexicon
from adverse_events.settings import load_settings
from adverse_events.source.x.queries import names_of, queries_of

SUFFIX = "lang:en -is:retweet"


@pytest.fixture(scope="module")
def lexicon():
    return read_lexicon()


def names_in(queries):
    return [name.strip('"') for query in queries for name in query[1 : query.rindex(")")].split(" OR ")]


def test_a_drug_stands_for_every_name_of_its_ingredient(lexicon):
    names = names_of(["Prozac"], lexicon)
    assert {"fluoxetine", "prozac", "sarafem"} <= set(names)
    assert all(lexicon.forms[name] == "fluoxetine" for name in names)


def test_no_drug_named_means_the_whole_lexicon_without_its_ordinary_words(lexicon):
    names = names_of([], lexicon)
    assert set(names) == set(lexicon.forms) - set(lexicon.ambiguous)
    assert set(names_of([], lexicon, include_ambiguous=True)) == set(lexicon.forms)


def test_an_unknown_drug_is_refused_with_the_nearest_name(lexicon):
    with pytest.raises(UsageError, match=r"'sertralinee'; did you mean sertraline"):
        names_of(["sertralinee"], lexicon)


def test_a_drug_of_which_every_name_is_an_ordinary_word_is_not_silently_left_out(lexicon):
    plain = {ingredient for form, ingredient in lexicon.forms.items() if form not in lexicon.ambiguous}
    name = next(form for form, ingredient in lexicon.forms.items() if ingredient not in plain)
    with pytest.raises(UsageError, match=r"set search\.include_ambiguous"):
        names_of([name], lexicon)
    assert name in names_of([name], lexicon, include_ambiguous=True)


@pytest.mark.parametrize("longest", [512, 1024])
def test_the_whole_lexicon_fits_into_queries_that_x_takes_and_none_is_lost(lexicon, longest):
    names = names_of([], lexicon)
    queries = queries_of(names, SUFFIX, longest)
    assert sorted(names_in(queries)) == names
    assert max(map(len, queries)) <= longest
    assert all(query.startswith("(") and query.endswith(f") {SUFFIX}") for query in queries)
    # Full but for one name: two neighbours never fit into one.
    assert all(len(a) + len(b) - len(SUFFIX) > longest for a, b in itertools.pairwise(queries))
    for query in queries:
        parse(query)


@given(
    st.lists(st.text("abcdefghij -&.()'", min_size=1, max_size=30).filter(lambda name: re.search(r"\w", name))),
    st.integers(80, 200),
)
def test_names_of_any_form_keep_to_the_limit(names, longest):
    queries = queries_of(names, SUFFIX, longest)
    assert all(len(query) <= longest for query in queries)
    assert names_in(queries) == names or any(" OR " in name for name in names) or not names


def test_the_condition_binds_to_every_name():
    (query,) = queries_of(["advil", "baby aspirin"], SUFFIX, 512)
    assert query == '(advil OR "baby aspirin") lang:en -is:retweet'


def test_a_name_that_fits_nowhere_is_an_error_and_not_left_out():
    with pytest.raises(UsageError, match=r"search\.suffix"):
        queries_of(["advil"], "x" * 60, 64)


@pytest.mark.parametrize("written", ["advil, prozac", '["advil", "prozac"]', ["advil", "prozac"]])
def test_drugs_are_written_as_a_list_or_joined_by_commas(written):
    assert load_settings({"search.drugs": written}).search.drugs == ("advil", "prozac")


def test_drugs_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("ADE_SEARCH__DRUGS", "advil,baby aspirin")
    assert load_settings().search.drugs == ("advil", "baby aspirin")


@pytest.mark.parametrize("path", ["x://recents", "X://all", "x:recent"])
def test_a_misspelt_search_is_no_strange_local_file(path):
    with pytest.raises(UsageError, match="x://recent or x://all"):
        load_settings({"source.path": path})


def test_nearly_every_post_that_screening_keeps_for_its_drug_is_found(lexicon):
    """Not found are misspellings that the lexicon does not list; docs/live.md has the figure."""
    drugs = DrugLexicon(lexicon)
    state = State()
    posts = [
        post
        for post in generate(N_POSTS, SEED)
        if post.lang == "en" and post.kind != "repost" and drugs.find(post.text)
    ]
    state.add_sample(posts)
    end = START + timedelta(days=DAYS)
    found = {
        held.tweet_id
        for query in queries_of(names_of([], lexicon), SUFFIX, 1024)
        for held in state.matching(parse(query), START, end)
    }
    missed = [post for post in posts if int(post.tweet_id) not in found]
    assert {post.kind for post in missed} == {"misspelling"}
    assert len(found) / len(posts) > 0.98, f"{len(found)} of {len(posts)}"
    print(f"{len(found)} of {len(posts)}")  # noqa: T201 - the figure, with pytest -s
