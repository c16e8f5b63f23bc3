"""Fillers for a frame's slots, drawn so that one text does not say one thing twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adverse_events.training.variants.frames import SLOT, SYMPTOM, Material, material

if TYPE_CHECKING:
    import random

_DRUG_SHARES = {"known": 0.55, "listed": 0.2, "made_up": 0.15, "neutral": 0.1}
"""How often each kind of name stands for a drug: what decides is the sentence, not a name met before."""

_NEEDS_NAME = re.compile(r"(?:#|\b(?:my|the|his|her|your|this|that|a|of these|these) |'s )\{drug\}|\{drug\}(?:-| ad\b)")
"""Where "this med" would be no English."""


def fill(frame: str, rng: random.Random) -> str:
    """Return `frame` with every slot filled.

    A slot repeated with its number keeps its filler; another number gives another one. Symptoms differ in what they
    mean, not in wording alone.
    """
    stock = material()
    chosen: dict[str, str] = {}
    concepts: set[str] = set()
    needs_name = _NEEDS_NAME.search(frame) is not None
    for match in SLOT.finditer(frame):
        name = match["name"]
        if match[0] in chosen:
            continue
        if name == "drug":
            chosen[match[0]] = _drug(stock, set(chosen.values()), rng, needs_name=needs_name or bool(match["number"]))
        elif name.startswith(SYMPTOM):
            chosen[match[0]] = _symptom(stock, name.removeprefix(SYMPTOM), concepts, rng)
        else:
            left = [filler for filler in stock.slots[name] if filler not in chosen.values()]
            chosen[match[0]] = rng.choice(left)
    return SLOT.sub(lambda match: chosen[match[0]], frame)


def drug_name(rng: random.Random, *, may_be_neutral: bool) -> str:
    """Return a name for a drug, written as its kind usually is; `may_be_neutral` allows "this med"."""
    stock = material()
    kinds = [kind for kind in _DRUG_SHARES if may_be_neutral or kind != "neutral"]
    kind = rng.choices(kinds, [_DRUG_SHARES[kind] for kind in kinds])[0]
    name = rng.choice(stock.drugs[kind])
    return name.capitalize() if kind in {"known", "listed"} and rng.random() < 0.5 else name  # noqa: PLR2004 - a coin


def _drug(stock: Material, taken: set[str], rng: random.Random, *, needs_name: bool) -> str:
    del stock
    while (name := drug_name(rng, may_be_neutral=not needs_name)) in taken:
        pass
    return name


def _symptom(stock: Material, grammar: str, concepts: set[str], rng: random.Random) -> str:
    left = [concept for concept, said in stock.symptoms.items() if grammar in said and concept not in concepts]
    concept = rng.choice(left)
    concepts.add(concept)
    return rng.choice(stock.symptoms[concept][grammar])
