"""What a text says about the conditions in it, whoever found them: the one reader of roles for every coder.

The embedded coder asks it about the forms it found itself; a remote coder about the spans its service found, so that
one post gets one role from both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.coding.context import Context, Finding
from adverse_events.coding.lexicon import UNKNOWN
from adverse_events.coding.matching import FoundForm, Matcher, Matches
from adverse_events.coding.reading import Reader, Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.coding.lexicon import Lexicon
    from adverse_events.records import DrugMention

RULES_VERSION = "1"
"""Raised whenever a rule outside the lexicon's files changes a result."""

CUE_SCORE = 0.90
"""A trait read from a cue."""

_CAUSAL_ROLES = frozenset({"ADE", "WITHDRAWAL", UNKNOWN})
_COMBINATION = " / "


@dataclass(frozen=True, slots=True)
class ReadText:
    """One text, read.

    Attributes:
        reading: All its words.
        kept: For each searched word its index in `reading`; fillers are left out. Forms count searched words.
        matches: What the lexicon knows among the searched words.
        forms: The conditions of the lexicon, in text order.
        is_about_drug: Whoever gave the text said what drug it is about: one of its drugs stands nowhere in it.
    """

    reading: Reading
    kept: list[int]
    matches: Matches
    forms: list[FoundForm]
    is_about_drug: bool = False

    def span(self, form: FoundForm) -> tuple[int, int]:
        """Return the code points ``[begin, end)`` of the text where `form` stands."""
        return self.reading.begins[self.kept[form.begin]], self.reading.ends[self.kept[form.end - 1]]

    def is_guessed(self, form: FoundForm) -> bool:
        """Whether one of its words was recognised only at edit distance one."""
        return any(index in self.reading.guessed for index in self.kept[form.begin : form.end])


class RoleReader:
    """Reads texts and judges the conditions in them; safe to share between threads.

    Args:
        lexicon: Forms, cues, word classes and causes.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        """Prepare the look-ups."""
        self._lexicon = lexicon
        self._fillers = lexicon.words["FILLER"]
        self._reader = Reader(lexicon.spelling)
        self._matcher = Matcher(lexicon)

    @property
    def version(self) -> str:
        """Version of rules and lexicon, such as ``1+0f3a...``."""
        return f"{RULES_VERSION}+{self._lexicon.sha256[:12]}"

    def read(self, text: str, drugs: Sequence[DrugMention]) -> ReadText:
        """Read `text`, in which `drugs` are named."""
        reading = self._reader.read(text, drugs)
        kept = [index for index, word in enumerate(reading.words) if word not in self._fillers]
        matches = self._matcher.find([reading.words[index] for index in kept])
        is_about_drug = any(drug.begin == drug.end for drug in drugs)
        return ReadText(reading, kept, matches, matches.forms(), is_about_drug)

    def judge(self, read: ReadText, forms: Sequence[FoundForm]) -> list[Finding]:
        """Return the role and the traits of each of `forms`, same order.

        Args:
            read: The text.
            forms: All its conditions, in text order, none overlapping.
        """
        if not forms:
            return []
        cues = read.matches.cues(forms)
        return Context(
            self._lexicon, read.reading, read.kept, forms, cues, is_about_drug=read.is_about_drug
        ).judge()

    def cause(self, role: str, begin: int, drugs: Sequence[DrugMention]) -> str | None:
        """Return the adverse-effect code (T36-T50) of the drug blamed for a condition that is not denied.

        It is the only drug of the text, or else the nearest one before the condition; of a combination, when its
        parts share one code. None where the role blames no drug, or where no code is known.

        Args:
            role: The condition's role.
            begin: Its first code point.
            drugs: Every drug of the text.
        """
        if role not in _CAUSAL_ROLES:
            return None
        ingredients = {drug.ingredient for drug in drugs}
        if len(ingredients) == 1:
            return self._cause_of(next(iter(ingredients)))
        before = [drug for drug in drugs if drug.end <= begin]
        return self._cause_of(max(before, key=lambda drug: drug.end).ingredient) if before else None

    def _cause_of(self, ingredient: str) -> str | None:
        causes = self._lexicon.causes
        if ingredient in causes:
            return causes[ingredient]
        codes = {causes.get(part) for part in ingredient.split(_COMBINATION)}
        return codes.pop() if len(codes) == 1 else None
