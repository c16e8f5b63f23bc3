"""The lexicon in memory: which words mean which condition, and which words say what about it.

The files are described in ``lexicon/README.md``. Everything open in them (slots such as ``{cant}``, inflections, body
part and sensation) is expanded once, so that matching is a plain look-up of word sequences. For the shipped files that
was done beforehand (`compiled`); edited files are expanded, and checked, when they are loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.coding.apart import Apart
from adverse_events.coding.reading import Spelling

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_name("lexicon")

EXACT_SCORE = 0.95
"""A form written out in the lexicon, or an inflection of one."""
PATTERN_SCORE = 0.85
"""A form made from a slot or from body part and sensation."""
OFFICIAL_SCORE = 0.80
"""A term of the classification itself."""
APART_SCORE = 0.78
"""A form of body part and change whose words stand apart, or in another order."""

KINDS = frozenset({"SYMPTOM", "SIGN", "DIAGNOSIS"})
ROLES = frozenset({"ADE", "INDICATION", "BENEFIT", "WITHDRAWAL", "LACK_OF_EFFECT"})
TRAITS = frozenset({"NEGATION", "HYPOTHETICAL", "PAST_HISTORY", "LOW_CONFIDENCE"})
UNKNOWN = "UNKNOWN"
"""Role of a condition that the text does not connect with a drug; as a cue, another cause ("the flu")."""
END, NOTHING = "END", "NOTHING"
"""Meanings of a cue that only ends a clause, and of one that only keeps its words from being cues."""
TAKEN, STOPPED, REASON, STATED, NOW, TURN = "TAKEN", "STOPPED", "REASON", "STATED", "NOW", "TURN"
"""Meanings of cues that say a drug was taken, or stopped, why something was done, that a question or a "would" states
what happened, that the past is over, and that what follows is another matter ("but"); see `context`."""
NO, LISTS, YES = "no", "lists", "yes"
"""What a cue crosses: nothing, lists (pauses and other conditions, no END cue), or anything but a sentence's end."""
ANY, SYMPTOM, ILLNESS = "any", "symptom", "illness"
"""Conditions a cue speaks of: all, those without a prior role, those with one."""

MEANINGS = ROLES | TRAITS | {UNKNOWN, END, NOTHING, TAKEN, STOPPED, REASON, STATED, NOW, TURN}
CROSSES = frozenset({NO, LISTS, YES})
SPOKEN_OF = frozenset({ANY, SYMPTOM, ILLNESS})
WORD_CLASSES = frozenset(
    {"FILLER", "SOFT", "SELF", "OTHER", "THEIRS", "QUESTION", "VERBAL", "FUZZY", "PART", "CHANGE", "BETWEEN"}
)
BODY_SYSTEMS = frozenset(
    {
        "blood and immune",
        "circulatory",
        "congenital",
        "digestive",
        "ear",
        "endocrine and metabolic",
        "eye",
        "general",
        "infections",
        "injury and poisoning",
        "investigations",
        "mental and behavioural",
        "musculoskeletal",
        "neoplasms",
        "nervous",
        "pregnancy",
        "reproductive",
        "respiratory",
        "skin",
        "urinary",
    }
)
"""Where in the body a condition shows; close to the system organ classes safety teams group by."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        code: ICD-10-CM code; empty where plain words support none and the coder abstains.
        kind: SYMPTOM, SIGN or DIAGNOSIS.
        prior: Role when the text gives no cue: INDICATION for illnesses drugs are taken for, WITHDRAWAL for
            withdrawal itself, else empty.
        body_system: One of `BODY_SYSTEMS`.
        is_serious: It is medically important whatever the text says of its outcome.
        alternatives: Code and description of up to four other conditions the same words might mean, likeliest first.
    """

    name: str
    code: str
    description: str
    kind: str
    prior: str
    body_system: str = ""
    is_serious: bool = False
    alternatives: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """One way to say a condition; the forms of a condition that are alike in all this share one object.

    Attributes:
        n_words: Words of the whole form.
        n_lead: Words at its start that must be there but do not belong to the span.
        is_verbal: It opens with a verb or a denial ("lost my hair", "can't sleep"), so the denial or
            the list it stands in does not reach it.
    """

    condition: Condition
    n_words: int
    n_lead: int
    score: float
    is_verbal: bool


@dataclass(frozen=True, slots=True)
class Cue:
    """What some words say about a condition near them.

    Attributes:
        meaning: A role, a trait, `UNKNOWN`, `TAKEN`, `STOPPED`, `REASON`, `STATED`, `NOW`, `TURN`, `END` or `NOTHING`.
        side: Where the cue stands: before or after the condition.
        reach: Most words between the two.
        crosses: `NO`, `LISTS` or `YES`.
        of: `ANY`, `SYMPTOM` or `ILLNESS`.
    """

    meaning: str
    side: str
    reach: int
    crosses: str = NO
    of: str = ANY

    def is_for_other(self, is_illness: bool) -> bool:  # noqa: FBT001 - one question, one answer
        """Tell whether the cue does not speak of an illness that drugs are taken for, or of a symptom."""
        return self.of != ANY and (self.of == ILLNESS) != is_illness


@dataclass(frozen=True)
class Lexicon:
    """Everything the embedded coder knows; keys are words in one spelling, joined by one space.

    Attributes:
        starts: What opens keys of `forms` and `idioms`, and their lengths in words; see `matching.openings`.
        cue_starts: The same of `cues`.
        words: Words by class (FILLER, SOFT, SELF, OTHER, THEIRS, QUESTION, VERBAL, FUZZY, PART, CHANGE,
            BETWEEN).
        apart: Forms whose words may stand apart.
        causes: ICD-10-CM adverse-effect code (T36-T50) by ingredient.
        sha256: Hash of the files.
    """

    conditions: dict[str, Condition] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    idioms: set[str] = field(default_factory=set)
    cues: dict[str, list[Cue]] = field(default_factory=dict)
    starts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    cue_starts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    words: dict[str, frozenset[str]] = field(default_factory=dict)
    spelling: Spelling = field(default_factory=lambda: Spelling({}, frozenset(), {}, frozenset(), {}))
    causes: dict[str, str] = field(default_factory=dict)
    apart: Apart = field(default_factory=Apart)
    sha256: str = ""


def load_lexicon(folder: Path = FOLDER) -> Lexicon:
    """Return the lexicon in `folder`: as compiled beforehand where that fits the files, else read and checked.

    Raises:
        ContractError: A file that cannot be used; the message names file, line and fault.
    """
    from adverse_events.coding.compiled import keep_compiled, read_compiled  # noqa: PLC0415

    if lexicon := read_compiled(folder):
        return lexicon
    from adverse_events.coding.lexicon_build import build_lexicon  # noqa: PLC0415

    lexicon = build_lexicon(folder)
    if folder == FOLDER:
        keep_compiled(folder, lexicon)
    return lexicon
