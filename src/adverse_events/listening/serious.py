"""Serious adverse events: what somebody should hear of now, without a word of the post."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from adverse_events.coding.lexicon import load_lexicon

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime


@dataclass(frozen=True)
class SeriousEvent:
    """One serious adverse event that a post reports.

    Attributes:
        tweet_id: As the lake keeps it.
        created_at: When it was posted, aware.
        icd10cm_code: Of the event.
        icd10cm_description: Of that code.
        drug_ingredients: Named in the post.
        ade_probability: 0-1.
    """

    tweet_id: str
    created_at: datetime
    icd10cm_code: str
    icd10cm_description: str
    drug_ingredients: tuple[str, ...]
    ade_probability: float


def serious_events(row: Mapping[str, Any]) -> Iterator[SeriousEvent]:
    """Yield the serious events of a coded post (a row of `staging.CODED`), each code once.

    Serious is an event that counts (`is_event`) and whose condition is medically important whatever its outcome.
    """
    codes = _serious_codes()
    seen: set[str] = set()
    for event in row["events"]:
        code = event["icd10cm_code"]
        if row["is_ade"] and event["is_event"] and code in codes and code not in seen:
            seen.add(code)
            drugs = dict.fromkeys(mention["ingredient"] for mention in row["drug_mentions"])
            yield SeriousEvent(
                row["tweet_id"],
                row["created_at"],
                code,
                event["icd10cm_description"],
                tuple(drugs),
                row["ade_probability"],
            )


@lru_cache(maxsize=1)
def _serious_codes() -> frozenset[str]:
    conditions = load_lexicon().conditions.values()
    return frozenset(condition.code for condition in conditions if condition.code and condition.is_serious)
