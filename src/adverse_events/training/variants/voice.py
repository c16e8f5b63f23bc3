"""How a text is put down: case, typos, hashtags, masks. None of it depends on the label, so none gives it away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adverse_events.privacy import URL, USER
from adverse_events.training.variants.frames import material

if TYPE_CHECKING:
    import random

_OPENINGS = (
    *(f"{USER} ", f"{USER} ", f"{USER} {USER} ", f"rt {USER}: ", "ugh ", "lol ", "ok so ", "honestly ", "omg ", "so "),
    *("update: ", "well ", "smh ", "btw ", "tbh ", "fyi ", "finally an update. ", "good morning. ", "no joke, "),
    *("guys ", "yay ", "damn ", "not gonna lie, ", "thank god. ", "question: ", "wow. ", "great. ", "no words. "),
)
_CLOSINGS = (
    *(" lol", " smh", " 😩", " 🙃", " 😂", " 😊", " :(", " :)", "...", "!!", " ugh", " haha", " omg", " tho", " wtf"),
    *(" #spoonie", " #chronicillness", " #meds", " #health", " #sideeffects", " #fml", " #blessed", " #anxiety"),
    *(" #mentalhealth", f" {URL}", f" {USER}", " 💊", " thank god", " just saying", " anyone?", " never again."),
    *(" finally.", " not funny.", " worried.", " thanks.", " help.", " #nofilter", " #thankful", " with love."),
)
_SHARE_TYPO = 0.15
_SHARE_CHATTER = {"post": 0.15, "review": 0.15, "report": 0.0}
_SHARE_OPENING, _SHARE_CLOSING = 0.2, 0.25
# Of a post's case: all small, all capitals, no apostrophes; the rest are sentences.
_CASES = {"small": 0.4, "capital": 0.05, "bare": 0.1, "sentence": 0.45}
_WORD = re.compile(r"(?<![#@\[\w'])[a-z]{5,}(?![\w\]'])")
_I = re.compile(r"(?<![\w.])i(?=[ ',.?!]|$)(?!\.\w)")
_MASK = re.compile(f"({re.escape(USER)}|{re.escape(URL)})")


def give_voice(text: str, register: str, rng: random.Random) -> str:
    """Return `text` as somebody would put it down.

    Args:
        text: A filled frame.
        register: A report is only capitalised; a review may hold a typo and a sentence more; a post anything.
        rng: Decides.
    """
    if rng.random() < _SHARE_CHATTER[register]:
        text = _with_chatter(text, register, rng)
    if register != "report" and rng.random() < _SHARE_TYPO:
        text = _mistype(text, rng)
    if register != "post":
        return _sentences(text)
    if rng.random() < _SHARE_OPENING:
        text = rng.choice(_OPENINGS) + text
    if rng.random() < _SHARE_CLOSING:
        text += rng.choice(_CLOSINGS)
    case = rng.choices(list(_CASES), list(_CASES.values()))[0]
    if case == "small":
        return text.lower()
    if case == "capital":
        return "".join(part if _MASK.fullmatch(part) else part.upper() for part in _MASK.split(text))
    return _sentences(text.replace("'", "") if case == "bare" else text)


def _with_chatter(text: str, register: str, rng: random.Random) -> str:
    """Return `text` with a sentence before or after it that says nothing of a medicine."""
    said = rng.choice(material().slots["chatter" if register == "post" else "review_chatter"])
    if rng.random() < 0.5:  # noqa: PLR2004 - a coin
        return f"{said} {text}"
    return f"{text if text[-1] in '.?!' else f'{text}.'} {said}"


def _sentences(text: str) -> str:
    """Return `text` with a capital at its start, after a full stop and for "I"."""
    text = re.sub(r"(?<=[a-z][.?!] )[a-z]", lambda match: match[0].upper(), _I.sub("I", text))
    return text[:1].upper() + text[1:]


def _mistype(text: str, rng: random.Random) -> str:
    """Return `text` with one letter of one longer word dropped, doubled or swapped with the next."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    first, second = text[at], text[at + 1]
    return text[:at] + rng.choice((second, first + first + second, second + first)) + text[at + 2 :]
