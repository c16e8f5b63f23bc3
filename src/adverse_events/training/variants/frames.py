"""The written material of the variants: frames and what fills their slots, read and checked."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from adverse_events.errors import ContractError
from adverse_events.screening.drugs import DrugLexicon

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = ("NOT_ADE", "ADE")
REGISTERS = ("post", "review", "report")
SLOT = re.compile(r"\{(?P<name>[a-z_]+)(?P<number>\d?)\}")
SYMPTOM = "symptom_"
DRUG_KINDS = ("known", "made_up", "neutral")
_MIN_BRAND_LETTERS = 5  # shorter brands are often everyday words


@dataclass(frozen=True)
class Frame:
    """One sentence with slots in braces.

    Attributes:
        capability: What the sentence trains, such as negation.
        label: ADE or NOT_ADE, whatever fills the slots.
        register: post, review (of a medicine by its taker) or report (a sentence of a clinical paper).
        text: The sentence; a number after a slot's name asks for another filler of its kind.
    """

    capability: str
    label: str
    register: str
    text: str


@dataclass(frozen=True)
class Material:
    """Everything the generator draws from.

    Attributes:
        frames: In the order of the file.
        slots: Slot name to its fillers.
        symptoms: Concept to the grammars it can be said in, each to its wordings; no grammar is empty.
        drugs: known, made_up, neutral and listed (brands and ingredients of the lexicon) to names.
    """

    frames: tuple[Frame, ...]
    slots: Mapping[str, tuple[str, ...]]
    symptoms: Mapping[str, Mapping[str, tuple[str, ...]]]
    drugs: Mapping[str, tuple[str, ...]]


@cache
def material() -> Material:
    """Return the shipped material, read once per process.

    Raises:
        ContractError: A frame has a label, register or slot that is not known; names the row.
    """
    slots = {row["slot"]: tuple(row["fillers"].split("|")) for row in _rows("slots/slots.csv")}
    drugs = {row["kind"]: tuple(row["fillers"].split("|")) for row in _rows("slots/drug_names.csv")}
    symptoms = {
        row["concept"]: {name: tuple(said.split("|")) for name, said in row.items() if name != "concept" and said}
        for row in _rows("slots/symptoms.csv")
    }
    grammars = {f"{SYMPTOM}{grammar}" for said in symptoms.values() for grammar in said}
    frames = []
    for number, row in enumerate(_rows("frames.csv"), start=2):
        unknown = {match["name"] for match in SLOT.finditer(row["frame"])} - {*slots, *grammars, "drug"}
        if unknown or row["label"] not in LABELS or row["register"] not in REGISTERS:
            problem = f"slot {min(unknown)} is not known" if unknown else "label or register is not known"
            raise ContractError("frames.csv", f"row {number}: {problem}")
        frames.append(Frame(row["capability"], row["label"], row["register"], row["frame"]))
    return Material(tuple(frames), slots, symptoms, {**drugs, "listed": _listed_drugs()})


def _listed_drugs() -> tuple[str, ...]:
    """Return the single ingredients of the shipped drug lexicon that read as a name."""
    names = DrugLexicon.load().ingredients
    return tuple(sorted(name for name in names if name.isalpha() and len(name) >= _MIN_BRAND_LETTERS))


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))
