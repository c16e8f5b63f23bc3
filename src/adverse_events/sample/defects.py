"""Lines that break the contract, as broken pipes, proxies and exports make them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from adverse_events.sample.clock import iso_milliseconds, snowflake

if TYPE_CHECKING:
    from datetime import datetime

BLANK_LINES = 3
"""Keep-alive lines of the filtered stream strewn among the posts: no input, and nobody's reject."""

MALFORMED = {
    "malformed_json": 3,
    "not_a_post": 3,
    "missing_created_at": 2,
    "null_text": 2,
    "bad_created_at": 2,
    "empty_text": 1,
    "lone_surrogate": 1,
}
"""Unreadable lines of every sample written, by the reason `adverse_events.source` rejects them for."""


def defects(start: datetime) -> list[tuple[str, str]]:
    """Return the unreadable lines, each with the reason it is rejected for, in the order they are strewn.

    Args:
        start: First instant of the sample; the times that can be read lie in its first day.
    """
    return [
        ("malformed_json", _post(start, 1, "cut off while streaming")[:-40]),
        ("null_text", _post(start, 2, None)),
        ("not_a_post", "[1, 2, 3]"),
        ("missing_created_at", _post(start, 3, "no idea when i posted this, took my zyrtec", created_at=None)),
        ("malformed_json", "<html><body>502 Bad Gateway</body></html>"),
        ("bad_created_at", _post(start, 4, "advil and a nap", created_at="2026-02-30T25:61:00.000Z")),
        ("lone_surrogate", _post(start, 5, "lexapro made me dizzy \ud83d")),
        ("not_a_post", json.dumps({"errors": [{"title": "Not Found Error", "parameter": "ids"}]})),
        ("null_text", _post(start, 6, None)),
        ("malformed_json", _post(start, 7, "an extra quote").replace("quote", 'qu"ote')),
        ("not_a_post", '"heartbeat"'),
        ("bad_created_at", _post(start, 8, "claritin day", created_at="yesterday-ish")),
        ("missing_created_at", _post(start, 9, "posted from a fridge", created_at=None)),
        ("empty_text", _post(start, 10, "")),
    ]


def _post(start: datetime, hour: int, text: str | None, created_at: str | None = "") -> str:
    """Return the line of a post of that `hour`; an empty `created_at` stands for the true one, None for none."""
    moment = start + timedelta(hours=hour)
    post = {"id": str(snowflake(moment, 0)), "text": text, "lang": "en", "author_id": "1700000000000000001"}
    if created_at is not None:
        post["created_at"] = created_at or iso_milliseconds(moment)
    return json.dumps({"data": post})
