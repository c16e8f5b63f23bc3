"""Progress of long work: stations report rows, whoever watches draws a bar.

Nothing happens unless a listener is set; the command line sets one on a terminal.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Listener = Callable[[str, int], None]

P = ParamSpec("P")
R = TypeVar("R")

_notes: ContextVar[Callable[[str], None] | None] = ContextVar("notes", default=None)
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
_station: ContextVar[str | None] = ContextVar("station", default=None)


@contextmanager
def listening(listener: Listener, notes: Callable[[str], None] | None = None) -> Iterator[None]:
    """Call ``listener(station, n_rows)`` whenever a station in this context gets on by `n_rows`.

    Args:
        listener: Told of rows.
        notes: Told why a station does not get on, such as a wait for a rate limit; nobody when None.
    """
    token, noted = _listener.set(listener), _notes.set(notes)
    try:
        yield
    finally:
        _listener.reset(token)
        _notes.reset(noted)


def of_station(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function so that rows it reads count as progress of the station `name`."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def at_station(*args: P.args, **kwargs: P.kwargs) -> R:
            token = _station.set(name)
            try:
                return function(*args, **kwargs)
            finally:
                _station.reset(token)

        return at_station

    return wrap


def advance(n_rows: int) -> None:
    """Report that the current station got on by `n_rows`."""
    listener, station = _listener.get(), _station.get()
    if listener and station:
        listener(station, n_rows)


def note(text: str) -> None:
    """Say in a line why the current station does not get on."""
    if notes := _notes.get():
        notes(text)
