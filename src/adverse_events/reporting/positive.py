"""One positive post as a report shows it: what was found in its text, and nothing about its author."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adverse_events.records import DrugMention

if TYPE_CHECKING:
    from collections.abc import Iterable

UNCODED = ""
"""Stands for an event without an ICD-10-CM code, which is still counted."""

SERIOUS, SPECIAL, ROUTINE, NOT_READ = "serious", "special_situation", "routine", "not_read"
PRIORITIES = (SERIOUS, SPECIAL, ROUTINE, NOT_READ)
"""What a person reads first: posts that tell a seriousness criterion, then those that tell a special situation, then
all others. ``not_read`` are posts of windows that an older version wrote, which did not look for either."""


@dataclass(frozen=True, slots=True)
class EventSpan:
    """One condition of a positive post, as stored in ``assessments.events``.

    Attributes:
        text: Surface form; None when no text is kept.
        begin: First code point in the post's text.
        end: First code point after it.
        role: ADE, INDICATION, BENEFIT, WITHDRAWAL, LACK_OF_EFFECT or UNKNOWN.
        traits: Names, such as NEGATION.
        code: ICD-10-CM code, `UNCODED` when the coder abstained.
        description: Of the code; empty when uncoded.
        cause_code: ICD-10-CM T36-T50 code of the drug blamed; None if unknown.
        is_event: Whether it counts as an adverse event of the author's.
    """

    text: str | None
    begin: int | None
    end: int | None
    role: str
    traits: tuple[str, ...]
    code: str
    description: str
    cause_code: str | None
    is_event: bool


@dataclass(frozen=True, slots=True)
class ToldSpan:
    """A seriousness criterion or a special situation, with the words that say so.

    Attributes:
        name: Such as hospitalization, or overdose.
        text: Surface form; None when no text is kept.
        begin: First code point in the post's text.
        end: First code point after it.
        is_author: It happened to the post's author; somebody else otherwise.
    """

    name: str
    text: str | None
    begin: int | None
    end: int | None
    is_author: bool


@dataclass(frozen=True, slots=True)
class Positive:
    """One post flagged as an adverse drug event, without anything about its author.

    Attributes:
        reference: The post's keyed hash, to find the row in the lake again; None unless every window of the
            report was processed in signal mode, because elsewhere it is the post's real id.
        text: Masked text, or only its spans, or None, as kept.
        created_at: UTC.
        ade_probability: 0-1.
        drugs: In text order.
        events: In text order.
        n_duplicates: Further copies of the post in its window, which are not counted.
        seriousness: In text order; None where nobody looked for it.
        special_situations: In text order.
    """

    reference: str | None
    text: str | None
    created_at: datetime
    lang: str | None
    ade_probability: float
    drugs: tuple[DrugMention, ...]
    events: tuple[EventSpan, ...]
    n_duplicates: int
    seriousness: tuple[ToldSpan, ...] | None = ()
    special_situations: tuple[ToldSpan, ...] = ()

    @property
    def priority(self) -> str:
        """Which of `PRIORITIES` the post has."""
        if self.seriousness is None:
            return NOT_READ
        if self.seriousness:
            return SERIOUS
        return SPECIAL if self.special_situations else ROUTINE


def positive_of(row: dict[str, Any], *, with_reference: bool) -> Positive:
    """Return the positive in one row.

    Args:
        row: Columns of ``assessments`` that `Positive` holds, with created_ms (milliseconds since 1970) for created_at.
        with_reference: Whether tweet_id is a keyed hash and may be shown.
    """
    return Positive(
        reference=row["tweet_id"] if with_reference else None,
        text=row["text"],
        created_at=datetime.fromtimestamp(row["created_ms"] / 1000, tz=UTC),
        lang=row["lang"],
        ade_probability=row["ade_probability"],
        drugs=tuple(DrugMention(d["mention"], d["begin"], d["end"], d["ingredient"]) for d in row["drug_mentions"]),
        events=tuple(_event(event) for event in row["events"]),
        n_duplicates=row["n_duplicates"],
        seriousness=None if row["seriousness"] is None else _told(row["seriousness"], "criterion"),
        special_situations=_told(row["special_situations"] or (), "situation"),
    )


def _told(spans: Iterable[dict[str, Any]], named: str) -> tuple[ToldSpan, ...]:
    return tuple(
        ToldSpan(span[named], span["text"], span["begin"], span["end"], bool(span["is_author"])) for span in spans
    )


def _event(event: dict[str, Any]) -> EventSpan:
    return EventSpan(
        text=event["text"],
        begin=event["begin"],
        end=event["end"],
        role=event["role"] or "UNKNOWN",
        traits=tuple(trait["name"] for trait in event["traits"] or ()),
        code=event["icd10cm_code"] or UNCODED,
        description=event["icd10cm_description"] or "",
        cause_code=event["cause_code"],
        is_event=bool(event["is_event"]),
    )
