"""Whose condition it is: the author's, unless the nearest person before it is somebody else.

Where nobody stands before it, a person named right after it may have it ("vivid dreams dad", "nausea for my 8 yr old").
A person who only speaks or listens ("my mom says", "told my mom") has no condition by that, nor has a doctor, whose
"he" and "she" are passed over. A sentence that names no person goes on with the one the sentence before opened with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.coding.reading import NUMBER, PAUSE, STOPS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from adverse_events.coding.reading import Reading

REACH = 40
"""Words looked back over; keeps very long posts linear."""

_SELF_AFTER = frozenset({"i", "im", "ive"})
"""Right after a condition: the author's after all ("hates how moody i am")."""
_OWNING = frozenset({"my", "mine"})
_YEARS = frozenset({"yr", "year", "yo", "month", "mo"})
_YEARS_OLD = tuple([word] for word in sorted(_YEARS))
_AGE = _YEARS | {NUMBER}
_IN_LAW = ["in", "law"]
_GIVEN = frozenset({"for", "in", "on"})
_JOINS = frozenset({"and", PAUSE})
_AFTER = 6
"""Words from a condition to the person named after it."""
_PARAGRAPH = 3
"""Characters of a sentence's end that ends a paragraph too (".\n\n")."""
_MOST_STOPS = 1
"""Sentence ends that may lie between a person and the condition."""


class Experiencers:
    """Tells, for places in one text, whether somebody other than the author is spoken of there.

    Args:
        classes: Word classes SELF, OTHER, KIN, THEIRS, SPEAKS, ADDRESSED, CLINICIAN, PRONOUN and BRIDGE.
        reading: The whole text.
    """

    def __init__(self, classes: Mapping[str, AbstractSet[str]], reading: Reading) -> None:
        """Take the words; nothing is read yet."""
        self._classes, self._reading, self._words = classes, reading, reading.words

    def other(self, begin: int, end: int) -> str:
        """Return the word for whoever has what stands in words ``[begin, end)``; empty where it is the author."""
        own_words = self._words[begin:end]
        if not (self._classes["SELF"].isdisjoint(own_words) and _SELF_AFTER.isdisjoint(self._words[end : end + 1])):
            return ""
        theirs = next((word for word in own_words if word in self._classes["THEIRS"]), "")
        return theirs or self._before(begin) or self._after(begin, end)

    def _before(self, begin: int) -> str:
        """Return the nearest person before a place who may have what stands there; empty where it is the author."""
        n_stops = 0
        for index in range(begin - 1, max(begin - REACH, 0) - 1, -1):
            word = self._words[index]
            if word in STOPS:
                n_stops += 1
                if n_stops > _MOST_STOPS or self._ends_paragraph(index):
                    return ""
            elif word in self._classes["SELF"]:
                if not (word in _OWNING and self._names_other(index)):
                    return ""
            elif self._is_person(index) and not self._only_talks(index):
                return word if not n_stops or self._opens_sentence(index) else ""
        return ""

    def _after(self, begin: int, end: int) -> str:
        """Return the person named right after a condition whose sentence has nobody before it.

        Either after a preposition ("nausea for my son"), or alone ("vivid dreams dad").
        """
        if self._has_self_before(begin):
            return ""
        index, is_given, is_apart = end, False, False
        while index < len(self._words) and index < end + _AFTER and self._is_bridge(index):
            is_given |= self._words[index] in _GIVEN
            is_apart |= self._words[index] == PAUSE
            index += 1
        if index >= len(self._words) or not self._is_person(index) or self._words[index] in self._classes["PRONOUN"]:
            return ""
        following = self._words[index + 1 : index + 2]
        is_last = not following or following[0] in STOPS or (following[0] in _JOINS and not is_apart)
        return self._words[index] if is_last or (is_given and not is_apart) else ""

    def _has_self_before(self, begin: int) -> bool:
        """Whether the author is spoken of before `begin` in its sentence."""
        for index in range(begin - 1, max(begin - REACH, 0) - 1, -1):
            if self._words[index] in STOPS:
                return False
            if self._words[index] in self._classes["SELF"] and not self._names_other(index):
                return True
        return False

    def _is_bridge(self, index: int) -> bool:
        """Whether a word may stand between a condition and the person named right after it."""
        word = self._words[index]
        if self._is_person(index):
            return False
        return word == PAUSE or word in self._classes["BRIDGE"] or word in _GIVEN or word in _AGE

    def _is_person(self, index: int) -> bool:
        """Whether a word is somebody else; "one" is in "little one", "old" in "my 8 yr old"."""
        word, before = self._words[index], self._words[max(index - 1, 0)]
        if word == "one":
            return before == "little"
        if word == "old":
            return before in _YEARS and self._words[max(index - 2, 0)] == NUMBER
        if word in self._classes["KIN"]:
            return not index or before in self._classes["BRIDGE"] or before in STOPS or before in _GIVEN
        return word in self._classes["OTHER"]

    def _names_other(self, index: int) -> bool:
        """Whether the "my" at `index` only says whose somebody is: "my son", "a friend of mine"."""
        if self._words[index] == "mine":
            before = self._words[max(index - 2, 0) : index]
            return before[1:] == ["of"] and before[0] in self._classes["OTHER"]
        after = index + 1
        while after < len(self._words) and self._words[after] in self._classes["BRIDGE"]:
            after += 1
        if self._words[after : after + 1] == [NUMBER]:
            return self._words[after + 1 : after + 2] in _YEARS_OLD
        return after < len(self._words) and self._words[after] in self._classes["OTHER"] | self._classes["KIN"]

    def _only_talks(self, index: int) -> bool:
        """Whether the person at `index` speaks of the author's condition, is spoken to, or is a doctor."""
        after = index + 1 + (2 if self._words[index + 1 : index + 3] == _IN_LAW else 0)
        if not self._classes["SPEAKS"].isdisjoint(self._words[after : after + 1]):
            return True
        before = self._before_bridges(index)
        if before >= 0 and self._words[before] in self._classes["ADDRESSED"]:
            return True
        return self._words[index] in self._classes["PRONOUN"] and self._is_clinician(index)

    def _is_clinician(self, index: int) -> bool:
        """Whether the nearest person named before a pronoun treats people."""
        for before in range(index - 1, max(index - REACH, 0) - 1, -1):
            word = self._words[before]
            if word in self._classes["CLINICIAN"]:
                return True
            is_named = word in self._classes["OTHER"] and word not in self._classes["PRONOUN"]
            if is_named or (word in STOPS and self._ends_paragraph(before)):
                return False
        return False

    def _ends_paragraph(self, index: int) -> bool:
        return self._reading.ends[index] - self._reading.begins[index] >= _PARAGRAPH

    def _opens_sentence(self, index: int) -> bool:
        """Whether the person at `index` is the first thing said in a sentence or clause."""
        before = self._before_bridges(index)
        return before < 0 or self._words[before] in STOPS or self._words[before] == PAUSE

    def _before_bridges(self, index: int) -> int:
        """Return the last place before `index` that holds no "my", "the", "old"; -1 where there is none."""
        before = index - 1
        while before >= 0 and self._words[before] in self._classes["BRIDGE"]:
            before -= 1
        return before
