"""Which drugs a text names, where, and by what ingredient."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Self

import ahocorasick

from adverse_events.records import DrugMention
from adverse_events.screening.folding import FoldedText, fold
from adverse_events.screening.lexicon_data import CLASS_ONLY, LexiconData, read_lexicon
from adverse_events.screening.misspellings import MIN_NAME_LETTERS, MisspellingIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RULES_VERSION = 1
"""Raised by one whenever the same files give other mentions."""

_MIN_LETTERS_GLUED = 5  # shorter forms open too many ordinary hashtags and codes
_NO_DRUG = ""  # in place of the ingredient, for a phrase that only keeps the form inside it from counting
_CONTEXT_REACH = 40  # characters either side in which a dose or a pill speaks for an ambiguous form

_STRICT_CONTEXT = re.compile(
    r"\d\s?(?:mg|mcg|iu|ml|units?)\b|\b(?:dos(?:e[sd]?|age|ing)|pills?|tabs?|tablets?|capsules?|prescri\w+|rx|refill\w*"
    r"|side[ -]?effects?|pharmac\w+|inject\w+|meds?|medications?|withdrawals?|milligrams?|overdos\w+)\b"
)
_CONTEXT = re.compile(
    _STRICT_CONTEXT.pattern
    + r"|\b(?:t[ao]kes?|taking|taken|took|start(?:ed|ing)|stopp(?:ed|ing)|switch(?:ed|ing)|quit|doctors?|dr"
    r"|gp|shots?|jabs?|jabbed|boosters?|boosted|vax\w*|vaccin\w+|infusions?|patch(?:es)?|therapy|treatment)\b"
)
_ON_BEFORE = re.compile(r"\bon (?:the |my )?$")
_DOSE_GLUED = re.compile(r"\d+(?:mg|mcg|ml|s)?\b")
_LONG_WORD = re.compile(rf"(?<![\w@])[a-z]{{{MIN_NAME_LETTERS - 1},}}(?![^\W_])")


class _Found(NamedTuple):
    """A form of the lexicon in the folded text; a near miss carries the word as written."""

    begin: int
    end: int
    ingredient: str
    form: str


class DrugLexicon:
    """Finds drug mentions by exact form, then by near miss of a long name.

    One instance is safe to share between threads and costs some ten megabytes.
    """

    def __init__(self, data: LexiconData) -> None:
        """Compile `data` for searching."""
        self._ingredients = data.ingredients
        self._ambiguous = data.ambiguous
        self._automaton = ahocorasick.Automaton()
        for spelling, form in _spellings({**data.forms, **data.ambiguous}).items():
            self._automaton.add_word(spelling, (len(spelling), form, data.forms.get(form, _NO_DRUG)))
        self._automaton.make_automaton()
        self._misspellings = MisspellingIndex(
            {form: data.forms[form] for form in data.correct if form not in data.ambiguous}, data.not_misspellings
        )
        self.version = f"{RULES_VERSION}-{data.digest}"

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return the shipped lexicon, read once per process."""
        return cls(read_lexicon())

    @property
    def ingredients(self) -> Mapping[str, str]:
        """Each ingredient (INN, lower case; a combination's joined by " / ") and its drug class."""
        return self._ingredients

    def find(self, text: str) -> list[DrugMention]:
        """Return the drugs that `text` names.

        Args:
            text: A post, masked or not.

        Returns:
            Mentions in text order, none overlapping, the longest form where several start together. A class of
            drugs ("an antidepressant") counts only where no drug is named. Offsets are code points of `text`; a
            possessive 's is left out, a plural ending kept.
        """
        folded = fold(text)
        found = _leftmost_longest(self._exact(text, folded))
        found = [hit for hit in found if hit.ingredient != _NO_DRUG]
        if any(hit.form in self._ambiguous for hit in found):
            found = self._unambiguous(text, folded, found)
        found = _leftmost_longest([*found, *self._near_misses(folded.text, found)])
        if len(found) > 1:
            found = self._most_precise(found)
        spans = [(*folded.span(hit.begin, hit.end), hit.ingredient) for hit in found]
        return [DrugMention(text[begin:end], begin, end, ingredient) for begin, end, ingredient in spans]

    def _exact(self, text: str, folded: FoldedText) -> list[_Found]:
        found = []
        for last, (n_characters, form, ingredient) in self._automaton.iter(folded.text):
            begin = last + 1 - n_characters
            end = self._end_of_mention(text, folded, begin, last + 1, form)
            if end is not None:
                found.append(_Found(begin, end, ingredient, form))
        return found

    def _end_of_mention(self, text: str, folded: FoldedText, begin: int, end: int, form: str) -> int | None:
        """Return where a mention ends, plural included, or None when the form is only part of a word."""
        characters = folded.text
        before, after = characters[begin - 1 : begin], characters[end : end + 1]
        may_glue = len(form) >= _MIN_LETTERS_GLUED and form not in self._ambiguous
        if _continues_word(before):
            return end if may_glue and _is_hump(text, folded, begin, end) else None
        if before == "@":
            return None
        if not _continues_word(after):
            return end
        if form not in self._ambiguous:
            for plural in ("s", "es"):
                stop = end + len(plural)
                if characters[end:stop] == plural and not _continues_word(characters[stop : stop + 1]):
                    return stop
        if may_glue and form[-1].isalpha() and (before == "#" or _DOSE_GLUED.match(characters, end)):
            return end
        return None

    def _unambiguous(self, text: str, folded: FoldedText, found: list[_Found]) -> list[_Found]:
        """Drop the ambiguous forms for which nothing around them speaks."""
        has_plain_mention = any(hit.form not in self._ambiguous for hit in found)
        return [
            hit
            for hit in found
            if self._counts(folded.text, hit, has_plain_mention=has_plain_mention)
            or (self._ambiguous[hit.form] == "capital" and _is_name_in_sentence(text, *folded.span(hit.begin, hit.end)))
        ]

    def _counts(self, text: str, hit: _Found, *, has_plain_mention: bool) -> bool:
        rule = self._ambiguous.get(hit.form)
        if rule is None or text[hit.begin - 1 : hit.begin] == "#":
            return True
        left, right = text[max(0, hit.begin - _CONTEXT_REACH) : hit.begin], text[hit.end : hit.end + _CONTEXT_REACH]
        if rule == "strict":
            return bool(_STRICT_CONTEXT.search(left) or _STRICT_CONTEXT.search(right))
        return has_plain_mention or bool(_CONTEXT.search(left) or _CONTEXT.search(right) or _ON_BEFORE.search(left))

    def _most_precise(self, found: list[_Found]) -> list[_Found]:
        precise = [hit for hit in found if self._ingredients[hit.ingredient] != CLASS_ONLY]
        return precise or found

    def _near_misses(self, text: str, taken: list[_Found]) -> list[_Found]:
        misses = []
        for match in _LONG_WORD.finditer(text):
            ingredient = self._misspellings.ingredient_of(match[0])
            if ingredient and not any(hit.begin < match.end() and match.start() < hit.end for hit in taken):
                misses.append(_Found(match.start(), match.end(), ingredient, match[0]))
        return misses


