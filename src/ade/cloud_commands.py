"""The commands for AWS and their flags: rehearsing it here, checking an account, serving and packing a model."""

# ruff: noqa: PLC0415 - a command imports its work when it is called, so that `ade --help` need not wait for it

from pathlib import Path
from typing import Annotated

import typer

from ade.extras import with_extra
from ade.options import AsJson, Assignments


def demo_aws(
    *,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Report page to write.")] = Path("demo-aws/report.html"),
    as_json: AsJson = False,
) -> None:
    """Run the bundled week over AWS's protocols on this machine, and compare it with the embedded default."""
    work = with_extra("ade.demo_aws", "local-aws").demo_aws
    raise typer.Exit(work(output, as_json=as_json))


def local_aws(
    *,
    file: Annotated[
        Path, typer.Option(metavar="FILE", help="Shell file to write, with the variables that lead there.")
    ] = Path("local-aws.env"),
) -> None:
    """Serve AWS's protocols on this machine until Ctrl-C, to rehearse settings and commands against."""
    work = with_extra("ade.local_aws", "local-aws").local_aws
    raise typer.Exit(work(file))


def doctor(*, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Ask now for everything a run with these settings will need, and say what is missing."""
    from ade.doctor import doctor as work

    raise typer.Exit(work(assignments, as_json=as_json))


def serve(
    *,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Model folder; default: the shipped one.")] = None,
    port: Annotated[int, typer.Option(metavar="N", help="Port on this machine; 0 takes a free one.")] = 8080,
) -> None:
    """Serve the model over HTTP on this machine, as the container of a SageMaker endpoint does."""
    work = with_extra("ade.serve", "serve").serve
    raise typer.Exit(work(model, port))


def package(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Archive to write.")] = Path("build/model.tar.gz"),
    *,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Model folder; default: the shipped one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Pack a model and the code that serves it into the model.tar.gz that SageMaker takes."""
    from ade.serve import package as work

    raise typer.Exit(work(model, target, as_json=as_json))
