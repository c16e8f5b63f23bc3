"""Checks on corpora of others, read where they lie and never shipped: formal sentences, and what reviews are about.

Neither has ICD-10-CM codes, so neither measures codes: the first asks whether an effect that a case report states is
found at all, the second whether a sentence about an indication or a benefit is kept from being counted as an event.
"""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

from adverse_events.coding.select import best_concept, is_event
from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.coding.select import CodingSettings
    from adverse_events.records import Coding, DrugMention, Entity

EFFECT_COLUMNS = ("text", "effect", "drug")
REVIEW_COLUMNS = ("text", "label", "WD", "EF", "INF", "SSI", "DI")

_EXPECTED = {
    "label": "ADE",
    "WD": "WITHDRAWAL",
    "INF": "LACK_OF_EFFECT",
    "EF": "BENEFIT",
    "DI": "INDICATION",
    "SSI": "INDICATION",
}
"""The role that the conditions of a sentence should have, by label. A sentence with several counts under the first
here: what helped or did not help names the illness too."""
_EVENTS = ("label", "WD")
"""Labels of sentences that report something the drug did. With both, or with one of the others, it is not known which
condition is which: such sentences are left out."""
_PER_CALL = 2048


def check_effects(
    path: Path, coder: ConditionCoder, find_drugs: Callable[[str], list[DrugMention]], settings: CodingSettings
) -> dict[str, float | int]:
    """Measure how many of the effects that formal sentences state are found.

    Args:
        path: CSV with the columns of `EFFECT_COLUMNS`; one row per stated effect, as in the ADE corpus's relations.
        coder: Any coder.
        find_drugs: Finds the drugs of a text.
        settings: Score limits.

    Returns:
        Distinct ``effects`` that stand in their sentence, and the shares of them with an overlapping entity
        (``found``), with a code (``coded``), and counted as an event (``events``, of those found).

    Raises:
        ContractError: The file cannot be used; names file, row and remedy.
    """
    stated = {(row["text"], row["effect"]) for row in _rows(path, EFFECT_COLUMNS)}
    placed = [
        (text, begin, begin + len(effect))
        for text, effect in sorted(stated)
        if effect and (begin := text.casefold().find(effect.casefold())) >= 0
    ]
    texts = sorted({text for text, _, _ in placed})
    codings = dict(zip(texts, _codings(texts, coder, find_drugs), strict=True))
    tally: Counter[str] = Counter()
    for text, begin, end in placed:
        inside = [entity for entity in codings[text].entities if entity.begin < end and begin < entity.end]
        tally["found"] += bool(inside)
        tally["coded"] += any(best_concept(entity, settings) for entity in inside)
        tally["events"] += any(is_event(entity, settings) for entity in inside)
    return {
        "effects": len(placed),
        "found": _share(tally["found"], len(placed)),
        "coded": _share(tally["coded"], len(placed)),
        "events": _share(tally["events"], tally["found"]),
    }


def check_reviews(
    path: Path, coder: ConditionCoder, find_drugs: Callable[[str], list[DrugMention]], settings: CodingSettings
) -> dict[str, dict[str, float | int]]:
    """Measure which roles the conditions of labelled review sentences get.

    Args:
        path: CSV with the columns of `REVIEW_COLUMNS`, 0 or 1 each, as in PsyTAR: adverse reaction (label), withdrawal,
            effective, ineffective, sign or symptom of the illness, drug indication.
        coder: Any coder.
        find_drugs: Finds the drugs of a text.
        settings: Score limits.

    Returns:
        By label: ``sentences``; the share with a ``condition`` that is asserted; of those, the share with one in the
        ``expected_role`` and the share with one that counts as an event (``false_events`` where none should).

    Raises:
        ContractError: The file cannot be used; names file, row and remedy.
    """
    labelled: dict[str, list[str]] = {label: [] for label in _EXPECTED}
    for row in _rows(path, REVIEW_COLUMNS):
        labels = [label for label in _EXPECTED if row[label].strip() == "1"]
        if labels and not (len(labels) > 1 and labels[0] in _EVENTS):
            labelled[labels[0]].append(row["text"])
    return {
        label: _review_shares(label, _codings(texts, coder, find_drugs), settings) for label, texts in labelled.items()
    }


def _review_shares(label: str, codings: Sequence[Coding], settings: CodingSettings) -> dict[str, float | int]:
    asserted = [kept for coding in codings if (kept := [entity for entity in coding.entities if _is_asserted(entity)])]
    expected = sum(any(entity.role == _EXPECTED[label] for entity in entities) for entities in asserted)
    events = sum(any(is_event(entity, settings) for entity in entities) for entities in asserted)
    name = "events" if label in _EVENTS else "false_events"
    return {
        "sentences": len(codings),
        "condition": _share(len(asserted), len(codings)),
        "expected_role": _share(expected, len(asserted)),
        name: _share(events, len(asserted)),
    }


def _is_asserted(entity: Entity) -> bool:
    return not any(trait.name in {"NEGATION", "HYPOTHETICAL"} for trait in entity.traits)


def _codings(
    texts: Sequence[str], coder: ConditionCoder, find_drugs: Callable[[str], list[DrugMention]]
) -> list[Coding]:
    codings: list[Coding] = []
    for start in range(0, len(texts), _PER_CALL):
        some = texts[start : start + _PER_CALL]
        codings += coder.code(some, [find_drugs(text) for text in some])
    return codings


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [column for column in columns if column not in (rows.fieldnames or ())]
            if missing:
                raise ContractError(path.name, f"line 1: column {missing[0]} is missing; expected {', '.join(columns)}")
            for row in rows:
                if any(row[column] is None for column in columns):
                    raise ContractError(path.name, f"line {rows.line_num}: the row is too short; mend its quotes")
                yield {column: row[column] for column in columns}
    except UnicodeDecodeError as error:
        raise ContractError(path.name, "is not UTF-8; save it again as UTF-8") from error


def _share(n: int, of: int) -> float:
    return round(n / of, 4) if of else 0.0