def _spellings(forms: Iterable[str]) -> dict[str, str]:
    """Return every way to write the forms: a space may be a hyphen or nothing, and the other way round."""
    spellings = {form: form for form in forms}
    for form in sorted(spellings):
        if " " in form or "-" in form:
            for separator in (" ", "-", ""):
                spellings.setdefault(re.sub("[ -]", separator, form), form)
    return spellings


def _continues_word(character: str) -> bool:
    """Whether a Latin letter or digit; scripts without spaces may follow a brand directly."""
    return character.isalnum() and character < "\u0250"


def _is_hump(text: str, folded: FoldedText, begin: int, end: int) -> bool:
    """Whether ``[begin, end)`` is one capitalised word inside a hashtag, as in #TeamXanax."""
    start, stop = folded.span(begin, end)
    starts = text[start].isupper() and text[start - 1].islower()
    ends = not text[stop : stop + 1].isalnum() or text[stop : stop + 1].isupper()
    hashtag = text.rfind("#", 0, start)
    return starts and ends and hashtag >= 0 and text[hashtag + 1 : start].isalnum()


def _is_name_in_sentence(text: str, begin: int, end: int) -> bool:
    """Whether ``[begin, end)`` is capitalised as a name is: not at a sentence's start, not amid capitals."""
    before = text[:begin].rstrip()
    opens_sentence = not before or before[-1] in ".!?:#*>\"'(["
    return text[begin].isupper() and text[begin + 1 : end].islower() and not opens_sentence


def _leftmost_longest(found: list[_Found]) -> list[_Found]:
    kept: list[_Found] = []
    for hit in sorted(found, key=lambda hit: (hit.begin, -hit.end)):
        if not kept or hit.begin >= kept[-1].end:
            kept.append(hit)
    return kept
