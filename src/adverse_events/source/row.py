"""One row of a file: what every format is read into."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row cannot be read.

    Attributes:
        reason: Short code, such as `ragged_row`.
        detail: What is wrong and how to mend it, without the row's content.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What a response page says beside its posts about one of them.

    Attributes:
        profile: Location in the author's profile, as written.
        country_code: Of the post's own place.
        place_name: Full name of that place.
    """

    profile: str | None = field(default=None, repr=False)
    country_code: str | None = None
    place_name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        number: CSV and Parquet: the row, from 1, the header not counted. JSON lines: the line, from 1; the posts of
            one response page share it. A whole JSON document: the position in its list, from 1.
        values: Column to value, as the file holds them; empty when the row was refused.
        raw: The row's bytes, without the end of the line; of a part of a JSON document or of a Parquet row, its JSON.
        refusal: None when the row could be read.
        whereabouts: Where the post and its author are, where the page it came in says so.
    """

    number: int
    values: Mapping[str, Any] = field(repr=False)
    raw: bytes = field(repr=False)
    refusal: Refusal | None = None
    whereabouts: Whereabouts | None = None


INVALID_UTF8 = Refusal("invalid_utf8", "the row is not UTF-8; convert the file, for example with iconv -t UTF-8")
