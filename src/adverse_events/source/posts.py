"""One post from one row: whatever the row calls its columns, and the reason when it is no post.

Source of `note_tweet`, `referenced_tweets` and the codes of undetermined languages: X API v2, "Tweet object" and
"Supported languages", X developer documentation, read 2026-11.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from adverse_events.source.protocol import Reject, Tweet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adverse_events.source.columns import Columns
    from adverse_events.source.row import Row

FIRST_YEAR, LAST_YEAR = 2000, 2099
"""Years a post can be from; 1970 and 1900 are how software writes that it does not know."""

MAX_CHARACTERS = 25_000
"""Longest post X accepts. Source: X Help, "About X Premium", longer posts, read 2026-11."""

_ROUNDED_ID = re.compile(r"\d(?:\.\d*)?[eE]\+?\d+")
_LANG = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.IGNORECASE)
_NO_LANGUAGE = re.compile(r"und|art|zxx|mis|mul|q[a-t][a-z]")
_DERIVED_ID_DIGITS = 32


def _unicode(value: str, field: str) -> str:
    """Return `value` if it can be written as UTF-8."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PydanticCustomError(
                "lone_surrogate",
                "the {field} holds half of a surrogate pair, which is no character; write it again from its source",
                {"field": field},
            ) from None
    return value


def _tweet_id(value: Any) -> str | None:
    if isinstance(value, str):
        value = _unicode(value.strip(), "id")
        if _ROUNDED_ID.fullmatch(value):
            raise PydanticCustomError("bad_id", "the id was rounded, as spreadsheets do; keep ids as text")
        return value or None
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return None if value is None else str(value)
    raise PydanticCustomError("bad_id", "the id is neither text nor a whole number")


def _text(value: Any) -> str:
    if value is None:
        raise PydanticCustomError("null_text", "the text is null")
    if not isinstance(value, str):
        raise PydanticCustomError("bad_text", "the text is no string")
    if not value.strip():
        raise PydanticCustomError("empty_text", "the text is empty")
    if "\0" in value:
        raise PydanticCustomError("nul_character", "the text holds a NUL character, so the row is damaged")
    return _unicode(value, "text")


def _moment(value: Any) -> datetime | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise PydanticCustomError("bad_created_at", "the time is not ISO 8601; write it as 2026-03-01T09:30:00Z")
    if value.tzinfo is None:
        raise PydanticCustomError("naive_created_at", "the time has no time zone; write Z after a time in UTC")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PydanticCustomError("bad_created_at", "the year is not one of a post")
    return value.astimezone(UTC)


def _lang(value: Any) -> str | None:
    match = _LANG.fullmatch(value) if isinstance(value, str) else None
    lang = match[1].lower() if match else None
    return None if lang is None or _NO_LANGUAGE.fullmatch(lang) else lang


def _author(value: Any) -> str | None:
    return _unicode(str(value).strip(), "author") or None if isinstance(value, str | int) else None


class Post(BaseModel, frozen=True):
    """What a row says about one post, checked. The type of a validation error is the reason of the reject.

    Attributes:
        tweet_id: None when the row has none.
        created_at: UTC; None when the row has none.
    """

    tweet_id: Annotated[str | None, BeforeValidator(_tweet_id)]
    text: Annotated[str, BeforeValidator(_text)] = Field(repr=False)
    created_at: Annotated[datetime | None, BeforeValidator(_moment)]
    lang: Annotated[str | None, BeforeValidator(_lang)]
    author_id: Annotated[str | None, BeforeValidator(_author)] = Field(repr=False)


_POST = TypeAdapter(Post)
_ID: TypeAdapter[str | None] = TypeAdapter(Annotated[str | None, BeforeValidator(_tweet_id)])
_MOMENT: TypeAdapter[datetime | None] = TypeAdapter(Annotated[datetime | None, BeforeValidator(_moment)])


