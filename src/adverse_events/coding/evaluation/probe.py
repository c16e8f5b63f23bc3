"""The probe: thirty everyday phrases without context, each right, wrong or left uncoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.coding.evaluation.compare import judge
from adverse_events.coding.evaluation.gold import read_gold
from adverse_events.coding.evaluation.shipped import PROBE

if TYPE_CHECKING:
    from pathlib import Path

    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.coding.select import CodingSettings


def probe(coder: ConditionCoder, settings: CodingSettings, path: Path = PROBE) -> dict[str, int]:
    """Return how many phrases there are, and how many got a right code, a wrong one or none."""
    posts = read_gold(path)
    codings = coder.code([post.text for post in posts], [[] for _ in posts])
    judged = [judge(post, coding.entities, settings) for post, coding in zip(posts, codings, strict=True)]
    mentions = [one for post in judged for one in post.mentions]
    wrong = sum(one.is_wrong for one in mentions)
    coded = sum(one.code is not None for one in mentions)
    return {"phrases": len(mentions), "right": coded - wrong, "wrong": wrong, "not_coded": len(mentions) - coded}
