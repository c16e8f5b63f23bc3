"""The commands of the model registry and their flags: ``ade models ...``."""

# ruff: noqa: PLC0415 - a command imports its work when it is called, so that `ade --help` need not wait for it

from pathlib import Path
from typing import Annotated

import typer

from ade.options import AsJson, Assignments, assigned

models_app = typer.Typer(
    name="models",
    help="Keep models with their evaluations, hold a candidate against the champion, promote it, go back.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="Model folder; or champion, candidate or a version of the registry.", show_default=False
    ),
]
EvaluationOption = Annotated[
    list[Path] | None,
    typer.Option("--evaluation", metavar="FILE", help="What ade evaluate --json printed; may be repeated."),
]


@models_app.command("list")
def list_models(*, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """List the versions in the registry, oldest first, and what the aliases point to."""
    from ade.models import list_models as work

    raise typer.Exit(work(assigned(assignments), as_json=as_json))


@models_app.command()
def register(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder to copy in.", show_default=False)],
    *,
    evaluations: EvaluationOption = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Copy a model into the registry, with its evaluations, and make it the candidate."""
    from ade.models import register as work

    raise typer.Exit(work(model, evaluations or [], assigned(assignments), as_json=as_json))


@models_app.command()
def gate(
    candidate: Annotated[str, typer.Argument(metavar="[CANDIDATE]", help="Version or alias to judge.")] = "candidate",
    *,
    against: Annotated[
        str, typer.Option(metavar="VERSION", help="Version or alias to hold it against, beside the bars.")
    ] = "champion",
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a candidate may replace the champion, with every reason; exits with 1 where it may not."""
    from ade.models import gate as work

    raise typer.Exit(work(candidate, against, assigned(assignments), as_json=as_json))


@models_app.command()
def promote(
    version: Annotated[
        str, typer.Argument(metavar="[VERSION]", help="Version or alias to make the champion.")
    ] = "candidate",
    *,
    force: Annotated[
        str | None, typer.Option("--force", metavar="REASON", help="Promote it whatever the gate says; kept.")
    ] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, where the gate lets it; exits with 1 where it does not."""
    from ade.models import promote as work

    raise typer.Exit(work(version, force, assigned(assignments), as_json=as_json))


@models_app.command()
def rollback(
    *,
    reason: Annotated[str | None, typer.Option(metavar="REASON", help="Why; kept in the history.")] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Make the previous champion the champion again; twice goes two versions back."""
    from ade.models import rollback as work

    raise typer.Exit(work(reason or "", assigned(assignments), as_json=as_json))


@models_app.command()
def show(
    model: Annotated[str, typer.Argument(metavar="[VERSION]", help="Version or alias to show.")] = "champion",
    *,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show one version: what it is, its scores by source, and its history."""
    from ade.models import show as work

    raise typer.Exit(work(model, assigned(assignments), as_json=as_json))


@models_app.command()
def card(
    model: ModelArgument,
    *,
    evaluations: EvaluationOption = None,
    notes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Markdown that the training kept: what moved it and what did not."),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Card to write; - is standard output.")] = Path("-"),
    check: Annotated[
        bool, typer.Option("--check", metavar="", help="Write nothing: fail where --output is not this very card.")
    ] = False,
    assignments: Assignments = None,
) -> None:
    """Write the card of a model, from its manifest and evaluations; those of the registry when none is given."""
    from ade.models import card as work

    raise typer.Exit(work(model, evaluations or [], notes, output, assigned(assignments), check_only=check))
