"""Fill the frames: labelled posts that say what the corpora hold too little of.

A frame is a sentence with slots, a capability and a label; fillers are lay words for drugs, symptoms and illnesses.
Every cue ("no", "without", "for my", "worried", "my sister", "finally") stands under both labels, so that none decides
alone, and some drug names are invented, so that none is known.

Labels follow the tweets: ADE says that the author reports a reaction. A relative's or a friend's reaction is not the
author's. Symptoms of stopping a medicine are labelled ADE, because the coder counts them as events (role WITHDRAWAL).
"""

from __future__ import annotations

import csv
import random
import re
from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ADE: Final = "ADE"
NOT_ADE: Final = "NOT_ADE"
_PACKAGE: Final = "adverse_events.training.variants"
_SLOT: Final = re.compile(r"\{(\w+)\}")
_TRIES: Final = 50
"""Draws in a row that only repeat a text already made, after which the frames are exhausted."""


@dataclass(frozen=True)
class Frame:
    """One sentence with slots.

    Attributes:
        capability: What it exercises, e.g. negation.
        label: ADE or NOT_ADE.
        text: The sentence; ``{slot}`` names a list of fillers.
    """

    capability: str
    label: str
    text: str


@dataclass(frozen=True)
class Variant:
    """One generated post: its text, label (ADE or NOT_ADE) and capability."""

    text: str
    label: str
    capability: str


def read_frames() -> tuple[Frame, ...]:
    """Read the packaged frames.

    Raises:
        ContractError: A label that is neither ADE nor NOT_ADE, or a slot without fillers; names the line.
    """
    fillers = read_fillers()
    frames = []
    for line, row in enumerate(_rows("frames.csv"), start=2):
        unknown = set(_SLOT.findall(row["frame"])) - set(fillers)
        if unknown or row["label"] not in {ADE, NOT_ADE}:
            detail = f"no fillers for {sorted(unknown)}" if unknown else f"label {row['label']!r}"
            raise ContractError("frames.csv", f"line {line}: {detail}")
        frames.append(Frame(row["capability"], row["label"], row["frame"]))
    return tuple(frames)


def read_fillers() -> dict[str, list[str]]:
    """Read the packaged fillers by slot, in file order."""
    fillers: defaultdict[str, list[str]] = defaultdict(list)
    for row in _rows("fillers.csv"):
        fillers[row["slot"]].append(row["filler"])
    return dict(fillers)


def generate(n: int, seed: int) -> list[Variant]:
    """Make `n` distinct posts; one seed always gives the same ones, in the same order.

    Capabilities come in turn, and within a capability the labels that it has.

    Raises:
        ContractError: The frames do not hold that many distinct posts.
    """
    rng = random.Random(seed)  # noqa: S311 - not a secret
    fillers = read_fillers()
    shelves: defaultdict[str, defaultdict[str, list[Frame]]] = defaultdict(lambda: defaultdict(list))
    for frame in read_frames():
        shelves[frame.capability][frame.label].append(frame)
    made: dict[str, Variant] = {}
    capabilities = sorted(shelves)
    repeats = 0
    while len(made) < n:
        turn = len(made)
        by_label = shelves[capabilities[turn % len(capabilities)]]
        labels = sorted(by_label)
        frame = rng.choice(by_label[labels[(turn // len(capabilities)) % len(labels)]])
        text = _said(_fill(frame.text, fillers, rng), rng)
        repeats = repeats + 1 if text in made else 0
        if repeats > _TRIES:
            msg = f"only {len(made)} distinct posts of the {n} asked for; add frames or fillers"
            raise ContractError("frames.csv", msg)
        made.setdefault(text, Variant(text, frame.label, frame.capability))
    return list(made.values())


def swap_drugs(text: str, mentions: Sequence[tuple[int, int]], names: Sequence[str], rng: random.Random) -> str:
    """Name another drug wherever `text` names one, the same for the same name.

    Args:
        text: Any post.
        mentions: Start and end of each drug mention, in order, not overlapping.
        names: What to name instead.
        rng: Chooses.
    """
    instead: dict[str, str] = {}
    parts, last = [], 0
    for start, end in mentions:
        name = text[start:end]
        other = instead.setdefault(name.casefold(), rng.choice(names))
        parts += [text[last:start], other.capitalize() if name[:1].isupper() else other]
        last = end
    return "".join([*parts, text[last:]])


def _fill(frame: str, fillers: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    used: set[str] = set()

    def choose(match: re.Match[str]) -> str:
        options = [filler for filler in fillers[match[1]] if filler not in used]
        used.add(chosen := rng.choice(options))
        return chosen

    return _SLOT.sub(choose, frame)


def _said(text: str, rng: random.Random) -> str:
    """Write `text` as somebody in a hurry might: case, apostrophes, an ending, an address."""
    habits: list[tuple[float, Callable[[str], str]]] = [
        (0.25, str.lower),
        (0.20, lambda t: t.replace("'", "")),
        (0.05, str.upper),
        (0.20, lambda t: t[:1].upper() + t[1:]),
        (0.08, lambda t: f"@USER {t}"),
        (0.15, lambda t: t + rng.choice((".", "!", " lol", " ugh", " smh", "...", " :(", " #meds", " #spoonie"))),
    ]
    for share, habit in habits:
        if rng.random() < share:
            text = habit(text)
    return text


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(files(_PACKAGE).joinpath(name).read_text(encoding="utf-8").splitlines()))
