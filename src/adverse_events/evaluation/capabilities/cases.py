"""The packaged cases, checked as they are read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from adverse_events.corpus.keys import normalised, text_key
from adverse_events.errors import ContractError
from adverse_events.privacy import mask_text

LABELS: Final = ("NOT_ADE", "ADE")
CAPABILITIES: Final = (
    "negation",
    "indication",
    "benefit",
    "hypothetical",
    "someone_else",
    "withdrawal",
    "lack_of_effect",
    "sarcasm",
    "dosage_question",
)
FILE: Final = "cases.csv"


@dataclass(frozen=True)
class Case:
    """One post and what is right.

    Attributes:
        case_id: Names the case in reports.
        capability: One of `CAPABILITIES`.
        label: ADE or NOT_ADE.
        text: The post, written by the project.
    """

    case_id: str
    capability: str
    label: str
    text: str


def load() -> tuple[Case, ...]:
    """Return every case in file order.

    Raises:
        ContractError: An id or text twice, an unknown label or capability, or a text that masking would change; names
            the line.
    """
    content = files("adverse_events.evaluation.capabilities").joinpath(FILE).read_text(encoding="utf-8")
    return checked([Case(**row) for row in csv.DictReader(content.splitlines())])


def checked(cases: list[Case]) -> tuple[Case, ...]:
    """Return `cases`, if they are what `load` promises; see there."""
    ids: set[str] = set()
    texts: set[str] = set()
    for line, case in enumerate(cases, start=2):
        wrong = (
            f"the id {case.case_id} is there twice"
            if case.case_id in ids
            else "the text is there twice"
            if normalised(case.text) in texts
            else f"{case.capability} is no capability"
            if case.capability not in CAPABILITIES
            else f"{case.label} is no label"
            if case.label not in LABELS
            else "masking would change the text"
            if mask_text(case.text) != case.text
            else ""
        )
        if wrong:
            raise ContractError(FILE, f"line {line}: {wrong}")
        ids.add(case.case_id)
        texts.add(normalised(case.text))
    return tuple(cases)


def hashes() -> frozenset[str]:
    """Return what names every case's text, without differences of case and spacing: texts never to be trained on."""
    return frozenset(text_key(normalised(case.text)) for case in load())
