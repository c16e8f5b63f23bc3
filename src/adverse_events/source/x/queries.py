"""Queries in X's language from the drug lexicon.

Source of the rules: "Building queries for Search Posts", X API v2 documentation, read 2026-11: a space is AND and binds
tighter than OR, so the names stand in brackets and what follows applies to each of them; words are matched whole.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adverse_events.screening.lexicon_data import LexiconData

_BARE = re.compile(r"[a-z0-9]+")
_OR = " OR "


def names_of(drugs: Sequence[str], lexicon: LexiconData, *, include_ambiguous: bool = False) -> list[str]:
    """Return every written form to search for, sorted.

    Args:
        drugs: Ingredients, brands or other names that the lexicon holds; none means all of it.
        lexicon: The drug lexicon.
        include_ambiguous: Include forms that are also something else.

    Raises:
        UsageError: A name that the lexicon does not hold, with the nearest one; or one whose every form is ambiguous.
    """
    asked = {_ingredient(name, lexicon): name for name in drugs}
    names: list[str] = []
    found: set[str] = set()
    for form, ingredient in lexicon.forms.items():
        if (not asked or ingredient in asked) and (include_ambiguous or form not in lexicon.ambiguous):
            names.append(form)
            found.add(ingredient)
    if lacking := sorted(asked[ingredient] for ingredient in asked.keys() - found):
        msg = f"search.drugs: every name of {', '.join(lacking)} is also something else; set search.include_ambiguous"
        raise UsageError(msg)
    return sorted(names)


def queries_of(names: Iterable[str], suffix: str, longest: int) -> tuple[str, ...]:
    """Return as few queries as hold all `names`, each in brackets and followed by `suffix`.

    Args:
        names: Written forms, lower case.
        suffix: What every post must meet; may be empty.
        longest: Characters a query may have.

    Raises:
        UsageError: A name does not fit into a query.
    """
    ending = f") {suffix}".rstrip()
    room = longest - len("(") - len(ending)
    queries: list[list[str]] = []
    n_characters = 0
    for name in names:
        term = name if _BARE.fullmatch(name) else f'"{name}"'
        if len(term) > room:
            msg = (
                f"{name!r} with search.suffix does not fit into a query of {longest} characters; shorten search.suffix"
            )
            raise UsageError(msg)
        if not queries or n_characters + len(_OR) + len(term) > room:
            queries.append([term])
            n_characters = len(term)
        else:
            queries[-1].append(term)
            n_characters += len(_OR) + len(term)
    return tuple(f"({_OR.join(terms)}{ending}" for terms in queries)


def _ingredient(name: str, lexicon: LexiconData) -> str:
    form = name.casefold().strip()
    if form in lexicon.ingredients:
        return form
    if form in lexicon.forms:
        return lexicon.forms[form]
    near = difflib.get_close_matches(form, [*lexicon.forms, *lexicon.ingredients], n=1)
    hint = f"; did you mean {near[0]}?" if near else "; see src/adverse_events/screening/lexicon/drugs.csv"
    msg = f"search.drugs: the drug lexicon does not hold {name!r}{hint}"
    raise UsageError(msg)
