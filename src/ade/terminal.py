"""What people see: tables, notes and progress. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.progress import TaskID

    Advance = Callable[[str, int], None]

WAITING = "adverse_events.aws.waiting"
"""Logger of the core that says when something is asked again."""

SECONDS_BETWEEN_NOTES = 3.0

NARROWEST = 60
PIPED_WIDTH = 160
"""Columns when nobody says how wide the page is; a person's terminal says."""


def show_json(value: object) -> None:
    """Print `value` as one JSON document on standard output."""
    print(as_json(value))


def as_json(value: object) -> str:
    """Return `value` as one JSON document on one line."""
    return json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)


def show_line(line: str = "") -> None:
    """Print one line of a result."""
    print(line)


def note(line: str) -> None:
    """Print one quiet line beside the result."""
    Console(stderr=True, soft_wrap=True).print(Text(line, style="dim"))


def note_waiting() -> None:
    """From now on, say on standard error what a service is asked again for, a line every few seconds at most."""
    logger = logging.getLogger(WAITING)
    logger.setLevel(logging.INFO)
    logger.addHandler(WaitingHandler())


class WaitingHandler(logging.Handler):
    """Prints one note where many requests wait for the same reason."""

    def __init__(self) -> None:
        """Start with nothing said."""
        super().__init__()
        self._noted_at = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record, or leave it where one was printed a moment ago."""
        now = time.monotonic()
        if now - self._noted_at >= SECONDS_BETWEEN_NOTES:
            self._noted_at = now
            note(printable(record.getMessage()))


def show_table(header: Sequence[str], rows: Iterable[Sequence[object]], *, separators: bool = True) -> None:
    """Print a table; numbers are aligned right, long cells folded, and no cell can steer the terminal.

    Args:
        header: Column names; all empty for a table without a header.
        rows: One sequence of cells per row, as long as `header`.
        separators: Write thousands with commas; not for numbers that may be years or codes.
    """
    listed = [list(row) for row in rows]
    table = Table(show_header=any(header), header_style="bold", box=SIMPLE_HEAD if any(header) else None)
    for index, name in enumerate(header):
        is_number = bool(listed) and all(isinstance(row[index], int | float) for row in listed)
        table.add_column(Text(printable(name)), justify="right" if is_number else "left", overflow="fold")
    for row in listed:
        table.add_row(*(Text(_cell(value, separators=separators)) for value in row))
    console().print(table)


def program() -> str:
    """Return what a person types to call this program again from the current folder."""
    if shutil.which("ade"):
        return "ade"
    called = Path(sys.argv[0])
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)


def counted(n: int, singular: str) -> str:
    """Return a count and what is counted, such as ``1 window`` or ``2,000 windows``."""
    return f"{n:,} {singular}{'' if n == 1 else 's'}"


def console() -> Console:
    """Return the console of standard output, wide enough for a table when it is no terminal."""
    made = Console(soft_wrap=False)
    if not made.is_terminal:
        return Console(width=PIPED_WIDTH)
    return made if made.width >= NARROWEST else Console(width=NARROWEST)


def printable(text: str) -> str:
    """Return `text` on one line, control characters and half characters made visible as a dot.

    Posts are written by strangers; an escape sequence in one must not reach a terminal.
    """
    return "".join(
        " " if letter.isspace() else "·" if unicodedata.category(letter) in {"Cc", "Cf", "Cs"} else letter
        for letter in text
    )


@contextmanager
def progress(*, quiet: bool) -> Iterator[Advance]:
    """Draw what each station gets through, on standard error, while the block runs.

    Nothing is drawn when `quiet` or where standard error is no terminal.

    Yields:
        A function that takes a station's name and the further rows it got through; any thread may call it.
    """
    screen = Console(stderr=True)
    if quiet or not screen.is_terminal:
        yield lambda _station, _n_rows: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:>11,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bars:
        yield _Stations(bars).advance


class _Stations:
    """One bar per station, in order of appearance."""

    def __init__(self, bars: Progress) -> None:
        self._bars, self._lock = bars, Lock()
        self._tasks: dict[str, TaskID] = {}
        self._n_rows: dict[str, int] = {}

    def advance(self, station: str, n_rows: int) -> None:
        """Move the bar of `station`; screening can be measured against what was fetched, once that is over."""
        with self._lock:
            if station not in self._tasks:
                total = self._n_rows.get("fetch") if station == "screen" else None
                self._tasks[station] = self._bars.add_task(station, total=total)
            self._n_rows[station] = self._n_rows.get(station, 0) + n_rows
            self._bars.update(self._tasks[station], advance=n_rows)


def _cell(value: object, *, separators: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and separators:
        return f"{value:,}"
    return printable(str(value))
