"""Other names for the drugs of a text, so that a classifier reads what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.training.variants.filling import drug_name

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from adverse_events.records import DrugMention

_NEUTRAL = ("this med", "my meds", "this medication", "my medication", "this stuff")
_SHARE_NEUTRAL = 0.25
_SENTENCE_ENDS = ("", ".", "!", "?", ":")
_DETERMINERS = frozenset(
    (
        "a",
        "an",
        "the",
        "my",
        "your",
        "his",
        "her",
        "our",
        "their",
        "this",
        "that",
        "these",
        "those",
        "some",
        "new",
        "old",
    )
)
_MARKS = ("#", "-", "/", "'", "’")  # noqa: RUF001 - the typographic apostrophe
"""Characters that bind a name to what stands beside it: #NAME, NAME-induced, NAME's."""


def swap_drug(text: str, find_drugs: Callable[[str], Sequence[DrugMention]], rng: random.Random) -> str:
    """Return `text` with each of its drugs under another name.

    Mentions of one spelling get one new name, two get two. A neutral word ("this med") takes the place only of a
    drug that is named once, alone and without an article. The name's case follows the mention's.

    Args:
        text: A post, masked or not; its label stays true.
        find_drugs: Gives the mentions in text order, none overlapping, as `DrugLexicon.find` does.
        rng: Decides.

    Returns:
        The text unchanged where it names no drug.
    """
    mentions = list(find_drugs(text))
    names: dict[str, str] = {}
    for mention in mentions:
        spelling = mention.mention.lower()
        if spelling in names:
            continue
        if len(mentions) == 1 and _stands_alone(text, mention) and rng.random() < _SHARE_NEUTRAL:
            names[spelling] = rng.choice(_NEUTRAL)
            continue
        taken = {*names, *names.values(), spelling}
        while (name := drug_name(rng, may_be_neutral=False).lower()) in taken:
            pass
        names[spelling] = name
    parts, end = [], 0
    for mention in mentions:
        name = names[mention.mention.lower()]
        name = name.replace(" ", "") if text[mention.begin - 1 : mention.begin] == "#" else name
        opens = text[: mention.begin].rstrip()[-1:] in _SENTENCE_ENDS
        written = mention.mention if opens or name not in _NEUTRAL or mention.mention.isupper() else ""
        parts += [text[end : mention.begin], _in_case_of(written, name)]
        end = mention.end
    return "".join([*parts, text[end:]])


def _stands_alone(text: str, mention: DrugMention) -> bool:
    before, after = text[: mention.begin], text[mention.end : mention.end + 1]
    if before[-1:] in _MARKS or after in _MARKS or before[-1:].isalnum() or after.isalnum():
        return False
    return _DETERMINERS.isdisjoint(before.lower().split()[-1:])


def _in_case_of(mention: str, name: str) -> str:
    if mention.isupper():
        return name.upper()
    return name[:1].upper() + name[1:] if mention[:1].isupper() else name