@dataclass(frozen=True)
class PostReader:
    """Reads the rows of one file into posts.

    Attributes:
        columns: Which column holds what.
        origin: Name of the file, relative to the source.
        assume_time: Time of posts that have none, aware; None refuses them.
        max_characters: Longest text taken.
    """

    columns: Columns
    origin: str
    assume_time: datetime | None = None
    max_characters: int = MAX_CHARACTERS

    def read(self, row: Row) -> Tweet | Reject:
        """Return the post of `row`, or why it has none."""
        sha256 = hashlib.sha256(row.raw).hexdigest()
        if row.refusal:
            # Only in a file without times is every row known to be of the assumed one.
            moment = None if self.columns.created_at else self.assume_time
            return Reject(row.refusal.reason, row.refusal.detail, self.origin, row.number, sha256, created_at=moment)
        try:
            return self._tweet(row, sha256)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
            return self._reject(problem["type"], problem["msg"], row, sha256)
        except PydanticCustomError as error:
            return self._reject(error.type, error.message(), row, sha256)

    def _tweet(self, row: Row, sha256: str) -> Tweet:
        """Return the post of `row`; a `PydanticCustomError`, or a `ValidationError` made of them, names the reason."""
        values = row.values
        if not self._has_text(values):
            raise PydanticCustomError("missing_text", "the row has no text; give it one")
        post = _POST.validate_python(self._fields(values))
        if len(post.text) > self.max_characters:
            raise PydanticCustomError(
                "text_too_long",
                "{n} characters where at most {limit} are taken; split the text or raise max_characters",
                {"n": len(post.text), "limit": self.max_characters},
            )
        created_at = post.created_at or self.assume_time
        if created_at is None:
            raise PydanticCustomError("missing_created_at", "the row has no time; give it one, or give assume_time")
        tweet_id = post.tweet_id
        if tweet_id is None:
            if self.columns.tweet_id:
                raise PydanticCustomError("missing_id", "the row has no id, but its file has ids; give it one")
            tweet_id = _derived_id(created_at, post.text)
        return Tweet(
            tweet_id,
            post.text,
            created_at,
            post.lang,
            post.author_id,
            _is_repost(values, post.text),
            self.origin,
            row.number,
            sha256,
        )

    def _has_text(self, values: Mapping[str, Any]) -> bool:
        return self.columns.text in values or _note(values) is not None

    def _fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row under the names of `Post`."""
        columns = self.columns
        # X cuts `text` at 280 characters; a longer post has the whole of it in `note_tweet`.
        note = _note(values) if columns.text == "text" else None
        return {
            "tweet_id": values.get(columns.tweet_id) if columns.tweet_id else None,
            "text": values.get(columns.text) if note is None else note,
            "created_at": values.get(columns.created_at) if columns.created_at else None,
            "lang": values.get(columns.lang) if columns.lang else None,
            "author_id": values.get(columns.author) if columns.author else None,
        }

    def _reject(self, reason: str, detail: str, row: Row, sha256: str) -> Reject:
        """Refuse `row`, with the id and the time that can be read all the same."""
        fields = self._fields(row.values)
        tweet_id = _readable(_ID, fields["tweet_id"], None)
        created_at = _readable(_MOMENT, fields["created_at"], self.assume_time)
        return Reject(reason, detail, self.origin, row.number, sha256, tweet_id, created_at)


def read_id(value: object) -> str | None:
    """Return the post id that a file's `value` is; None where it is empty.

    Raises:
        ValueError: It was rounded, as spreadsheets do, or is neither text nor a whole number.
    """
    try:
        return _tweet_id(value)
    except PydanticCustomError as error:
        raise ValueError(error.message()) from None


_Value = TypeVar("_Value")


def _readable(adapter: TypeAdapter[_Value | None], value: Any, if_missing: _Value | None) -> _Value | None:
    """Return `value` as `adapter` reads it, or None where it cannot."""
    try:
        found = adapter.validate_python(value)
    except ValidationError:
        return None
    return if_missing if found is None else found


def _note(values: Mapping[str, Any]) -> str | None:
    note = values.get("note_tweet")
    text = note.get("text") if isinstance(note, dict) else None
    return text if isinstance(text, str) and text else None


def _is_repost(values: Mapping[str, Any], text: str) -> bool:
    if text.startswith("RT @"):
        return True
    references = values.get("referenced_tweets")
    return isinstance(references, list) and any(
        isinstance(reference, dict) and reference.get("type") == "retweeted" for reference in references
    )


def _derived_id(created_at: datetime, text: str) -> str:
    """Return an id that depends on nothing but the post, so that the order of rows changes no result."""
    return hashlib.sha256(f"{created_at.astimezone(UTC).isoformat()}\n{text}".encode()).hexdigest()[:_DERIVED_ID_DIGITS]
