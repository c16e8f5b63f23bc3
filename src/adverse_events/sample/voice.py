"""How different people would type the same thing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adverse_events.sample.grammar import DRUG_CLOSE, DRUG_OPEN, Frame, chatter, fill, plain, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from adverse_events.sample.dice import Dice

REGISTERS = ("lower",) * 9 + ("as_written",) * 4 + ("proper",) * 5 + ("texty",) * 2
SHOUTING, TYPO, STRETCH = 0.015, 0.09, 0.25
OPENER, CLOSER, CHATTER, EMOJI, TOPIC_TAG, DRUG_TAG, LONG = 0.16, 0.14, 0.2, 0.18, 0.05, 0.04, 0.025
SENTENCES_OF_A_LONG_POST, TOLD_FIRST = 9, 0.4
SHORTEST_TYPO = 5

_TEXTY = {
    "you": "u", "your": "ur", "you're": "ur", "are": "r", "because": "bc", "people": "ppl", "though": "tho",
    "please": "pls", "about": "abt", "with": "w/", "without": "w/o", "before": "b4", "going": "goin",
    "really": "rly", "that's": "thats", "don't": "dont", "can't": "cant", "i'm": "im", "didn't": "didnt",
    "and": "n", "today": "2day", "doctor": "dr", "insurance": "insur",
}  # fmt: skip
_STRETCHED = {"so": "o", "no": "o", "why": "y", "love": "e", "hate": "e", "please": "e", "never": "r", "help": "p"}
_SENTENCE_START = re.compile(r"(^|[.!?]\s+)([\ue000-\ue003]*)([a-z])")
_LONE_I = re.compile(r"(?<![\w'@#/])i(?=$|[\s,.!?:;]|'(?:m|ve|ll|d)\b)")


def speak(marked: str, dice: Dice) -> str:
    """Return `marked` as some person would post it.

    Marks around coded spans and drug names are kept; drug names are never misspelt here.
    """
    text = marked
    if dice.chance(OPENER) and not text.startswith(("@", "update", "honest", "tmi")):
        text = dice.pick(words()["opener"]) + text
    if dice.chance(CLOSER):
        closer = _small_talk(dice.pick(words()["closer"]), dice)
        text = _ended(text) + closer[1:] if closer.startswith(".") else text + closer
    if dice.chance(CHATTER):
        text = f"{_ended(text)} {_small_talk(dice.pick(chatter()), dice)}"
    if dice.chance(LONG):
        text = _lengthened(text, dice)
    text = _in_register(text, dice)
    return decorate(_tagged(text, dice), dice)


def decorate(text: str, dice: Dice) -> str:
    """Return `text`, now and then with one to three emoji after it."""
    if not dice.chance(EMOJI):
        return text
    return f"{text} {dice.pick(words()['emoji']) * (1 + dice.below(3) // 2)}"


def _in_register(text: str, dice: Dice) -> str:
    register = dice.pick(REGISTERS)
    if register == "lower":
        text = _each_word(text, str.lower)
    elif register == "proper":
        text = _proper(text)
    elif register == "texty":
        text = _each_word(text.lower(), lambda word: _TEXTY.get(word, word))
    if dice.chance(STRETCH):
        text = _stretched(text, dice)
    if dice.chance(TYPO):
        text = _mistyped(text, dice)
    return _each_word(text, str.upper) if dice.chance(SHOUTING) else text


def _each_word(text: str, change: Callable[[str], str]) -> str:
    """Return `text` with every word changed, but for handles, tags and links."""
    return " ".join(word if _is_address(word) else change(word) for word in text.split(" "))


def _is_address(word: str) -> bool:
    return "@" in word or "://" in word or word.startswith("#")


def _proper(text: str) -> str:
    text = _SENTENCE_START.sub(lambda match: match[1] + match[2] + match[3].upper(), text)
    return _ended(_LONE_I.sub("I", text))


def _ended(text: str) -> str:
    return f"{text}." if plain(text)[-1:].isalnum() else text


def _stretched(text: str, dice: Dice) -> str:
    def stretch(word: str) -> str:
        return word + _STRETCHED[word] * (2 + dice.below(4)) if word in _STRETCHED else word

    return _each_word(text, stretch)


def _mistyped(text: str, dice: Dice) -> str:
    typed = text.split(" ")
    long_words = [
        at for at, word in enumerate(typed) if len(word) >= SHORTEST_TYPO and word.isascii() and word.isalpha()
    ]
    if not long_words:
        return text
    at = dice.pick(long_words)
    word, slip = typed[at], 1 + dice.below(len(typed[at]) - 2)
    typed[at] = word[:slip] + word[slip + 1] + word[slip] + word[slip + 2 :]
    return " ".join(typed)


def _lengthened(text: str, dice: Dice) -> str:
    """Return `text` amid so much chatter that it is longer than 280 characters."""
    talk = [_small_talk(sentence, dice) for sentence in dice.shuffled(chatter())[:SENTENCES_OF_A_LONG_POST]]
    told = [text, *talk] if dice.chance(TOLD_FIRST) else [*talk[1:], text, talk[0]]
    return " ".join(_ended(sentence) for sentence in told)


def _small_talk(sentence: str, dice: Dice) -> str:
    return fill(Frame(sentence, is_ade=False, lang="en", classes=()), dice).text


def _tagged(text: str, dice: Dice) -> str:
    named = re.search(f"{DRUG_OPEN}(\\w+){DRUG_CLOSE}", text)
    if named and dice.chance(DRUG_TAG):
        text = f"{text} #{named[1]}"
    return f"{text} {dice.pick(words()['tag'])}" if dice.chance(TOPIC_TAG) else text
