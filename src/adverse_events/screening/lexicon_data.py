"""The drug lexicon's files, read and checked: which written form names which ingredient."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

RULES = ("context", "capital", "strict", "never")
COMBINATION = " / "
CLASS_ONLY = "unspecified class"
"""Drug class of rows that name a class of drugs ("statin"), for posts that are no more precise."""

_FORM_COLUMNS = ("names", "brands", "short_forms", "misspellings")
_CORRECT_COLUMNS = ("names", "brands")
MEANING_WORDS = "meaning_words.txt"
_FILES = ("drugs.csv", "ambiguous.csv", "not_misspellings.txt", MEANING_WORDS)


@dataclass(frozen=True)
class LexiconData:
    """What the lexicon's files say.

    Attributes:
        ingredients: Ingredient (INN) to drug class.
        forms: Every written form, lower case, to its ingredient.
        correct: The forms that are spelt as their makers spell them; near misses are measured from these.
        ambiguous: Forms that are also something else, to the rule under which they count; under "never" stand
            phrases that are no form of a drug but hold one, such as insulin resistance.
        not_misspellings: Words close to a drug name that are words of their own.
        digest: First eight hex digits of the files' SHA-256.
    """

    ingredients: Mapping[str, str]
    forms: Mapping[str, str]
    correct: frozenset[str]
    ambiguous: Mapping[str, str]
    not_misspellings: frozenset[str]
    digest: str


def read_lexicon(folder: Traversable | None = None) -> LexiconData:
    """Read and check the lexicon.

    Args:
        folder: Where the four files are that its README describes; the shipped ones when None.

    Raises:
        ContractError: A repeated or conflicting form, a rule that is not known, upper case; names file and row.
    """
    folder = folder or files(__package__) / "lexicon"
    contents = {name: (folder / name).read_bytes() for name in _FILES}
    ingredients: dict[str, str] = {}
    forms: dict[str, str] = {}
    correct: set[str] = set()
    for line, row in _rows(contents["drugs.csv"]):
        ingredient = row["ingredient"]
        if ingredient in ingredients:
            raise ContractError("drugs.csv", f"row {line} repeats {ingredient}; merge the two rows")
        ingredients[ingredient] = row["drug_class"]
        for form, is_correct in _forms_of(row):
            if form != form.casefold().strip():
                raise ContractError("drugs.csv", f"row {line}: write {form!r} in lower case without outer spaces")
            if form in forms:
                raise ContractError("drugs.csv", f"row {line}: {form!r} already names {forms[form]}; keep one of them")
            forms[form] = ingredient
            if is_correct and row["drug_class"] != CLASS_ONLY:
                correct.add(form)
    digest = hashlib.sha256(b"".join(contents[name] for name in _FILES)).hexdigest()[:8]
    words = frozenset(contents["not_misspellings.txt"].decode().split())
    return LexiconData(
        ingredients, forms, frozenset(correct), _ambiguous(contents["ambiguous.csv"], forms), words, digest
    )


def _ambiguous(content: bytes, forms: Mapping[str, str]) -> dict[str, str]:
    rules: dict[str, str] = {}
    for line, row in _rows(content):
        form, rule = row["form"], row["rule"]
        if rule not in RULES:
            raise ContractError("ambiguous.csv", f"row {line}: rule {rule!r}; choose {' or '.join(RULES)}")
        if form in rules or (form in forms) == (rule == "never"):
            raise ContractError(
                "ambiguous.csv", f"row {line}: {form!r} is repeated here, missing from drugs.csv, or never but there"
            )
        rules[form] = rule
    return rules


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    return enumerate(csv.DictReader(content.decode().splitlines()), start=2)


def _forms_of(row: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Yield each written form of a row and whether it is a correct spelling; a combination's own name is none."""
    if COMBINATION not in row["ingredient"]:
        yield row["ingredient"], True
    for column in _FORM_COLUMNS:
        for form in filter(None, row[column].split(";")):
            yield form, column in _CORRECT_COLUMNS
