"""Fillers for a frame's slots, drawn so that one text does not say one thing twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adverse_events.training.variants.frames import SLOT, SYMPTOM, Material, material

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

_DRUG_SHARES = {"known": 0.55, "listed": 0.2, "made_up": 0.15, "neutral": 0.1}
"""How often each kind of name stands for a drug: what decides is the sentence, not a name met before."""

_SHARE_CAPITALISED = 0.5
_TELLING_LETTERS = 5
"""Words that share as many first letters are taken for one thing: depressed, depression."""

# "this med" for a drug's name is English after these words and before none of those.
_MAY_BE_NEUTRAL = re.compile(
    r"(?:^|[.?!] |\b(?:on|from|with|tak(?:e|ing)|took|start(?:ed|ing)?|since|of|off|stop(?:ped|ping)?|quit|because|but"
    r"|blame|until|and|after|before|without|by) )\{drug\}(?=$|[.,:;?!]|\s(?!day|side|shot|hangover|withdrawal|bill"
    r"|prices|pen|copay|refill|and \{drug2|or \{|salesman|lawyers|maker|recall|diet|box|commercial|ads|detox|o'clock"
    r"|leaflet|crowd|label|sulfate|level|\{|you\b))"
)
_WORD = re.compile(rf"[a-z]{{{_TELLING_LETTERS},}}")


def fill(frame: str, rng: random.Random, *, may_be_neutral: bool = True) -> str:
    """Return `frame` with every slot filled.

    A slot repeated with its number keeps its filler; another number gives another one. Symptoms and illnesses differ
    in what they mean, not in wording alone.

    Args:
        frame: Text with slots in braces.
        rng: Decides.
        may_be_neutral: Whether "this med" may stand for the drug where the grammar allows it.
    """
    stock = material()
    chosen: dict[str, str] = {}
    concepts: set[str] = set()
    n_mentions = frame.count("{drug}")
    neutral = may_be_neutral and n_mentions == len(_MAY_BE_NEUTRAL.findall(frame)) > 0
    for match in SLOT.finditer(frame):
        name = match["name"]
        if match[0] in chosen:
            continue
        if name == "drug":
            chosen[match[0]] = _drug(chosen.values(), rng, may_be_neutral=neutral and not match["number"])
        elif name.startswith(SYMPTOM):
            chosen[match[0]] = _symptom(stock, name.removeprefix(SYMPTOM), concepts, chosen.values(), rng)
        else:
            chosen[match[0]] = rng.choice(_unlike(stock.slots[name], chosen.values()))
    return SLOT.sub(lambda match: chosen[match[0]], frame)


def drug_name(rng: random.Random, *, may_be_neutral: bool) -> str:
    """Return a name for a drug, in one of the ways it is written; `may_be_neutral` allows "this med"."""
    stock = material()
    kinds = [kind for kind in _DRUG_SHARES if may_be_neutral or kind != "neutral"]
    kind = rng.choices(kinds, [_DRUG_SHARES[kind] for kind in kinds])[0]
    name = rng.choice(stock.drugs[kind])
    is_capitalised = kind in {"known", "listed"} and rng.random() < _SHARE_CAPITALISED
    return name.capitalize() if is_capitalised else name


def _drug(taken: Iterable[str], rng: random.Random, *, may_be_neutral: bool) -> str:
    while (name := drug_name(rng, may_be_neutral=may_be_neutral)).lower() in {said.lower() for said in taken}:
        pass
    return name


def _symptom(stock: Material, grammar: str, concepts: set[str], taken: Iterable[str], rng: random.Random) -> str:
    """Return a wording of a concept not yet in `concepts`, and note the concept there."""
    left = {
        concept: wordings
        for concept, said in stock.symptoms.items()
        if grammar in said and concept not in concepts and (wordings := _unlike(said[grammar], taken))
    }
    concept = rng.choice(list(left))
    concepts.add(concept)
    return rng.choice(left[concept])


def _unlike(fillers: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Return the fillers that share no telling word with what the text already says."""
    said = {stem for filler in taken for stem in _stems(filler)}
    texts = set(taken)
    return [filler for filler in fillers if filler not in texts and not said & _stems(filler)]


def _stems(text: str) -> set[str]:
    return {word[:_TELLING_LETTERS] for word in _WORD.findall(text.lower())}
