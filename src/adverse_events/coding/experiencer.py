"""Whose condition it is: the author's, unless the nearest person before it is somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.coding.reading import PAUSE, STOPS

if TYPE_CHECKING:
    from adverse_events.coding.lexicon import Lexicon
    from adverse_events.coding.reading import Reading

REACH = 40
"""Words looked back over; keeps very long posts linear."""

_SPEAKS = frozenset(
    [
        "say",
        "says",
        "said",
        "tell",
        "tells",
        "told",
        "think",
        "thinks",
        "thought",
        "ask",
        "asks",
        "asked",
        "hate",
        "hates",
        "know",
        "knows",
        "noticed",
        "notices",
        "notice",
        "wonders",
        "wondered",
        "insists",
        "joked",
        "joke",
        "laughed",
        "laughs",
        "warned",
        "suggested",
        "recommended",
        "suggest",
        "swears",
        "believes",
    ]
)
"""After a person: that person talks, or feels, about what is told."""

_ADDRESSED = frozenset(
    [
        "with",
        "at",
        "to",
        "told",
        "tell",
        "telling",
        "asked",
        "ask",
        "call",
        "called",
        "text",
        "texted",
        "scared",
        "annoy",
        "annoyed",
    ]
)
"""Before a person: that person listens, or stands by."""

_CLINICIANS = frozenset(
    [
        "doctor",
        "doctors",
        "physician",
        "psychiatrist",
        "psych",
        "gp",
        "pcp",
        "nurse",
        "pharmacist",
        "therapist",
        "neurologist",
        "dermatologist",
        "cardiologist",
        "surgeon",
        "specialist",
        "np",
        "dentist",
        "derm",
        "neuro",
        "rheumatologist",
        "oncologist",
        "obgyn",
    ]
)
_PRONOUNS = frozenset(["she", "he", "him", "her", "his", "hers", "himself", "herself", "they"])
_BRIDGES = frozenset(
    ["my", "our", "the", "a", "an", "own", "dear", "old", "little", "poor", "sweet", "lovely", "two", "one", "best"]
)
_SELF_AFTER = frozenset(["i", "im", "ive"])
_CLAUSES_BACK = 1
"""Sentences without a person of their own that still speak of the last one's."""


class Experiencers:
    """Tells, for places in one text, whether somebody other than the author is spoken of there.

    Args:
        lexicon: Word classes SELF, OTHER and THEIRS.
        reading: The whole text.
    """

    def __init__(self, lexicon: Lexicon, reading: Reading) -> None:
        """Take the words; nothing is read yet."""
        self._classes = lexicon.words
        self._words = reading.words

    def other(self, begin: int, end: int) -> str:
        """Return the word for whoever has what stands in words ``[begin, end)``; empty where it is the author."""
        own_words = self._words[begin:end]
        if not self._classes["SELF"].isdisjoint(own_words):
            return ""
        for word in own_words:
            if word in self._classes["THEIRS"]:
                return word
        if _SELF_AFTER.issuperset(self._words[end : end + 1]) and end < len(self._words):
            return ""  # "hates how moody i am"
        n_stops = 0
        is_crossed = False
        for index in range(begin - 1, max(begin - REACH, 0) - 1, -1):
            word = self._words[index]
            if word in STOPS:
                n_stops += 1
                is_crossed = True
                if n_stops > _CLAUSES_BACK:
                    return ""
            elif word in self._classes["SELF"]:
                if not (word in ("my", "mine") and self._names_other(index)):
                    return ""
            elif word in self._classes["OTHER"] or self._is_little_one(index):
                if self._only_talks(index) or (word in _PRONOUNS and self._is_clinician(index)):
                    continue
                if is_crossed and not self._has_condition_like_subject(index):
                    return ""
                return word
        return ""

    def _names_other(self, index: int) -> bool:
        """Whether the "my" at `index` only says whose somebody is: "my son", "a friend of mine"."""
        if self._words[index] == "mine":
            return index >= 2 and self._words[index - 1] == "of" and self._words[index - 2] in self._classes["OTHER"]
        following = index + 1
        while following < len(self._words) and self._words[following] in _BRIDGES:
            following += 1
        return following < len(self._words) and self._words[following] in self._classes["OTHER"]

    def _is_little_one(self, index: int) -> bool:
        return index > 0 and self._words[index] == "one" and self._words[index - 1] == "little"

    def _only_talks(self, index: int) -> bool:
        """Whether the person at `index` speaks of the author's condition, or is only spoken to."""
        if self._words[index + 1 : index + 2] and self._words[index + 1] in _SPEAKS:
            return True
        before = index - 1
        while before >= 0 and self._words[before] in _BRIDGES:
            before -= 1
        return before >= 0 and self._words[before] in _ADDRESSED

    def _is_clinician(self, index: int) -> bool:
        """Whether the nearest person named before a pronoun treats people."""
        for before in range(index - 1, max(index - REACH, 0) - 1, -1):
            word = self._words[before]
            if word in _CLINICIANS:
                return True
            if word in self._classes["OTHER"] and word not in _PRONOUNS:
                return False
        return False

    def _has_condition_like_subject(self, index: int) -> bool:
        """Whether the person at `index` opens the sentence before, as its subject."""
        before = index - 1
        while before >= 0 and self._words[before] in _BRIDGES:
            before -= 1
        return before < 0 or self._words[before] in STOPS or self._words[before] == PAUSE
