"""How a text is put down: case, typos, hashtags, masks. None of it depends on the label, so none gives it away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adverse_events.privacy import URL, USER

if TYPE_CHECKING:
    import random

_OPENINGS = (
    f"{USER} ", f"{USER} ", f"{USER} {USER} ", "ugh ", "lol ", "ok so ", "honestly ", "omg ", "update: ", "well ", "so ",
    "smh ", "btw ", "tbh ", "fyi ", "finally an update. ", "good morning. ", "no joke, ", "guys ", "yay ", "damn ",
)  # fmt: skip
_CLOSINGS = (
    " lol", " smh", " 😩", " 🙃", " 😂", " 😊", " :(", " :)", " #spoonie", " #chronicillness", " #meds", " #health",
    " #sideeffects", " #fml", " #blessed", f" {URL}", "...", "!!", " ugh", " haha", " omg", " tho", " #anxiety",
    " thank god", " just saying", f" {USER}", " 💊", " wtf", " anyone?", " #mentalhealth",
)  # fmt: skip
_WORD = re.compile(r"(?<![#@\[\w])[a-z]{5,}(?![\w\]])")
_I = re.compile(r"\bi(?=\b(?!\.))")
_MASKS = (USER, URL)


def give_voice(text: str, register: str, rng: random.Random) -> str:
    """Return `text` as somebody would put it down.

    Args:
        text: A filled frame.
        register: A report is only capitalised; a review may hold a typo; a post anything.
        rng: Decides.
    """
    if register != "report" and rng.random() < 0.15:  # noqa: PLR2004 - a share
        text = _mistype(text, rng)
    if register == "post":
        if rng.random() < 0.2:  # noqa: PLR2004 - a share
            text = rng.choice(_OPENINGS) + text
        if rng.random() < 0.25:  # noqa: PLR2004 - a share
            text += rng.choice(_CLOSINGS)
        return _post_case(text, rng)
    return _sentence(text)


def _post_case(text: str, rng: random.Random) -> str:
    roll = rng.random()
    if roll < 0.4:  # noqa: PLR2004 - a share
        return text.lower()
    if roll < 0.45:  # noqa: PLR2004 - a share
        return "".join(part if part in _MASKS else part.upper() for part in re.split(r"(@user|\[link\])", text))
    if roll < 0.55:  # noqa: PLR2004 - a share
        return text.replace("'", "")
    return _sentence(text)


def _sentence(text: str) -> str:
    """Return `text` with a capital at its start and for "I"."""
    text = _I.sub("I", text)
    return text[:1].upper() + text[1:]


def _mistype(text: str, rng: random.Random) -> str:
    """Return `text` with one letter of one longer word dropped, doubled or swapped with the next."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
