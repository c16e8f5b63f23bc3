"""X's query language as the server of this machine reads it."""

import pytest

from adverse_events.local_x.query import Document, QueryError, parse, words_of


def post(text, lang="en", *kinds):
    return Document(words_of(text), lang, frozenset(kinds), "someone")


@pytest.mark.parametrize(
    ("query", "text", "is_found"),
    [
        ("advil", "took Advil.", True),
        ("advil", "advils", False),
        ('"baby aspirin"', "a baby-aspirin a day", True),
        ('"baby aspirin"', "aspirin for my baby", False),
        ("advil rash", "a rash from advil", True),
        ("advil -rash", "a rash from advil", False),
        ("(advil OR aleve) rash", "a rash from aleve", True),
        ("from:Someone", "anything", True),
    ],
)
def test_words_phrases_and_brackets(query, text, is_found):
    assert parse(query).matches(post(text)) is is_found


def test_a_space_binds_tighter_than_or():
    """The trap of the older sample: without brackets the language is asked of the last drug only."""
    assert parse("advil OR aleve lang:en").matches(post("advil", "es"))
    assert not parse("(advil OR aleve) lang:en").matches(post("advil", "es"))


def test_reposts_are_told():
    assert not parse("advil -is:retweet").matches(post("advil", "en", "is:retweet"))


@pytest.mark.parametrize(
    "query",
    ["", "lang:en", "-advil", "(advil", "advil)", '"advil', "near:here advil", "advil OR", "advil OR lang:en", "()"],
)
def test_what_x_would_refuse_is_refused(query):
    with pytest.raises(QueryError):
        parse(query)
