"""Conditions whose words stand apart: a body part and what became of it, with other words between them.

"Killed my kid's appetite" holds the two words of the form "appetite killed" in another order and with another word
between. Forms of a part and a change (words.csv: PART and CHANGE) are found in this way too, after all others and with
a lower score, where what stands between is harmless and no two conditions are possible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adverse_events.coding.reading import DRUG, NUMBER, PAUSE, STOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

MAX_BETWEEN = 4
"""Words that may stand between the two."""

MAX_OTHER = 1
"""Of them words that are not light: any word of a clause but those of `_BARRED`."""
PARTICLES = frozenset({"out", "up", "off"})

_LINKS = frozenset({"in", "of", "on"})
"""What stands before a part that only says where the other is: "hair on my head"."""
_ALONE = [[particle] for particle in sorted(PARTICLES)]
_MAX_WORDS = 3
_BARRED = frozenset(
    f"{DRUG} {NUMBER} {PAUSE} {' '.join(STOPS)} and or but nor if when while because that who which what i you we they"
    " it he she than like as for to by with at not no never cant dont doesnt didnt isnt wasnt arent werent wont without"
    " stop stopped until after before then from n so though".split()
)
"""Words that part two clauses, list, deny or name a place: never between the two."""


@dataclass(frozen=True)
class Apart:
    """Which part and which change make a condition.

    Attributes:
        pairs: Name of the condition by part, then by the stem of the change, its particle included ("fall out").
        stems: Stem of every inflection of a change.
    """

    pairs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stems: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, forms: Iterable[tuple[str, str]], parts: AbstractSet[str], stems: Mapping[str, str]) -> Apart:
        """Return the pairs that occur in `forms` and mean one condition there.

        Args:
            forms: Key and name of the condition.
            parts: Words for parts and functions of the body.
            stems: Stem of every inflection of a change.
        """
        pairs: dict[str, dict[str, str]] = {}
        for key, name in forms:
            words = key.split()
            if len(words) > _MAX_WORDS:
                continue
            here = [word for word in words if word in parts]
            rest = [word for word in words if word not in parts]
            if len(here) != 1 or not rest or rest[0] not in stems or not PARTICLES.issuperset(rest[1:]):
                continue
            change = " ".join((stems[rest[0]], *rest[1:]))
            known = pairs.setdefault(here[0], {}).setdefault(change, name)
            if known != name:
                pairs[here[0]][change] = ""
        told = {part: {change: name for change, name in sorted(of.items()) if name} for part, of in pairs.items()}
        return cls({part: of for part, of in sorted(told.items()) if of}, dict(sorted(stems.items())))

    def find(
        self, words: Sequence[str], light: AbstractSet[str], taken: AbstractSet[int], crossed: AbstractSet[int]
    ) -> list[tuple[int, int, str]]:
        """Return begin, end and name of the condition of each pair among `words`, none overlapping.

        Args:
            words: Searched words of one text.
            light: Words that may stand between the two.
            taken: Places of words that belong to a condition or an idiom.
            crossed: Those, and the places of cues; none of them may lie between the two.
        """
        parts = [at for at, word in enumerate(words) if word in self.pairs and at not in taken]
        changes = [at for at, word in enumerate(words) if word in self.stems and at not in taken]
        found: dict[tuple[int, int], str] = {}
        for part in parts:
            for change in changes:
                begin, end = (part, change) if part < change else (change, part)
                name = self._name(words, part, change)
                if name and begin < end and self._is_near(words, begin + 1, end, light, crossed):
                    found[begin, end + 1 + (words[end + 1 : end + 2] in _ALONE)] = name
        return list(_undisputed(found)) if found else []

    def _name(self, words: Sequence[str], part: int, change: int) -> str:
        of, stem = self.pairs[words[part]], self.stems[words[change]]
        particle = words[change + 1] if change + 1 < len(words) else ""
        return of.get(f"{stem} {particle}" if particle in PARTICLES else stem) or of.get(stem, "")

    def _is_near(
        self, words: Sequence[str], begin: int, end: int, light: AbstractSet[str], crossed: AbstractSet[int]
    ) -> bool:
        """Whether only harmless words stand between part and change, and few of them."""
        if end - begin > MAX_BETWEEN:
            return False
        n_other = 0
        for at in range(begin, end):
            word = words[at]
            if at in crossed or word in self.stems or word in _BARRED:
                return False
            if word in light or (word in self.pairs and words[at - 1] in _LINKS):
                continue
            n_other += 1
            if word in self.pairs or n_other > MAX_OTHER:
                return False
        return True


def _undisputed(found: Mapping[tuple[int, int], str]) -> Iterator[tuple[int, int, str]]:
    """Yield the pairs that no pair of another condition shares a word with; of those of one condition the shortest."""
    free = dict(found)
    for (begin, end), name in sorted(found.items(), key=lambda one: (one[0][1] - one[0][0], one[0])):
        beside = [place for place in found if place[0] < end and begin < place[1]]
        if (begin, end) in free and all(found[place] == name for place in beside):
            yield begin, end, name
            for place in beside:
                free.pop(place, None)
