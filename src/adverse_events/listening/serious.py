"""Serious posts: what somebody should hear of now, without a word of the post."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class SeriousEvent:
    """A post that reports an adverse drug event and tells a criterion of seriousness.

    Attributes:
        tweet_id: As the lake keeps it.
        created_at: When it was posted, aware.
        criteria: ICH E2A criteria it tells, sorted: death, life_threatening, hospitalization, disability,
            congenital_anomaly, other_medically_important.
        is_author: At least one of them happened to the author.
        conditions: ICD-10-CM code and description of each event that counts and has a code, in text order.
        drug_ingredients: Named in the post, in text order.
        ade_probability: 0-1.
    """

    tweet_id: str
    created_at: datetime
    criteria: tuple[str, ...]
    is_author: bool
    conditions: tuple[tuple[str, str], ...]
    drug_ingredients: tuple[str, ...]
    ade_probability: float


def serious_event(row: Mapping[str, Any]) -> SeriousEvent | None:
    """Return what is serious about a coded post (a row of `staging.CODED`); None where nothing is.

    The coder says so: by the criteria in the text, and by events whose condition is medically important in itself.
    """
    told = row["seriousness"]
    if not row["is_ade"] or not told:
        return None
    events = [event for event in row["events"] if event["is_event"] and event["icd10cm_code"]]
    conditions = dict.fromkeys((event["icd10cm_code"], event["icd10cm_description"]) for event in events)
    return SeriousEvent(
        row["tweet_id"],
        row["created_at"],
        tuple(sorted({one["criterion"] for one in told})),
        any(one["is_author"] for one in told),
        tuple(conditions),
        tuple(dict.fromkeys(mention["ingredient"] for mention in row["drug_mentions"])),
        row["ade_probability"],
    )
