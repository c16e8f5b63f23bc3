"""The listener under a flow: signals end it, serious events become Prefect events, and its account is published."""

from __future__ import annotations

import logging
import signal
import uuid
from contextlib import contextmanager
from threading import Timer, current_thread, main_thread
from typing import TYPE_CHECKING, Any

from prefect.context import FlowRunContext
from prefect.events import emit_event

from adverse_events import assembly
from tasks.station import of_flow_run, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adverse_events.listening.account import Account
    from adverse_events.listening.listener import Listener
    from adverse_events.listening.serious import SeriousEvent
    from adverse_events.settings import Settings

logger = logging.getLogger("adverse_events.listen")

SERIOUS = "adverse-events.serious"
"""Name of the Prefect event; docs/live.md shows an automation that makes a notification of it."""

_EVENT_IDS = uuid.UUID("5a6b9d2e-6c0e-4d57-9a53-0d4f5d8b7c11")


@contextmanager
def listening(settings: Settings, minutes: float) -> Iterator[Listener]:
    """Listen while the block runs. SIGTERM, SIGINT or the end of `minutes` (0: none) end it in good order."""
    listener = assembly.listener_for(settings, _teller())
    timer = Timer(minutes * 60, listener.stop)
    timer.daemon = True
    with _stopped_by_signals(listener), listener:
        if minutes:
            timer.start()
        try:
            yield listener
        finally:
            timer.cancel()


def report_listening(account: Account) -> dict[str, Any]:
    """Publish what a listener did, and return it as plain JSON values."""
    counts = account.to_json()
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in counts.items())
    publish("listen-account", lambda: f"| | |\n| --- | ---: |\n{rows}\n", "What this listener did")
    return counts


def _teller() -> Callable[[SeriousEvent], None]:
    """Return what tells of a serious event: Prefect where a flow run is, else the log."""
    context = FlowRunContext.get()
    run_id = context.flow_run.id if context and context.flow_run else None

    def tell(event: SeriousEvent) -> None:
        logger.warning("serious event (%s) in post %s", ", ".join(event.criteria), event.tweet_id)
        if run_id is None:
            return
        emit_event(
            SERIOUS,
            resource={"prefect.resource.id": f"adverse-events.post.{event.tweet_id}"},
            related=[of_flow_run(run_id)],
            payload={
                "criteria": list(event.criteria),
                "is_author": event.is_author,
                "icd10cm_codes": [code for code, _ in event.conditions],
                "icd10cm_descriptions": [description for _, description in event.conditions],
                "drug_ingredients": list(event.drug_ingredients),
                "created_at": event.created_at.isoformat(),
                "ade_probability": event.ade_probability,
            },
            # Told again after a kill, it has the same id: the server keeps it once.
            id=uuid.uuid5(_EVENT_IDS, event.tweet_id),
        )

    return tell


@contextmanager
def _stopped_by_signals(listener: Listener) -> Iterator[None]:
    if current_thread() is not main_thread():  # only there may signals be handled
        yield
        return
    before = {number: signal.signal(number, lambda *_: listener.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
