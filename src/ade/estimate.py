"""`ade estimate`: what searching a range on X would come to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ade import terminal
from ade.exits import DONE
from ade.x_parts import client_of
from adverse_events.assembly import live
from adverse_events.errors import UsageError
from adverse_events.settings import load_settings
from adverse_events.source.x.search_settings import PRODUCTS, RECENT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from adverse_events.source.x.estimate import Estimate

BUSIEST = 7
"""Days listed."""


def estimate(
    source: str | None, start: datetime | None, end: datetime | None, options: Mapping[str, Any], *, as_json: bool
) -> int:
    """Ask X for counts and print what reading would come to; returns the exit code.

    Args:
        source: x://recent or x://all; None takes the setting, else recent search.
        start: First instant.
        end: First instant after.
        options: Further settings.
        as_json: Print one JSON document.

    Raises:
        UsageError: No range, no token, a source that is no search, or an unknown drug.
        ServiceError: X refuses or does not answer.
    """
    settings = load_settings(options, {"source.path": source})
    if not settings.source.path:
        settings = load_settings(options, {"source.path": RECENT})
    if not settings.source.is_x:
        msg = f"only a search has a price; give --source {' or '.join(PRODUCTS)} instead of {settings.source.path}"
        raise UsageError(msg)
    windows = live.windows_of(settings, start, end)
    with client_of(settings, "estimate", quiet=as_json) as client:
        found = live.estimate_for(settings, windows, client)
    if as_json:
        terminal.show_json({"source": settings.source.path, **found.to_json()})
    else:
        _show(found, settings.source.path or "")
    return DONE


def _show(found: Estimate, source: str) -> None:
    terminal.show_table(
        ("", source),
        [
            ("posts, at most", found.n_posts),
            ("queries", found.n_queries),
            ("searches", found.n_requests),
            ("price, at most", f"${found.price:,.2f}"),
            ("time at X's rate limits, at least", str(timedelta(seconds=round(found.seconds)))),
        ],
    )
    busiest = sorted(found.posts_per_day.items(), key=lambda day: -day[1])[:BUSIEST]
    if busiest:
        terminal.show_table(("busiest days", "posts"), busiest)
    if found.max_posts_per_run and found.n_runs > 1:
        terminal.show_line(
            f"one run stops after {found.max_posts_per_run:,} posts (x.max_posts_per_run): about {found.n_runs} runs, "
            "or raise it"
        )
    requests = terminal.counted(found.n_count_requests, "request")
    terminal.note(f"this estimate took {requests} for counts, about ${found.price_of_counts:,.2f}, and read no post")
