"""Frames and slots: how a sentence frame becomes a text whose coded spans and drugs are known.

A frame line reads, in this order, ``+`` (an adverse event), ``%xx`` (its language), ``@class,class`` (the
drug classes it fits), then text with ``<this|or that>``, ``{slot}`` and ``[[coded span|ICD-10-CM code]]``.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adverse_events.sample.dice import Dice

SPAN_OPEN, SPAN_CLOSE, DRUG_OPEN, DRUG_CLOSE = "\ue000", "\ue001", "\ue002", "\ue003"
"""Private-use characters around coded spans and drug names, so that both survive typos and slang."""

SYMPTOM_FORMS = ("n", "now", "then", "makes")

_ALTERNATIVES = re.compile(r"<([^<>]*)>")
_SLOT = re.compile(r"\[\[([^|\]]+)\|([^\]]+)\]\]|\{(\w+)(?:([.=])([^}]+))?\}")
_DOUBLED = re.compile(r"\b(my|the) (?:my|a|an|this|the)\b")
_VOWELS = "aeiou"


@dataclass(frozen=True, slots=True)
class Frame:
    """One sentence frame.

    Attributes:
        classes: Drug classes it fits; empty means any.
        lang: ISO 639-1.
    """

    text: str
    is_ade: bool
    lang: str
    classes: tuple[str, ...]


@dataclass(slots=True)
class Draft:
    """A filled frame.

    Attributes:
        text: With the private-use marks still in it.
        codes: ICD-10-CM code of each marked span, in order.
        ingredients: Of the drugs named, in order, each once.
    """

    text: str = ""
    codes: list[str] = field(default_factory=list)
    ingredients: list[str] = field(default_factory=list)


@cache
def frames_of(kind: str) -> tuple[Frame, ...]:
    """Return the frames of ``frames/<kind>.txt``, in file order."""
    lines = _resource("frames", f"{kind}.txt").splitlines()
    return tuple(_parse(line) for line in lines if line and not line.startswith("# "))


@cache
def words() -> dict[str, list[str]]:
    """Return the everyday slots."""
    return tomllib.loads(_resource("slots", "words.toml"))


@cache
def chatter() -> tuple[str, ...]:
    """Return the sentences that have nothing to do with drugs."""
    return tuple(line for line in _resource("slots", "chatter.txt").splitlines() if not line.startswith("# "))


@cache
def drug_classes() -> dict[str, dict[str, Any]]:
    """Return the drug classes by name."""
    return tomllib.loads(_resource("slots", "drugs.toml"))


@cache
def symptoms() -> dict[str, dict[str, Any]]:
    """Return the symptoms by name: ``code`` and the phrases of each of `SYMPTOM_FORMS`."""
    return tomllib.loads(_resource("slots", "symptoms.toml"))


def fill(frame: Frame, dice: Dice) -> Draft:
    """Fill every slot of `frame`."""
    return _Filling(dice, frame.classes).fill(frame.text)


def plain(marked: str) -> str:
    """Return `marked` without its private-use marks."""
    return re.sub("[\ue000-\ue003]", "", marked)


def spans(marked: str) -> list[str]:
    """Return the coded spans of `marked`, in order."""
    return [plain(span) for span in re.findall(f"{SPAN_OPEN}([^{SPAN_CLOSE}]*){SPAN_CLOSE}", marked)]


class _Filling:
    """One frame being filled: a drug or symptom named twice stays the same."""

    def __init__(self, dice: Dice, classes: tuple[str, ...]) -> None:
        self._dice = dice
        self._class = drug_classes()[dice.pick(_classes_meant(classes))]
        self._draft = Draft()
        self._names = dice.shuffled(list(self._class["names"]))
        self._wrong = dice.shuffled(self._class["wrong"])

    def fill(self, text: str) -> Draft:
        chosen = _ALTERNATIVES.sub(lambda match: self._dice.pick(match[1].split("|")), text)
        self._draft.text = _DOUBLED.sub(r"\1", _SLOT.sub(self._slot, chosen))
        return self._draft

    def _slot(self, match: re.Match[str]) -> str:
        surface, code, name, mark, detail = match.groups()
        if surface:
            return self._coded(surface, code)
        if mark == ".":
            return self._symptom(self._wrong["xy".index(name)], detail)
        return self._drug_slot(name, detail) or self._word(name)

    def _coded(self, surface: str, code: str) -> str:
        self._draft.codes.append(code)
        return f"{SPAN_OPEN}{surface}{SPAN_CLOSE}"

    def _symptom(self, symptom: str, form: str) -> str:
        entry = symptoms()[symptom]
        phrase: str = self._dice.pick(entry[form])
        before, bracket, rest = phrase.partition("[")
        if not bracket:
            return self._coded(phrase, entry["code"])
        surface, _, after = rest.partition("]")
        return before + self._coded(surface, entry["code"]) + after

    def _drug_slot(self, name: str, exact: str | None) -> str | None:
        if name == "drug":
            return self._drug(exact or self._names[0])
        if name == "drug2":
            # A class of one drug has no other to switch to; the next class's first name stands in.
            return self._drug(self._names[1] if len(self._names) > 1 else "aspirin")
        if name == "misspelt":
            right = max(self._names[:2], key=len)
            self._drug(right)
            return f"{DRUG_OPEN}{_misspelt(right, self._dice)}{DRUG_CLOSE}"
        return None

    def _drug(self, name: str) -> str:
        ingredient = _all_names()[name]
        if ingredient not in self._draft.ingredients:
            self._draft.ingredients.append(ingredient)
        return f"{DRUG_OPEN}{name}{DRUG_CLOSE}"

    def _word(self, name: str) -> str:
        dice = self._dice
        if name in ("why", "better"):
            return str(dice.pick(self._class[name]))
        if name in ("dose", "dose2"):
            return str(dice.pick(self._class["doses"]))
        if name in _ADDRESSES:
            return _ADDRESSES[name](dice)
        return str(dice.pick(words()[name]))


HANDLE_NOUNS = ("otter", "fern", "moth", "moss", "acorn", "pixel", "newt", "plum", "cloud", "toad", "kelp")


def short_link(dice: Dice) -> str:
    """Return a shortened link; the leading ``x`` and the length make it no real one."""
    return "https://t.co/x" + "".join(dice.pick("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(9))


def _handle(dice: Dice) -> str:
    return f"@fake_{dice.pick(HANDLE_NOUNS)}{dice.below(10_000)}"


def _phone(dice: Dice) -> str:
    # 555-0100 to 555-0199 are reserved for fiction.
    return f"({dice.pick(('212', '303', '415', '713'))}) 555-01{dice.below(100):02d}"


def _email(dice: Dice) -> str:
    return f"{dice.pick(HANDLE_NOUNS)}{dice.below(1000)}@example.{dice.pick(('com', 'org', 'net'))}"


_ADDRESSES = {"url": short_link, "handle": _handle, "phone": _phone, "email": _email}


def _misspelt(name: str, dice: Dice) -> str:
    """Return `name` with two slips of the kind people make."""
    letters = list(name)
    while "".join(letters) == name:
        for _ in range(2):
            at = 1 + dice.below(len(letters) - 2)
            slip = dice.below(4)
            if slip == 0:
                del letters[at]
            elif slip == 1:
                letters.insert(at, letters[at])
            elif slip == 2 and letters[at] in _VOWELS:  # noqa: PLR2004 - the third of four slips
                letters[at] = dice.pick(_VOWELS)
            else:
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def _parse(line: str) -> Frame:
    match = re.fullmatch(r"(?P<ade>\+ )?(?:%(?P<lang>\w\w) )?(?:@(?P<classes>[a-z0-9_,]+) )?(?P<text>.+)", line)
    if match is None:
        msg = f"sample frame {line!r} cannot be read; see the module's first lines for the form"
        raise ValueError(msg)
    classes = tuple((match["classes"] or "").split(",")) if match["classes"] else ()
    return Frame(match["text"], bool(match["ade"]), match["lang"] or "en", classes)


@cache
def _classes_meant(named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes a frame may draw from, the popular ones repeated.

    ``@pill`` and ``@shot`` stand for every class taken so; a frame that names none fits all but ``once``.
    """
    entries = drug_classes().items()
    return tuple(
        name
        for name, entry in entries
        for _ in range(entry.get("weight", 1))
        if name in named or entry["taken"] in named or (not named and entry["taken"] != "once")
    )


@cache
def _all_names() -> dict[str, str]:
    return {name: ingredient for entry in drug_classes().values() for name, ingredient in entry["names"].items()}


def _resource(folder: str, name: str) -> str:
    return resources.files("adverse_events.sample").joinpath(folder, name).read_text(encoding="utf-8")
