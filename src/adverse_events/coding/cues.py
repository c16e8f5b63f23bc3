"""What a cue phrase means on the side its file does not list: what the shorter cue at its edge means there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.coding.lexicon import ROLES, TRAITS, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adverse_events.coding.lexicon import Cue

_SPEAKING = ROLES | TRAITS | {UNKNOWN}


def with_both_sides(cues: Mapping[str, list[Cue]]) -> dict[str, list[Cue]]:
    """Return `cues`, each also meaning what the longest shorter cue at its edge means on a side it is silent on.

    The longest cue at a place is the only one heard, so "trying to get off", listed for conditions before it, would
    otherwise silence "get off" for conditions after it. A cue's last words speak to what follows, its first words to
    what comes before. A cue that speaks on neither side (NOTHING) stays silent.

    Args:
        cues: By words in one spelling, joined by one space.
    """
    return {key: [*own, *_borrowed(key, own, cues)] for key, own in cues.items()}


def _borrowed(key: str, own: list[Cue], cues: Mapping[str, list[Cue]]) -> list[Cue]:
    sides = {cue.side for cue in own if cue.meaning in _SPEAKING}
    if len(sides) != 1:
        return []
    words = key.split()
    silent = "after" if "before" in sides else "before"
    edges = range(1, len(words))
    shorter = (words[at:] for at in edges) if silent == "before" else (words[:at] for at in reversed(edges))
    for piece in shorter:
        said = [cue for cue in cues.get(" ".join(piece), ()) if cue.side == silent and cue.meaning in _SPEAKING]
        if said:
            return said
    return []
