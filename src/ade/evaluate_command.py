"""The command that measures a model, and its flags."""

from pathlib import Path
from typing import Annotated

import typer

from ade.extras import with_extra
from ade.labelled_options import GroupColumn, LabelColumn, LabelMap, TextColumn, mapped
from ade.options import AsJson


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="Model folder, starter, champion, candidate or a version.", show_default=False
        ),
    ],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Labelled file (CSV, TSV, JSON lines, Parquet), or a prepared corpus.",
            show_default=False,
        ),
    ],
    *,
    against: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Another model to compare with, text by text.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page; JSON where the name ends with .json.", show_default=False),
    ] = None,
    split: Annotated[str, typer.Option(metavar="NAME", help="Split of a prepared corpus.")] = "validation",
    corpus: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Prepared corpus the model was trained on: refuse texts that occur in it.",
            show_default=False,
        ),
    ] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    group_column: GroupColumn = None,
    source_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column that names the source; default: source.", show_default=False),
    ] = None,
    label_map: LabelMap = None,
    capabilities: Annotated[
        bool, typer.Option("--capabilities/--no-capabilities", help="Ask the project's capability cases too.")
    ] = True,
    bootstrap: Annotated[int, typer.Option(metavar="N", min=100, help="Draws behind the intervals.")] = 2000,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the draws.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure a model on labelled texts: scores with intervals, calibration, what a limit costs in reviewers' time."""
    work = with_extra("ade.evaluate", "train").evaluate
    columns = {
        "text_column": text_column,
        "label_column": label_column,
        "group_column": group_column,
        "source_column": source_column,
        "label_map": mapped(label_map),
    }
    raise typer.Exit(
        work(
            model,
            data,
            against=against,
            output=output,
            columns=columns,
            split=split,
            corpus=corpus,
            with_capabilities=capabilities,
            n_draws=bootstrap,
            seed=seed,
            as_json=as_json,
        )
    )
