"""What a text says about the conditions in it, whoever found them: the one reader of roles for every coder.

The embedded coder asks it about the forms it found itself; a remote coder about the spans its service found, so that
one post gets one role from both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.coding.context import Context, Finding
from adverse_events.coding.lexicon import FOLDER
from adverse_events.coding.lexicon_files import read_lines
from adverse_events.coding.matching import FoundForm, Matcher, Matches
from adverse_events.coding.reading import PAUSE, Reader, Reading
from adverse_events.coding.situations import Situations, Told
from adverse_events.coding.treatments import Treatments
from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from adverse_events.coding.lexicon import Lexicon
    from adverse_events.records import DrugMention, Entity

RULES_VERSION = "3"
"""Raised whenever a rule outside the lexicon's files changes a result."""

CUE_SCORE = 0.90
"""A trait read from a cue."""

_SPEECH = frozenset(
    "SPEAKS ADDRESSED CLINICIAN PRONOUN SOMEBODY BRIDGE OUTCOME LED_BY UNMEANT HAVING KIN MODAL SHUNS UNNAMED".split()  # noqa: SIM905 - names
)
_CAUSAL_ROLES = frozenset({"ADE", "WITHDRAWAL"})
_COMBINATION = " / "
_MIN_NAME_LETTERS = 3
_BEHIND_A_PAUSE = 2


@dataclass(frozen=True, slots=True)
class ReadText:
    """One text, read.

    Attributes:
        reading: All its words.
        kept: For each searched word its index in `reading`; fillers are left out. Forms count searched words.
        words: The searched words.
        matches: What the lexicon knows among the searched words.
        forms: The conditions of the lexicon, in text order.
        is_about_drug: Whoever gave the text said what drug it is about: one of its drugs stands nowhere in it; or it
            opens like a list behind the name of a drug that no lexicon has.
        treated: How the ICD-10-CM codes begin that its drugs are taken for; None where that is not known.
    """

    reading: Reading
    kept: list[int]
    words: list[str]
    matches: Matches
    forms: list[FoundForm]
    is_about_drug: bool = False
    treated: tuple[str, ...] | None = None

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
        folder: Where it was loaded from; ``situations.csv``, ``speech.csv`` and ``treats.csv`` are read there.

    Raises:
        ContractError: One of them cannot be used.
    """

    def __init__(self, lexicon: Lexicon, folder: Path = FOLDER) -> None:
        """Prepare the look-ups."""
        self._lexicon = lexicon
        self._fillers = lexicon.words["FILLER"]
        self._classes = {**lexicon.words, **_speech(folder)}
        self._reader = Reader(lexicon.spelling)
        self._matcher = Matcher(lexicon)
        self._situations = Situations.load(lexicon, folder)
        self._treatments = Treatments(lexicon.causes, folder)

    @property
    def version(self) -> str:
        """Version of rules and lexicon, such as ``1+0f3a...``."""
        return f"{RULES_VERSION}+{self._lexicon.sha256[:12]}"

    def read(self, text: str, drugs: Sequence[DrugMention]) -> ReadText:
        """Read `text`, in which `drugs` are named."""
        reading = self._reader.read(text, drugs)
        fillers = self._fillers
        kept = [index for index, word in enumerate(reading.words) if word not in fillers]
        words = list(map(reading.words.__getitem__, kept))
        matches = self._matcher.find(words)
        forms = matches.forms()
        is_about_drug = any(drug.begin == drug.end for drug in drugs)
        is_about_drug |= not drugs and bool(forms) and self._opens_with_a_name(words, forms[0])
        treated = self._treatments.of({drug.ingredient for drug in drugs}) if drugs else None
        return ReadText(reading, kept, words, matches, forms, is_about_drug, treated)

    def _opens_with_a_name(self, words: Sequence[str], form: FoundForm) -> bool:
        """Whether a text opens with a word of no lexicon and goes on with a condition, as a drug's name would."""
        name = words[0]
        is_short = not name.isalpha() or len(name) < _MIN_NAME_LETTERS
        if is_short or name in self._lexicon.spelling.vocabulary or name in self._classes["UNNAMED"]:
            return False
        return form.begin == 1 or (form.begin == _BEHIND_A_PAUSE and words[1] == PAUSE)

    def judge(self, read: ReadText, forms: Sequence[FoundForm]) -> list[Finding]:
        """Return the role and the traits of each of `forms`, same order.

        Args:
            read: The text.
            forms: All its conditions, in text order, none overlapping.
        """
        if not forms:
            return []
        cues = read.matches.cues(forms)
        context = Context(
            self._classes,
            read.reading,
            read.kept,
            forms,
            cues,
            is_about_drug=read.is_about_drug,
            treated=read.treated,
        )
        return context.judge()

    def told(self, read: ReadText, text: str, entities: Iterable[Entity]) -> Told:
        """Return the seriousness criteria and special situations that `text` tells beside its conditions `entities`."""
        return self._situations.told(self, read, text, entities)

    def situation_line(self, words: str) -> int | None:
        """Return the line of ``situations.csv`` that lists `words`; None where none does."""
        return self._situations.line(words)

    def cause(self, read: ReadText, finding: Finding, drugs: Sequence[DrugMention]) -> str | None:
        """Return the adverse-effect code (T36-T50) of the drug blamed for a condition that is not denied.

        None where the role blames no drug, where it is open which of several is meant, or where no code is known; of a
        combination, the code its parts share.

        Args:
            read: The text.
            finding: What it says of the condition.
            drugs: Every drug of the text.
        """
        blamed = self.blamed(read, finding, drugs)
        return self._cause_of(blamed.ingredient) if blamed else None

    def blamed(self, read: ReadText, finding: Finding, drugs: Sequence[DrugMention]) -> DrugMention | None:
        """Return the drug blamed: the one the context points at, or the only one there is; None where it is open."""
        if finding.role not in _CAUSAL_ROLES or not drugs:
            return None
        if finding.blamed is not None:
            begin = read.reading.begins[read.kept[finding.blamed]]
            return next((drug for drug in drugs if drug.begin == begin and drug.end > drug.begin), None)
        if len({drug.ingredient for drug in drugs}) == 1:
            return drugs[0]
        subjects = [drug for drug in drugs if drug.begin == drug.end]
        return subjects[0] if len(subjects) == 1 else None

    def is_somebody(self, words: Iterable[str]) -> bool:
        """Return whether one of `words` is somebody it happens to, such as "him"."""
        return not self._classes["SOMEBODY"].isdisjoint(words)

    def _cause_of(self, ingredient: str) -> str | None:
        causes = self._lexicon.causes
        if ingredient in causes:
            return causes[ingredient]
        codes = {causes.get(part) for part in ingredient.split(_COMBINATION)}
        return codes.pop() if len(codes) == 1 else None


def _speech(folder: Path) -> dict[str, frozenset[str]]:
    """Return the word classes of ``speech.csv``."""
    classes: dict[str, frozenset[str]] = {}
    for line in read_lines(folder, "speech.csv", ("class", "words")):
        if line["class"] in classes:
            line.refuse(f"class {line['class']!r} is listed twice")
        classes[line.choice("class", _SPEECH)] = frozenset(line["words"].split())
    if missing := sorted(_SPEECH - set(classes)):
        raise ContractError("lexicon speech.csv", f"class {missing[0]} is missing")
    return classes
