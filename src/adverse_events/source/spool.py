"""From a source in any order to batches of windows: sorted, masked, and each window accounted for.

One pass over the source. Ids and text are masked before the first byte is written; then the rows are sorted on disk,
so that memory stays the same however many rows there are.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from adverse_events.errors import AccountingError, PermanentServiceError, UsageError
from adverse_events.source.intake import Intake
from adverse_events.staging import REJECTED, TWEETS, Batch, Tally, write_staged
from adverse_events.windows import Window, check_window_minutes, windows_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from adverse_events.privacy import IdentityKey, PrivacySettings
    from adverse_events.source.protocol import LeftOut, TweetSource

MAX_WINDOWS_PER_BATCH = 500
"""A long range without posts is cut too, so that no task writes thousands of partitions."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Spooled:
    """Everything a source held for a range.

    Attributes:
        batches: In time order, each in a folder of its own. With a range, all its windows; without one, the windows
            that hold a row.
        undated: Staged rejects whose time could not be read, in the order read; whatever the range.
        n_undated: Their number.
        rows_read: All inputs: those in the batches, the undated, and those out of range.
        rows_out_of_range: Inputs dated outside the range.
        origins: Files read, in order, also those without a row.
        not_read: Windows of the range that the source stopped short of; they are not in the batches.
        why_not_read: What stopped it, and how to go on; None where nothing did.
    """

    batches: tuple[Batch, ...]
    undated: Path
    n_undated: int
    rows_read: int
    rows_out_of_range: int
    origins: tuple[str, ...]
    not_read: tuple[Window, ...] = ()
    why_not_read: str | None = None


def spool(
    source: TweetSource,
    *,
    folder: Path,
    window_minutes: int,
    privacy: PrivacySettings,
    key: IdentityKey,
    start: datetime | None = None,
    end: datetime | None = None,
    rows_per_batch: int = 20_000,
    progress: Callable[[int], None] | None = None,
) -> Spooled:
    """Read `source` once and stage its rows by window.

    Which rows a window holds, and in which order, does not depend on the order of rows or files in the source.

    Args:
        source: Where posts come from.
        folder: Private to the run; holds only what has been masked.
        window_minutes: Length of a window; divides a day.
        privacy: Says what becomes of ids and authors.
        key: Key of the pseudonyms.
        start: First instant of the range, on the grid; None, as `end`, takes everything.
        end: First instant after the range, on the grid.
        rows_per_batch: A batch is closed before the window that would make it larger; one window is never split.
        progress: Told the number of inputs read since it was last told.

    Raises:
        UsageError: A range off the grid or half given; a source that is not what its settings say.
        ContractError: A source that cannot be read to its end; nothing of it may be written.
        PermanentServiceError: The disk refused.
    """
    asked = _asked(start, end, check_window_minutes(window_minutes))
    bounds = (_ms(asked[0].start), _ms(asked[-1].end)) if asked else None
    with _disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        intake = Intake(
            folder, channel=source.name, window_minutes=window_minutes, bounds=bounds, privacy=privacy, key=key
        )
        with intake:
            for chunk in source.read():
                intake.add(chunk)
                if progress:
                    progress(chunk.n_rows)
        skipped = [window for window in asked if _overlaps(window, intake.left_out)]
        read = [window for window in asked if window not in set(skipped)] if asked else _seen(intake, window_minutes)
        batches = _batches(intake, read, folder, rows_per_batch)
    stopped = [part for part in intake.left_out if part.why]
    return Spooled(
        batches,
        intake.undated,
        intake.n_undated,
        intake.rows_read,
        intake.rows_out_of_range,
        intake.origins,
        tuple(window for window in skipped if _overlaps(window, stopped)),
        next((part.why for part in stopped), None),
    )


def _asked(start: datetime | None, end: datetime | None, minutes: int) -> list[Window]:
    if start is None and end is None:
        return []
    if start is None or end is None:
        msg = "a range needs both a start and an end; give neither to take every window the source holds"
        raise UsageError(msg)
    return list(windows_between(start, end, minutes))


