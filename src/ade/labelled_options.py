"""Options of the commands that read labelled texts, and how their values are read."""

from __future__ import annotations

from typing import Annotated

import typer

from adverse_events.errors import UsageError

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
    pairs = [part.partition("=") for part in (label_map or "").split(",") if part.strip()]
    if any(not (equals and value.strip() and name.strip()) for value, equals, name in pairs):
        msg = f"--label-map {label_map!r} is not VALUE=CLASS,VALUE=CLASS"
        raise UsageError(msg)
    return {value.strip(): name.strip() for value, _, name in pairs}
