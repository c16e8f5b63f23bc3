"""The commands that ask X, and their flags."""

# ruff: noqa: PLC0415 - a command imports its work when it is called, so that `ade --help` need not wait for it

from pathlib import Path
from typing import Annotated

import typer

from ade.extras import with_extra
from ade.options import AsJson, Assignments, End, Start, assigned, span

SearchOption = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="x://recent|x://all", help="The last seven days, or the full archive; default: setting."
    ),
]


def estimate(
    *,
    source: SearchOption = None,
    start: Start = None,
    end: End = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Ask X how many posts a search of a range would find, and what they would cost; reads none."""
    from ade.estimate import estimate as work

    raise typer.Exit(work(source, *span(start, end), assigned(assignments), as_json=as_json))


def hydrate(
    ids: Annotated[
        Path,
        typer.Argument(
            metavar="IDS", help="Post ids: one a line, or a column of CSV, TSV, JSON or Parquet.", show_default=False
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option(metavar="FILE", help="JSON lines to write, or to go on with; readable by detect.")
    ] = Path("posts.jsonl"),
    id_column: Annotated[str | None, typer.Option(metavar="NAME", help="Column of the ids.")] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Fetch posts from X by their ids, and list those deleted, protected or never there; run again to resume."""
    from ade.hydrate import hydrate as work

    raise typer.Exit(work(ids, id_column, output, assigned(assignments), as_json=as_json))


def local_x(
    *,
    file: Annotated[
        Path, typer.Option(metavar="FILE", help="Shell file to write, with the variables that lead there.")
    ] = Path("local-x.env"),
    posts: Annotated[int, typer.Option(metavar="N", min=0, help="Invented posts of one week.")] = 2900,
    limits: Annotated[bool, typer.Option("--limits", metavar="", help="Enforce X's rate limits.")] = False,
) -> None:
    """Serve X's protocol over invented posts on this machine until Ctrl-C, to rehearse against."""
    work = with_extra("ade.local_x", "local-x").local_x
    raise typer.Exit(work(file, posts, limits=limits))
