"""Which drug of a text a condition is blamed on."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from adverse_events.coding.hearing import NEAR
from adverse_events.coding.reading import DRUG, PAUSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.coding.hearing import Hearing
    from adverse_events.coding.matching import FoundCue, FoundForm

CONNECTIVES = frozenset({PAUSE, "and", "or", "nor", "n", "plus", "with"})
"""What stands between the items of a list."""
MAX_CONNECTIVES = 2


def is_one_list(between: Sequence[str]) -> bool:
    """Return whether only list words stand between two things."""
    return len(between) <= MAX_CONNECTIVES and CONNECTIVES.issuperset(between)


def blamed_drug(
    hearing: Hearing, form: FoundForm, role: str, found: FoundCue | None, *, is_about_drug: bool
) -> int | None:
    """Return the place of the drug blamed for a condition.

    It is the one in or beside the causal cue ("from DRUG"; of "from A to B" the second), else the nearest before the
    condition, else the nearest after it.

    Args:
        hearing: The text.
        form: The condition.
        role: ADE or WITHDRAWAL.
        found: The cue that gave the role, if one did.
        is_about_drug: The text is about a drug that stands nowhere in it, which is blamed before one named later.

    Returns:
        None where no drug stands in the text, or several are named in one breath ("A and B").
    """
    drugs = hearing.drugs
    if not drugs:
        return None
    if found and (at := _drug_of(hearing, found, form, role)) is not None:
        is_switch = role == "ADE" and hearing.words[drugs[at] + 1 : drugs[at] + 3] == ["to", DRUG]
        return _alone(hearing, at + 1 if is_switch else at)
    before = bisect_left(drugs, form.begin) - 1
    if before < 0 and is_about_drug:
        return None
    return _alone(hearing, max(before, 0))


def _drug_of(hearing: Hearing, found: FoundCue, form: FoundForm, role: str) -> int | None:
    """Return which drug a causal cue names: inside or right after it; None where it names none."""
    drugs = hearing.drugs
    inside = bisect_left(drugs, found.begin)
    if inside < len(drugs) and drugs[inside] < found.end + (NEAR if role == "WITHDRAWAL" else 0):
        return inside
    if found.begin >= form.end or role == "WITHDRAWAL":
        following = bisect_left(drugs, found.end)
        if following < len(drugs) and drugs[following] - found.end <= NEAR:
            return following
    return None


def _alone(hearing: Hearing, at: int) -> int | None:
    """Return the place of drug `at`; None where another is named in one breath with it."""
    drugs = hearing.drugs
    for left, right in ((at - 1, at), (at, at + 1)):
        is_pair = left >= 0 and right < len(drugs) and drugs[right] - drugs[left] <= MAX_CONNECTIVES + 1
        if is_pair and is_one_list(hearing.words[drugs[left] + 1 : drugs[right]]):
            return None
    return drugs[at]
