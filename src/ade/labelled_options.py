"""Options of the commands that read labelled texts, and how their values are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

TextColumn = Annotated[str, typer.Option(metavar="NAME", help="Column that holds the text.")]
LabelColumn = Annotated[str, typer.Option(metavar="NAME", help="Column that holds the class.")]
GroupColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column that names the document; default: group, pmid, drug_id, review_id or document_id.",
        show_default=False,
    ),
]
LabelMap = Annotated[
    str | None,
    typer.Option(metavar="VALUE=CLASS,...", help="Class by value of the label column.", show_default=False),
]


def numbers(text: str, kind: type[int | float], option: str) -> tuple[float, ...]:
    """Read ``N,...``.

    Raises:
        UsageError: A part that is no such number.
    """
    try:
        return tuple(kind(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        msg = f"{option} {text!r} must be numbers with commas between them"
        raise UsageError(msg) from error


def listed(labels: str) -> tuple[str, ...]:
    """Read ``A,B,...``.

    Raises:
        UsageError: Fewer than two, or one twice.
    """
    names = tuple(name.strip() for name in labels.split(",") if name.strip())
    if len(names) < 2 or len(set(names)) < len(names):  # noqa: PLR2004 - a choice needs two
        msg = f"--labels {labels!r} must name two or more different classes, the one looked for last"
        raise UsageError(msg)
    return names


def mapped(label_map: str | None) -> dict[str, str]:
    """Read ``VALUE=CLASS,...``.

    Raises:
        UsageError: A part without an equals sign.
    """
    pairs = _pairs([part for part in (label_map or "").split(",") if part.strip()])
    if pairs is None:
        msg = f"--label-map {label_map!r} is not VALUE=CLASS,VALUE=CLASS"
        raise UsageError(msg)
    return pairs


def told(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """Read what is said about sources, ``NAME=TEXT`` each.

    Raises:
        UsageError: One without an equals sign.
    """
    pairs = _pairs(given or [])
    if pairs is None:
        msg = f"{option} says something about a source: NAME=TEXT"
        raise UsageError(msg)
    return pairs


def _pairs(parts: Sequence[str]) -> dict[str, str] | None:
    pairs = [part.partition("=") for part in parts]
    if any(not (equals and key.strip() and value.strip()) for key, equals, value in pairs):
        return None
    return {key.strip(): value.strip() for key, _, value in pairs}
