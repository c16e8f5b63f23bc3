"""Source: a folder that other channels drop files into: call notes, e-mails, exports of forums.

Each note and each e-mail is one input; tables are read as an archive's. A file is read where it lies and left there.
One that cannot be read becomes a reject, and stops no other.

Names: a note says nothing of who wrote it, but its text may; masking goes by pattern and knows no names.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from adverse_events.errors import ContractError, UsageError
from adverse_events.progress import note
from adverse_events.source.chunks import chunked
from adverse_events.source.columns import Columns
from adverse_events.source.dropped_files import MAIL, NOTE
from adverse_events.source.files import UTF16_MARKS
from adverse_events.source.mail import read_mail
from adverse_events.source.posts import FIRST_YEAR, LAST_YEAR, PostReader
from adverse_events.source.protocol import Reject, SourceChunk, Tweet
from adverse_events.source.row import Refusal, Row
from adverse_events.source.rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.source.archive import ArchiveSettings
    from adverse_events.source.drop_settings import DropSettings
    from adverse_events.source.dropped_files import DroppedFile, DroppedFiles

logger = logging.getLogger("adverse_events.drop")

CHANNEL = "drop"

MAX_FILE_BYTES = 64 << 20
"""A note or an e-mail with its attachments; a table may be of any size."""

_NO_TIME = (
    "the file says no time; name it by its time, such as 2026-03-01T0930Z.txt, or set drop.time_format or "
    "drop.time_from_file"
)

_COLUMNS = Columns("text", "id", "created_at", None, "author", channel="channel")
_ISO_IN_NAME = re.compile(
    r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)[T_ .-]?(\d\d)[:h.-]?(\d\d)(?:[:m.-]?(\d\d))?(?!\d)(Z|[+-]\d\d:?\d\d)?"
)
_DIRECTIVES = {
    "%Y": r"\d{4}", "%y": r"\d\d", "%m": r"\d\d?", "%d": r"\d\d?", "%H": r"\d\d?", "%M": r"\d\d?", "%S": r"\d\d?",
    "%b": r"\w{3}", "%B": r"\w+", "%I": r"\d\d?", "%p": r"(?:[AaPp][Mm])", "%j": r"\d{3}",
    "%z": r"(?:Z|[+-]\d\d:?\d\d)",
}  # fmt: skip


class DropFolder:
    """Reads what was dropped (a `TweetSource`).

    Args:
        files: The complete files.
        settings: Columns of tables, the channel, and the longest text.
        drop: How notes and e-mails are read.
    """

    def __init__(self, files: DroppedFiles, settings: ArchiveSettings, drop: DropSettings) -> None:
        """Take the files; nothing is opened yet."""
        self._files, self._settings, self._drop = files, settings, drop
        self.n_attachments = 0

    @property
    def name(self) -> str:
        """Channel of files that name none: the setting's, where one was set."""
        return self._settings.channel if "channel" in self._settings.model_fields_set else CHANNEL

    def read(self) -> Iterator[SourceChunk]:
        """Yield every input, files by name and rows in their order.

        Raises:
            UsageError: There is no such folder.
            ContractError: It cannot be looked through.
        """
        yield from chunked((file.origin, self._inputs_of(file)) for file in self._files)
        self._say_what_was_left()

    def _inputs_of(self, file: DroppedFile) -> Iterator[Tweet | Reject]:
        if file.suffix not in {NOTE, MAIL}:
            yield from self._rows_of(file)
            return
        settings = self._settings
        reader = PostReader(_COLUMNS, file.origin, settings.assume_time, settings.max_characters)
        try:
            if file.path.stat().st_size > MAX_FILE_BYTES:
                detail = f"larger than {MAX_FILE_BYTES >> 20} MiB; drop its text alone"
                yield self._reject(file, "file_too_large", detail)
                return
            raw = file.path.read_bytes()
        except OSError as error:
            yield self._reject(file, "unreadable_file", f"cannot be opened ({error.strerror})")
            return
        row = self._mail(file, raw) if file.suffix == MAIL else self._note(file, raw)
        row = self._dated(row)
        yield self._refused(file, row) if row.refusal else reader.read(row)

    def _rows_of(self, file: DroppedFile) -> Iterator[Tweet | Reject]:
        """Yield the rows of a table; of one that cannot be read to its end, only why."""
        settings = self._settings
        try:
            rows = read_rows(file.path)
            columns = Columns.of(
                rows.columns,
                file.origin,
                text=settings.text_column,
                tweet_id=settings.id_column,
                created_at=settings.time_column,
                lang=settings.lang_column,
                author=settings.author_column,
                location=settings.location_column,
                channel=settings.channel_column if settings.channel_column in rows.columns else None,
                needs_time=settings.assume_time is None,
            )
            for _ in rows:
                pass
        except (UsageError, ContractError) as error:
            yield self._reject(file, "unreadable_file", str(error).replace(str(file.path), file.origin))
            return
        reader = PostReader(columns, file.origin, settings.assume_time, settings.max_characters)
        channel = self._channel(file)
        for row in read_rows(file.path):
            outcome = reader.read(row)
            yield outcome if outcome.channel else replace_channel(outcome, channel)

    def _note(self, file: DroppedFile, raw: bytes) -> Row:
        text = self._decoded(raw)
        if isinstance(text, Refusal):
            return Row(1, self._known(file), raw, text)
        return Row(1, {**self._known(file), "id": file.origin, "text": text.strip()}, raw)

    def _mail(self, file: DroppedFile, raw: bytes) -> Row:
        mail = read_mail(raw, keep_quotes=self._drop.keep_quotes)
        if mail is None:
            return Row(1, self._known(file), raw, Refusal("not_an_email", "no e-mail can be read; export it as .eml"))
        self.n_attachments += mail.n_attachments
        known = self._known(file)
        values = {
            **known,
            "id": mail.message_id or file.origin,
            "created_at": mail.sent_at or known["created_at"],
            "author": mail.sender,
            # What no program could have meant to send would only damage what reads it.
            "text": mail.text.replace("\0", ""),
        }
        return Row(1, values, raw)

    def _dated(self, row: Row) -> Row:
        """Return `row`, refused where it has no time that can be placed."""
        moment = row.values.get("created_at")
        if row.refusal or (isinstance(moment, datetime) and moment.tzinfo):
            return row
        if moment is not None:
            detail = "the time in the file's name has no zone; set drop.time_zone, such as UTC"
            return replace(row, refusal=Refusal("naive_created_at", detail))
        if self._settings.assume_time:
            return row
        return replace(row, refusal=Refusal("missing_created_at", _NO_TIME))

    def _refused(self, file: DroppedFile, row: Row) -> Reject:
        refusal = row.refusal or Refusal("unreadable_file", "cannot be read")
        moment = row.values.get("created_at") or self._settings.assume_time
        is_placed = isinstance(moment, datetime) and moment.tzinfo and FIRST_YEAR <= moment.year <= LAST_YEAR
        return Reject(
            refusal.reason,
            refusal.detail,
            file.origin,
            None,
            hashlib.sha256(row.raw).hexdigest(),
            str(row.values.get("id", file.origin)),
            moment.astimezone(UTC) if is_placed and isinstance(moment, datetime) else None,
            channel=self._channel(file),
        )

    def _known(self, file: DroppedFile) -> dict[str, object]:
        """Return what the name and place of a file say."""
        return {"created_at": self._time_of(file), "channel": self._channel(file)}

    def _channel(self, file: DroppedFile) -> str | None:
        folder, slash, _ = file.origin.partition("/")
        return folder if slash and self._drop.channel_from_folder else None

    def _time_of(self, file: DroppedFile) -> datetime | str | None:
        found = self._time_in_name(file.origin.rpartition("/")[2])
        if found is None and self._drop.time_from_file:
            return datetime.fromtimestamp(file.changed, UTC)
        return found

    def _time_in_name(self, name: str) -> datetime | None:
        if self._drop.time_format:
            match = re.search(_pattern(self._drop.time_format), name)
            try:
                found = datetime.strptime(match[0], self._drop.time_format) if match else None  # noqa: DTZ007 - zoned below
            except ValueError:
                return None
        else:
            match = _ISO_IN_NAME.search(name)
            if match is None:
                return None
            year, month, day, hour, minute, second, zone = match.groups()
            try:
                found = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{zone or ''}")
            except ValueError:
                return None
        if found is not None and found.tzinfo is None and self._drop.time_zone:
            return found.replace(tzinfo=ZoneInfo(self._drop.time_zone))
        return found

    def _decoded(self, raw: bytes) -> str | Refusal:
        encoding = "utf-16" if raw.startswith(UTF16_MARKS) else self._drop.encoding
        if encoding.lower().replace("_", "-") in {"utf-8", "utf8"}:
            encoding = "utf-8-sig"
        if b"\0" in raw and encoding != "utf-16":
            return Refusal("not_text", "the file holds NUL bytes, so it is no text; drop the text alone, as .txt")
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            detail = f"the file is not {self._drop.encoding}; save it as UTF-8, or set drop.encoding"
            return Refusal("invalid_encoding", detail)

    def _reject(self, file: DroppedFile, reason: str, detail: str) -> Reject:
        sha256 = hashlib.sha256(file.origin.encode()).hexdigest()
        return Reject(reason, detail, file.origin, None, sha256, channel=self._channel(file))

    def _say_what_was_left(self) -> None:
        left = {
            "may still grow and are left for the next run": self._files.n_unsettled,
            "are of a kind that is not read": self._files.n_unknown,
        }
        for why, n_files in left.items():
            if n_files:
                logger.info("%d dropped files %s", n_files, why)
                note(f"{n_files:,} dropped files {why}")
        if self.n_attachments:
            logger.info("%d attachments were passed over", self.n_attachments)
            note(f"{self.n_attachments:,} attachments of e-mails were passed over")


def replace_channel(outcome: Tweet | Reject, channel: str | None) -> Tweet | Reject:
    """Return `outcome` with a channel."""
    return replace(outcome, channel=channel) if channel else outcome


def _pattern(time_format: str) -> str:
    parts = re.split(r"(%[A-Za-z])", time_format)
    return "".join(_DIRECTIVES.get(part, re.escape(part)) for part in parts)
