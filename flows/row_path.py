"""The row's path: every batch of windows through the stations, each batch on its own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.errors import ServiceError
from adverse_events.staging import workspace
from tasks.catalog import refresh_catalog
from tasks.classify import classify_tweets
from tasks.code import code_detections
from tasks.fetch import fetch_tweets
from tasks.report import report_run
from tasks.screen import screen_tweets
from tasks.write import write_undated, write_windows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.lake.receipt import Receipt
    from adverse_events.listening.closing import Due
    from adverse_events.listening.listener import Listener
    from adverse_events.provenance import Provenance
    from adverse_events.settings import Settings
    from adverse_events.staging import Batch

logger = logging.getLogger("adverse_events.listen")


def assess(batches: Iterable[Batch], settings: Settings, provenance: Provenance) -> list[Receipt]:
    """Take `batches` through the stations and return one receipt per window.

    Submitted batch by batch, so that the first is in the lake long before the last is read: a killed run
    keeps what it had finished.
    """
    runs = []
    for batch in batches:
        screened = screen_tweets.submit(batch, settings.screening)
        classified = classify_tweets.submit(screened, settings)
        coded = code_detections.submit(classified, settings)
        runs.append((screened, classified, coded, write_windows.submit(coded, settings, provenance)))
    # Upstream first, so that a failure is reported by the station it happened at.
    return [receipt for run in runs for receipt in [station.result() for station in run][-1]]


def write_landed(due: Iterable[Due], listener: Listener, settings: Settings) -> None:
    """Write the windows that a listener found due, as `detect` would from the landing store.

    A service that does not answer holds nothing up but the lake: posts go on landing, and the windows are due again.
    """
    for part in due:
        try:
            with workspace() as folder:
                provenance = assembly.provenance_for(settings)
                spooled = fetch_tweets(settings, part.windows[0].start, part.windows[-1].end, folder)
                receipts = assess(spooled.batches, settings, provenance)
                undated = write_undated(spooled, settings, provenance)
                report_run(spooled, receipts, undated, 0, settings)
                refresh_catalog([*receipts, *undated], settings)
        except ServiceError as error:
            logger.warning("%s; %d windows stay due", error, len(part.windows))
            listener.failed(part)
        else:
            listener.wrote(part)
