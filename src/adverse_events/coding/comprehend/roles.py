"""What Comprehend Medical has no name for, added to its entities.

Role, PAST_HISTORY, adverse-effect code, body system, whether the condition is serious in itself; and what the text
tells of seriousness and special situations.

The service's own word stands for everything it has a name for: spans, scores, codes, and the traits of
`wire.SERVICE_TRAITS`, present or absent. The rules of the embedded coder add the rest and never overrule it: where the
service hears a denial and the rules do not, the condition is denied; where the rules hear one and the service does
not, it is not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Self, TypeVar

from adverse_events.coding.context import Finding
from adverse_events.coding.lexicon import KINDS, UNKNOWN, Condition, Form, Lexicon, load_lexicon
from adverse_events.coding.matching import FoundForm
from adverse_events.coding.reading import DRUG, PAUSE, STOPS
from adverse_events.coding.roles import CUE_SCORE, ReadText, RoleReader
from adverse_events.coding.select import distinct_entities
from adverse_events.coding.wire import SERVICE_TRAITS
from adverse_events.records import Trait

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adverse_events.coding.situations import Told
    from adverse_events.records import DrugMention, Entity

_Fact = TypeVar("_Fact")

_CATEGORY_LETTERS = 3
_NO_WORDS_OF_A_CONDITION = frozenset({DRUG, PAUSE, *STOPS})
_UNPLACED = Finding(UNKNOWN, ())


class LocalRules:
    """Completes a service's entities with the lexicon and rules of the embedded coder.

    Args:
        lexicon: The embedded coder's.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        """Prepare the look-ups."""
        self._roles = RoleReader(lexicon)
        self.version = self._roles.version
        self._verbs = lexicon.words["VERBAL"]
        conditions = lexicon.conditions.values()
        self._priors = _by_code((condition.code, condition.prior) for condition in conditions)
        self._facts = _by_code(
            (condition.code, (condition.body_system, condition.is_serious)) for condition in conditions
        )

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return the rules with the shipped lexicon, read once per process."""
        return cls(load_lexicon())

    def complete(self, text: str, drugs: Sequence[DrugMention], entities: Iterable[Entity]) -> tuple[Entity, ...]:
        """Return `entities` with role, PAST_HISTORY and cause; in text order, of overlapping ones the most specific.

        Conditions that only the lexicon finds are not added. They are heard, though: a cue that speaks of them does
        not speak of the service's.

        Args:
            text: The whole text.
            drugs: The drugs it names.
            entities: What the service found in it.
        """
        distinct = distinct_entities(entities)
        if not distinct:
            return ()
        read = self._roles.read(text, drugs)
        places = self._places(read, distinct)
        taken = {index for place in places if place for index in range(place.begin, place.end)}
        others = [form for form in read.forms if taken.isdisjoint(range(form.begin, form.end))]
        forms = sorted((*filter(None, places), *others), key=lambda form: form.begin)
        findings = dict(zip(((form.begin, form.end) for form in forms), self._roles.judge(read, forms), strict=True))
        return tuple(
            self._completed(read, entity, place, findings[place.begin, place.end] if place else _UNPLACED, drugs)
            for entity, place in zip(distinct, places, strict=True)
        )

    def told(self, text: str, drugs: Sequence[DrugMention], entities: Sequence[Entity]) -> Told:
        """Return the seriousness criteria and special situations of `text`, whose completed `entities` are given."""
        return self._roles.told(self._roles.read(text, drugs), text, entities)

    def _places(self, read: ReadText, entities: Sequence[Entity]) -> list[FoundForm | None]:
        """Return where each entity stands among the searched words; None where it has no word to itself."""
        known = {read.span(form): form for form in read.forms}
        places: list[FoundForm | None] = []
        free_from = 0
        for entity in entities:
            place = known.get((entity.begin, entity.end)) or self._made(read, entity)
            if place and place.begin < free_from:
                place = None
            free_from = place.end if place else free_from
            places.append(place)
        return places

    def _made(self, read: ReadText, entity: Entity) -> FoundForm | None:
        """Return a form for a span the lexicon does not have; it need not begin or end where a word does."""
        words = read.words
        begin = bisect_right([read.reading.ends[index] for index in read.kept], entity.begin)
        end = bisect_left([read.reading.begins[index] for index in read.kept], entity.end)
        while begin < end and words[begin] in _NO_WORDS_OF_A_CONDITION:
            begin += 1
        while begin < end and words[end - 1] in _NO_WORDS_OF_A_CONDITION:
            end -= 1
        if begin >= end:
            return None
        inside = [form for form in read.forms if form.begin < end and begin < form.end]
        alike = max(inside, key=lambda form: min(form.end, end) - max(form.begin, begin), default=None)
        condition = self._condition(entity, alike.form.condition if alike else None)
        return FoundForm(begin, end, Form(condition, end - begin, 0, entity.score, words[begin] in self._verbs))

    def _condition(self, entity: Entity, alike: Condition | None) -> Condition:
        """Return the condition an entity names: what the service says of it, then the lexicon's own at that place."""
        best = max(entity.concepts, key=lambda concept: concept.score, default=None)
        code, description = (best.code, best.description) if best else ("", "")
        kind = next((trait.name for trait in entity.traits if trait.name in KINDS), alike.kind if alike else "SYMPTOM")
        prior = _for_code(self._priors, code)
        if prior is None:
            prior = alike.prior if alike else ""
        return Condition(entity.text, code, description, kind, prior)

    def _completed(
        self, read: ReadText, entity: Entity, place: FoundForm | None, finding: Finding, drugs: Sequence[DrugMention]
    ) -> Entity:
        unnamed = [Trait(name, CUE_SCORE) for name in finding.traits if name not in SERVICE_TRAITS]
        traits = sorted((*entity.traits, *unnamed), key=lambda trait: (-trait.score, trait.name))
        is_denied = any(trait.name == "NEGATION" for trait in traits)
        cause = None if is_denied else self._roles.cause(read, finding, drugs)
        best = max(entity.concepts, key=lambda concept: concept.score, default=None)
        # Two conditions of one code may lie elsewhere in the body; where the code tells nothing, or there is none, the
        # lexicon's own condition at that place does.
        code = best.code if best else ""
        found = place.form.condition if place else None
        at_place = (found.body_system, found.is_serious) if found else ("", False)
        is_same = found is not None and found.body_system and found.code == code
        body_system, is_serious = at_place if is_same else _for_code(self._facts, code) or at_place
        return replace(
            entity,
            traits=tuple(traits),
            role=finding.role,
            cause_code=cause,
            body_system=body_system,
            is_serious=is_serious,
        )


def _by_code(told: Iterable[tuple[str, _Fact]]) -> dict[str, _Fact]:
    """Return what conditions tell, by ICD-10-CM code and by the category, where all of one code or category agree."""
    found: defaultdict[str, set[_Fact]] = defaultdict(set)
    for code, fact in told:
        for key in {code, code[:_CATEGORY_LETTERS]} - {""}:
            found[key].add(fact)
    return {code: facts.pop() for code, facts in found.items() if len(facts) == 1}


def _for_code(facts: Mapping[str, _Fact], code: str) -> _Fact | None:
    return facts.get(code, facts.get(code[:_CATEGORY_LETTERS]))
