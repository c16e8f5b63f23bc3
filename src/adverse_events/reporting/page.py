"""The report page: one HTML file that needs no server, no network and no other file.

Posts are written by strangers, so the page trusts nothing in them: they travel as JSON inside a data
block, reach the document as text nodes only, and a Content-Security-Policy allows exactly the one
style sheet and the one script inlined here and no request of any kind.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from adverse_events.coding.select import most_specific
from adverse_events.errors import UsageError
from adverse_events.reporting.facts import gather
from adverse_events.reporting.positive import PRIORITIES, UNCODED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.lake.reader import LakeReader
    from adverse_events.reporting.account import Span
    from adverse_events.reporting.facts import ReportFacts
    from adverse_events.reporting.positive import EventSpan, Positive, ToldSpan

FILE_NAME = "report.html"

_TEMPLATES = "adverse_events.reporting"


def write_report(
    lake: LakeReader | Path, output: Path, start: datetime | None = None, end: datetime | None = None
) -> Path:
    """Write the report about the windows that start in ``[start, end)``.

    Args:
        lake: What reads the lake, or the root folder of one on this machine.
        output: File to write, replaced whole; or a folder, which gets a ``report.html``.
        start: First instant, aware; None for the lake's first window.
        end: First instant after, aware; None for no end.

    Returns:
        The file written.

    Raises:
        UsageError: As `gather`, or `output` cannot be written.
        ContractError: As `gather`.
        ServiceError: As `gather`.
    """
    page = render(gather(lake, start, end), generated_at=datetime.now(UTC))
    target = output / FILE_NAME if output.is_dir() else output
    try:
        _replace(target, page.encode())
    except OSError as error:
        msg = f"{target}: the report cannot be written ({error.strerror}); name another file with --output"
        raise UsageError(msg) from error
    return target


def render(facts: ReportFacts, *, generated_at: datetime) -> str:
    """Return the page as HTML.

    Args:
        facts: What it states.
        generated_at: Aware; shown as the time of the report.
    """
    environment = Environment(
        loader=PackageLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": _count, "share": _share, "moment": _moment, "reason": _reason}
    style, script = _inlined("report.css"), _inlined("report_model.js") + _inlined("report.js")
    return environment.get_template("report.html.j2").render(
        facts=facts,
        account=facts.account,
        span=facts.account.span,
        gap_hours=_hours(facts.account.gaps),
        generated_at=generated_at.astimezone(UTC),
        style=Markup(style),  # noqa: S704 - the package's own file
        script=Markup(script),  # noqa: S704 - the package's own file
        style_hash=_csp_hash(style),
        script_hash=_csp_hash(script),
        payload=Markup(_json_block(_payload(facts))),  # noqa: S704 - escaped by _json_block
    )


def _payload(facts: ReportFacts) -> dict[str, Any]:
    """Return what the script needs, names replaced by their index in `drugs` and `codes`; times in ms since 1970."""
    drugs = {name: index for index, (name, _) in enumerate(facts.top_ingredients())}
    codes = {code: index for index, (code, _) in enumerate(facts.top_codes())}
    span = facts.account.span
    return {
        "nPositives": facts.n_positives,
        "msPerCell": facts.minutes_per_cell * 60_000,
        "span": None if span is None else _interval(span),
        "gaps": [_interval(gap) for gap in facts.account.gaps],
        "drugs": list(drugs),
        "codes": [[code, facts.descriptions.get(code, "")] for code in codes],
        "cells": [
            [
                _ms(c.start),
                [drugs[name] for name in c.ingredients],
                [codes[code] for code in c.codes],
                c.n_posts,
                PRIORITIES.index(c.priority),
            ]
            for c in facts.cells
        ],
        "posts": [_post(positive, drugs, codes) for positive in facts.positives],
    }


def _post(positive: Positive, drugs: dict[str, int], codes: dict[str, int]) -> dict[str, Any]:
    return {
        "reference": positive.reference,
        "t": _ms(positive.created_at),
        "lang": positive.lang,
        "p": round(positive.ade_probability, 4),
        "text": positive.text,
        "nDuplicates": positive.n_duplicates,
        "drugs": sorted({drugs[d.ingredient] for d in positive.drugs}),
        "codes": sorted(codes[code] for code in most_specific(e.code for e in positive.events if e.is_event)),
        "priority": PRIORITIES.index(positive.priority),
        "told": [
            *(_told(one, "serious") for one in positive.seriousness or ()),
            *(_told(one, "special") for one in positive.special_situations),
        ],
        "mentions": [
            {"text": d.mention, "begin": d.begin, "end": d.end, "ingredient": d.ingredient} for d in positive.drugs
        ],
        "events": [_event(event) for event in positive.events],
    }


def _told(one: ToldSpan, kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": one.name,
        "text": one.text,
        "begin": one.begin,
        "end": one.end,
        "isAuthor": one.is_author,
    }


def _event(event: EventSpan) -> dict[str, Any]:
    return {
        "text": event.text,
        "begin": event.begin,
        "end": event.end,
        "role": event.role,
        "traits": list(event.traits),
        "code": None if event.code == UNCODED else event.code,
        "description": event.description,
        "causeCode": event.cause_code,
        "isEvent": event.is_event,
    }


def _json_block(value: object) -> str:
    """Return JSON that is safe inside a script element.

    ASCII only, so U+2028 and U+2029 are escaped too; and without ``<``, ``>`` or ``&``, so no text in it
    can end the element, start a comment or be read as markup.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _inlined(name: str) -> str:
    return (resources.files(_TEMPLATES) / "templates" / name).read_text(encoding="utf-8")


def _csp_hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _replace(target: Path, content: bytes) -> None:
    """Write beside `target` and rename, so that a reader sees the old page or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(target)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _interval(span: Span) -> list[int]:
    return [_ms(span.start), _ms(span.end)]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _hours(spans: Sequence[Span]) -> float:
    return sum((span.end - span.start for span in spans), timedelta()) / timedelta(hours=1)


def _count(number: float) -> str:
    return f"{number:,.10g}"


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _moment(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def _reason(code: str) -> str:
    return code.replace("_", " ")
