"""How much of each kind of post a week holds."""

from __future__ import annotations

SHARES = {
    "ade": 64,
    "indication": 70,
    "benefit": 72,
    "negation": 52,
    "hypothetical": 48,
    "other_person": 56,
    "news": 62,
    "advert": 48,
    "near_duplicate": 44,
    "question": 48,
    "sarcasm": 32,
    "idiom": 30,
    "mention": 72,
    "dosage": 28,
    "lack_of_effect": 42,
    "withdrawal": 26,
    "misspelling": 18,
    "no_drug": 78,
    "other_language": 50,
    "repost": 48,
    "duplicate": 12,
}
"""Posts of each kind per thousand.

``near_duplicate`` is an advert of the same hour with another link, ``duplicate`` a word-for-word copy
of a post of the same hour, ``repost`` somebody else's post repeated; the other kinds are named after
their file in ``frames/``.
"""

COPIES = ("near_duplicate", "duplicate", "repost")
"""Kinds made from an earlier post instead of a frame."""

BROADCAST = ("news", "advert")
"""Kinds written by organisations and machines: no slang, no typos, no chatter."""
