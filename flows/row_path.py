"""The row's path: every batch of windows through the stations, each batch on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.classify import classify_tweets
from tasks.code import code_detections
from tasks.screen import screen_tweets
from tasks.write import write_windows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adverse_events.lake.receipt import Receipt
    from adverse_events.provenance import Provenance
    from adverse_events.settings import Settings
    from adverse_events.staging import Batch


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
