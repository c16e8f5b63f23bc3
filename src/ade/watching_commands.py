"""The commands that watch what is live, and their flags."""

# ruff: noqa: PLC0415 - a command imports its work when it is called, so that `ade --help` need not wait for it

from pathlib import Path
from typing import Annotated

import typer

from ade.options import AsJson, Assignments, assigned, moment


def flight_check(
    *,
    model_version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Model that must answer.", show_default="any")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Recorded flight: answers must still be these.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Record this flight, if it passes.", show_default=False)
    ] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Ask the live classifier and coder about posts whose answers are known; writes nothing into the lake."""
    from ade.flight import flight_check as work

    raise typer.Exit(work(model_version, baseline, record, assigned(assignments), as_json=as_json))


def monitor(
    *,
    lake: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder of the lake or s3:// address; default: lake.path setting.")
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="First instant after the days to watch.", show_default="end of the last window"
        ),
    ] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Hold the last days against those before: scores, languages, drugs, positives, volume, rejects, time, cost."""
    from ade.monitor import monitor as work

    raise typer.Exit(work(lake, moment(end, "--end"), assigned(assignments), as_json=as_json))
