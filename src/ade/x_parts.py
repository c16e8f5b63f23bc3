"""What the commands that ask X have in common: settings with their token, and a client that says why it waits."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ade import checkout, terminal
from adverse_events import assembly
from adverse_events.assembly import live
from adverse_events.progress import listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.settings import Settings
    from adverse_events.source.x.client import XClient


@contextmanager
def client_of(settings: Settings, command: str, *, quiet: bool) -> Iterator[XClient]:
    """Provide a client of X; on a terminal, a wait is announced.

    Args:
        settings: Where, and with which token; a Prefect block is read from the checkout.
        command: What needs it, for the message.
        quiet: Announce nothing.

    Raises:
        UsageError: There is no token.
        ServiceError: Its secret or block cannot be read.
    """
    if settings.x.needs_block:
        checkout.enter(command)
        # Not before now: it imports Prefect, which takes seconds.
        settings = importlib.import_module("tasks.blocks").resolve(settings)
    with (
        listening(lambda _station, _n_rows: None, None if quiet else terminal.note),
        live.client_for(settings.x, assembly.token_for(settings)) as client,
    ):
        yield client
