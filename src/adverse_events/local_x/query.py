"""X's query language, as far as drug names need it: words, phrases, OR, AND by a space, ``-``, brackets, operators.

A space binds tighter than OR, as at X: ``a OR b lang:en`` asks for English only of b.

Source:
    "Building queries for Search Posts", X API v2 documentation, read 2026-11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TOKEN = re.compile(r'\s*(?:(?P<minus>-(?=\S))|(?P<open>\()|(?P<close>\))|"(?P<phrase>[^"]*)"|(?P<word>[^\s()"]+))')
_WORD = re.compile(r"\w+")
_LANG = re.compile(r"[a-z]{2,3}")
OPERATORS = ("lang", "is", "has", "from")


class QueryError(ValueError):
    """X would refuse the query; says why."""


@dataclass(frozen=True)
class Document:
    """What a post is matched by.

    Attributes:
        words: Its words, lower case, each between spaces.
        lang: Language code; ``und`` where there is none.
        kinds: What ``is:`` and ``has:`` ask for, such as ``is:retweet``.
        username: Of the author, lower case.
    """

    words: str
    lang: str
    kinds: frozenset[str]
    username: str = ""


def words_of(text: str) -> str:
    """Return the words of `text` as `Document` wants them."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


@dataclass(frozen=True)
class Query:
    """A query that was understood.

    Attributes:
        matches: Tells whether a post is asked for.
        words: Sets of words of which a matching post has every word of at least one; None where it may have none.
    """

    matches: Callable[[Document], bool]
    words: tuple[frozenset[str], ...] | None


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: It is empty, malformed, uses an operator this server does not know, or asks for no word at all.
    """
    reader = _Reader(text)
    query = reader.alternatives()
    reader.end()
    if query.words is None:
        msg = "a query needs a word, a phrase or from: that is not negated, in every alternative"
        raise QueryError(msg)
    return query


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                msg = f"a quotation mark at position {at} is not closed"
                raise QueryError(msg)
            kind = str(found.lastgroup)
            self._tokens.append((kind, found[kind]))
            at = found.end()

    def alternatives(self) -> Query:
        options = [self._all()]
        while self._next() == ("word", "OR"):
            self._tokens.pop(0)
            options.append(self._all())
        if len(options) == 1:
            return options[0]
        words = None if any(o.words is None for o in options) else tuple(w for o in options for w in o.words or ())
        return Query(lambda document: any(option.matches(document) for option in options), words)

    def end(self) -> None:
        if self._tokens:
            msg = "a bracket is closed that was not opened"
            raise QueryError(msg)

    def _all(self) -> Query:
        parts = []
        while self._next()[0] not in {"close", "end"} and self._next() != ("word", "OR"):
            parts.append(self._part())
        if not parts:
            msg = "a part of the query is empty"
            raise QueryError(msg)
        words = next((part.words for part in parts if part.words is not None), None)
        return Query(lambda document: all(part.matches(document) for part in parts), words)

    def _part(self) -> Query:
        kind, text = self._tokens.pop(0)
        if kind == "minus":
            negated = self._part()
            return Query(lambda document: not negated.matches(document), None)
        if kind == "open":
            inside = self.alternatives()
            if self._next()[0] != "close":
                msg = "a bracket is not closed"
                raise QueryError(msg)
            self._tokens.pop(0)
            return inside
        if kind == "word" and ":" in text:
            return _operator(text)
        return _phrase(text)

    def _next(self) -> tuple[str, str]:
        return self._tokens[0] if self._tokens else ("end", "")


def _phrase(text: str) -> Query:
    words = words_of(text)
    if not words.strip():
        msg = "a word or phrase has no letter or digit"
        raise QueryError(msg)
    return Query(lambda document: words in document.words, (frozenset(words.split()),))


def _operator(text: str) -> Query:
    name, _, value = text.partition(":")
    if name not in OPERATORS or not value:
        msg = f"there is no operator {name}: here; known are {', '.join(OPERATORS)}"
        raise QueryError(msg)
    if name == "lang":
        if not _LANG.fullmatch(value):
            msg = f"{value} is no language code"
            raise QueryError(msg)
        return Query(lambda document: document.lang == value, None)
    if name == "from":
        return Query(lambda document: document.username == value.casefold(), ())
    return Query(lambda document: text in document.kinds, None)


def candidates(query: Query, holders: Mapping[str, set[int]]) -> set[int] | None:
    """Return ids of posts among which all that match are; None where the words say nothing.

    Args:
        query: What is asked for.
        holders: Word to the ids of the posts that have it.
    """
    if not query.words:
        return None
    found: set[int] = set()
    for words in query.words:
        found |= set.intersection(*sorted((holders.get(word, set()) for word in words), key=len))
    return found
