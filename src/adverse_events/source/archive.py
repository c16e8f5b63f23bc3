"""Source: files of posts, one, a folder or a glob, in any order and any of the usual formats."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, Field, field_validator

from adverse_events.aws.address import Place
from adverse_events.errors import UsageError
from adverse_events.source.chunks import chunked
from adverse_events.source.columns import Columns
from adverse_events.source.files import FileFormat, find_files
from adverse_events.source.posts import FIRST_YEAR, LAST_YEAR, MAX_CHARACTERS, PostReader
from adverse_events.source.rows import read_rows
from adverse_events.source.x.search_settings import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from adverse_events.source.files import SourceFile
    from adverse_events.source.protocol import Reject, SourceChunk, Tweet


LANDING = "landing://"
"""What source.path says for the landing store; settings of its own say where that is."""


class ArchiveSettings(BaseModel, frozen=True, extra="forbid"):
    """Which files hold the posts, and which of their columns hold what."""

    path: Place | None = Field(
        None,
        description="File, folder (with its subfolders) or glob of posts, on this machine or s3://: JSON, CSV, TSV or "
        "Parquet. Or x://recent or x://all, to search X; or landing://, for what a listener has landed.",
    )
    file_format: FileFormat | None = Field(None, description="Format of the files, where their names do not say.")
    text_column: str | None = Field(None, description="Column of the text. Empty: text, full_text, tweet, content...")
    id_column: str | None = Field(None, description="Column of the post id. Empty: id, tweet_id... or derived.")
    time_column: str | None = Field(
        None, description="Column of the time, ISO 8601 with zone. Empty: created_at, timestamp, date..."
    )
    lang_column: str | None = Field(None, description="Column of the language code. Empty: lang, language.")
    author_column: str | None = Field(
        None, description="Column of the author, used in case mode only. Empty: author_id, user_id, username..."
    )
    location_column: str | None = Field(
        None,
        description="Column of where the author's profile says they are, used in case mode only. Empty: "
        "author_location, user_location, profile_location.",
    )
    assume_time: AwareDatetime | None = Field(
        None,
        ge=datetime(FIRST_YEAR, 1, 1, tzinfo=UTC),
        lt=datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC),
        description="Time of posts that have none, with zone, such as 2026-03-01T00:00Z.",
    )
    channel: str = Field("x", min_length=1, description="Name of the channel the posts come from.")
    channel_column: str | None = Field(
        None, description="Column of the channel, where the rows of a file come from several; empty ones take channel."
    )
    kind: Literal["archive", "drop"] = Field(
        "archive",
        description="archive: every file is read. drop: a folder that others put files into, call notes (.txt) and "
        "e-mails (.eml) too; each is read once it is complete, and a bad one stops no other.",
    )
    max_characters: int = Field(
        MAX_CHARACTERS, ge=1, description="Longest text taken, characters; a longer one is rejected."
    )

    @property
    def is_s3(self) -> bool:
        """Whether the posts lie in a bucket."""
        return bool(self.path and self.path.startswith("s3://"))

    @property
    def is_x(self) -> bool:
        """Whether the posts are searched for on X."""
        return self.path in PRODUCTS

    @property
    def is_landing(self) -> bool:
        """Whether the posts are those of the landing store."""
        return self.path == LANDING

    @field_validator("path")
    @classmethod
    def _names_a_search(cls, path: str | None) -> str | None:
        if path and path.lower().startswith("x:") and path not in PRODUCTS:
            msg = f"{path} is no search on X; write {' or '.join(PRODUCTS)}"
            raise ValueError(msg)
        if path and path.lower().startswith("landing:") and path != LANDING:
            msg = f"{path} is no landing store; write {LANDING}, and its place in landing.path or landing.table"
            raise ValueError(msg)
        return path


class Archive:
    """Posts in files. Column names are found or given; every row comes out as a post or as a reject.

    A file without ids gets ids derived from each post's time and text; one without times needs `assume_time`.
    """

    def __init__(self, settings: ArchiveSettings, files: Iterable[SourceFile] | None = None) -> None:
        """Read `files`, those that `settings.path` names when None; nothing is opened yet."""
        self._settings, self._files = settings, files

    @property
    def name(self) -> str:
        """Channel written to column `source`."""
        return self._settings.channel

    def read(self) -> Iterator[SourceChunk]:
        """Yield the rows of all files, files by name and rows in their order.

        Raises:
            UsageError: No path, nothing at that path, an empty or unknown file, a column that is not there.
            ContractError: A file that is cut short or damaged.
        """
        if not self._settings.path:
            msg = "no source of posts; give a file, folder or glob (--source, or the setting source.path)"
            raise UsageError(msg)
        files = self._files if self._files is not None else find_files(self._settings.path, self._settings.file_format)
        yield from chunked((file.origin, self._posts_of(file)) for file in files)

    def _posts_of(self, file: SourceFile) -> Iterator[Tweet | Reject]:
        settings = self._settings
        rows = read_rows(file.path, file_format=file.file_format)
        columns = Columns.of(
            rows.columns,
            file.origin,
            text=settings.text_column,
            tweet_id=settings.id_column,
            created_at=settings.time_column,
            lang=settings.lang_column,
            author=settings.author_column,
            location=settings.location_column,
            channel=settings.channel_column,
            needs_time=settings.assume_time is None,
        )
        reader = PostReader(columns, file.origin, settings.assume_time, settings.max_characters)
        for row in rows:
            yield reader.read(row)
