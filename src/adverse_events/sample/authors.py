"""The invented accounts that post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.sample.grammar import HANDLE_NOUNS, words
from adverse_events.sample.post import Author

if TYPE_CHECKING:
    from adverse_events.sample.dice import Dice

FIRST_AUTHOR_ID = 1_700_000_000_000_000_000
LOCATION = 0.55
_WHIMS = ("somewhere over the couch", "🌎", "the group chat", "my bed", "probably the kitchen", "Earth-ish", "she/her")
_REGIONS = ("OH", "TX", "CA", "Ontario", "UK", "FL", "NSW", "WA")


def author(number: int, dice: Dice) -> Author:
    """Return account `number`; its handle is fixed, how it describes itself is up to `dice`."""
    noun = HANDLE_NOUNS[number % len(HANDLE_NOUNS)]
    location = None
    if dice.chance(LOCATION):
        location = dice.pick(_WHIMS) if dice.chance(0.25) else f"{dice.pick(words()['city'])}, {dice.pick(_REGIONS)}"
    return Author(
        author_id=str(FIRST_AUTHOR_ID + number * 7919),
        name=f"Sample {noun.title()} {number}",
        username=f"fake_{noun}{number}",
        location=location,
    )