def _overlaps(window: Window, parts: Sequence[LeftOut]) -> bool:
    return any(part.start < window.end and window.start < part.end for part in parts)


def _seen(intake: Intake, minutes: int) -> list[Window]:
    starts = sorted({*intake.n_tweets, *intake.rejected})
    return [Window(_EPOCH + timedelta(milliseconds=start), minutes) for start in starts]


def _batches(intake: Intake, windows: Sequence[Window], folder: Path, rows_per_batch: int) -> tuple[Batch, ...]:
    """Sort what was taken in and cut it into batches."""
    tallies = {window: _tally(intake, _ms(window.start)) for window in windows}
    groups = list(_groups(tallies, rows_per_batch))
    folders = [folder / f"batch-{number:04d}" for number in range(len(groups))]
    for batch_folder in folders:
        batch_folder.mkdir(exist_ok=True)
    n_rejects = [sum(sum(tallies[window].rejected.values()) for window in group) for group in groups]
    n_tweets = [sum(tallies[w].rows_in for w in group) - n for group, n in zip(groups, n_rejects, strict=True)]

    tweets = _Cutter(intake.tweets.sorted())
    for batch_folder, n_rows in zip(folders, n_tweets, strict=True):
        write_staged(batch_folder / "tweets.arrow", TWEETS, tweets.take(n_rows))
    rejects = _Cutter(intake.rejects.sorted())
    for batch_folder, n_rows in zip(folders, n_rejects, strict=True):
        if n_rows:
            write_staged(batch_folder / "rejects-source.arrow", REJECTED, rejects.take(n_rows))
    for used in (intake.tweets, intake.rejects):
        used.remove()
    return tuple(
        Batch(
            windows=tuple(group),
            rows=batch_folder / "tweets.arrow",
            rejects=(batch_folder / "rejects-source.arrow",) if n else (),
            tallies={window: tallies[window] for window in group},
        )
        for group, batch_folder, n in zip(groups, folders, n_rejects, strict=True)
    )


def _tally(intake: Intake, start: int) -> Tally:
    rejected = intake.rejected.get(start, Counter())
    return Tally(
        rows_in=intake.n_tweets.get(start, 0) + sum(rejected.values()), rejected=dict(sorted(rejected.items()))
    )


def _groups(tallies: dict[Window, Tally], rows_per_batch: int) -> Iterator[list[Window]]:
    """Cut the windows, in time order, into runs of at most about `rows_per_batch` rows."""
    group: list[Window] = []
    n_rows = 0
    for window, tally in tallies.items():
        if group and (n_rows + tally.rows_in > rows_per_batch or len(group) == MAX_WINDOWS_PER_BATCH):
            yield group
            group, n_rows = [], 0
        group.append(window)
        n_rows += tally.rows_in
    if group:
        yield group


class _Cutter:
    """Cuts one stream of rows into consecutive pieces of given lengths."""

    def __init__(self, chunks: Iterable[pa.RecordBatch]) -> None:
        self._chunks = iter(chunks)
        self._rest: pa.RecordBatch | None = None

    def take(self, n_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the next `n_rows` rows."""
        while n_rows:
            chunk = self._rest if self._rest is not None else next(self._chunks, None)
            if chunk is None:
                msg = f"{n_rows} rows fewer came out of the sort than went in; run again"
                raise AccountingError(msg)
            taken = min(n_rows, chunk.num_rows)
            yield chunk.slice(0, taken)
            self._rest = chunk.slice(taken) if taken < chunk.num_rows else None
            n_rows -= taken


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Say which folder refused; what goes wrong with the source's own files comes out of it translated."""
    try:
        yield
    except OSError as error:
        detail = f"{folder} cannot take the rows ({type(error).__name__}); free space there or set TMPDIR elsewhere"
        raise PermanentServiceError("workspace", "spool", detail) from error


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
