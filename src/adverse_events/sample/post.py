"""What one synthetic post is before it is written as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Author:
    """An invented account; every handle begins with ``fake_``."""

    author_id: str
    name: str
    username: str
    location: str | None


@dataclass(frozen=True, slots=True)
class Reference:
    """Another post this one answers, quotes or repeats.

    Attributes:
        kind: ``replied_to``, ``quoted`` or ``retweeted``, X API v2's own words.
        post: The other post where it is part of the sample; None for one nobody kept.
    """

    kind: str
    tweet_id: str
    post: GeneratedPost | None = None


@dataclass(frozen=True, slots=True)
class GeneratedPost:
    """One synthetic post and its gold labels.

    Attributes:
        tweet_id: Snowflake id above 2**53 that agrees with `created_at` to the millisecond.
        created_at: UTC, whole milliseconds.
        text: The whole text, however long.
        lang: What the source claims: ISO 639-1, ``und``, or None where the field is missing.
        kind: Composition class, a key of `composition.SHARES`.
        is_ade: The author reports an adverse drug event of their own. Withdrawal, lack of effect,
            other people's stories and reposts are not.
        drug_ingredients: INN of the drugs named, in text order, each once; misspelt ones too.
        events: Surface form and ICD-10-CM code of each event, in text order; empty unless `is_ade`.
            The code is that of the surface form: its cause is not coded here.
    """

    tweet_id: str
    created_at: datetime
    text: str
    lang: str | None
    kind: str
    is_ade: bool
    drug_ingredients: tuple[str, ...]
    events: tuple[tuple[str, str], ...]
    author: Author
    reference: Reference | None = None
