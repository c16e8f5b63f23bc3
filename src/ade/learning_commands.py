"""The commands that make a classifier, and their flags."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ade.extras import with_extra
from ade.options import AsJson
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


def corpus(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=]SOURCE...",
            help="A labelled file (CSV, TSV, JSON lines, Parquet), a folder with train and validation files, or "
            "hub:DATASET[/CONFIG].",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder to write the corpus to.", show_default=False)
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Check a prepared corpus instead: every file as frozen?", show_default=False
        ),
    ] = None,
    labels: Annotated[
        str, typer.Option(metavar="A,B,...", help="Classes, two or more; the last is what is looked for.")
    ] = "NOT_ADE,ADE",
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    group_column: GroupColumn = None,
    label_map: LabelMap = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Another split by document; 0 is everybody's.")] = 0,
    near_duplicate: Annotated[
        float,
        typer.Option(metavar="SHARE", min=0.1, max=1.0, help="Word pairs in common at which two texts count as one."),
    ] = 0.8,
    with_test: Annotated[
        bool, typer.Option("--with-test", metavar="", help="Take test files too, or hold a test part out.")
    ] = False,
    drop_empty: Annotated[
        bool, typer.Option("--drop-empty", metavar="", help="Leave rows without a text out, and count them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make labelled texts ready to train on: without overlaps, split by document, frozen to a manifest of hashes."""
    work = with_extra("ade.corpus", "train")
    if check is not None:
        raise typer.Exit(work.check_corpus(check, as_json=as_json))
    if output is None:
        msg = "--output FOLDER is missing; or --check FOLDER to check a corpus"
        raise UsageError(msg)
    columns: dict[str, Any] = {
        "text_column": text_column,
        "label_column": label_column,
        "group_column": group_column,
        "label_map": mapped(label_map),
    }
    raise typer.Exit(
        work.make_corpus(
            sources or [],
            output,
            labels=listed(labels),
            columns=columns,
            seed=seed,
            near_duplicate=near_duplicate,
            with_test=with_test,
            drop_empty=drop_empty,
            as_json=as_json,
        )
    )


def train(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="What ade corpus wrote.", show_default=False)],
    *,
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to write.", show_default=False)],
    model_name: Annotated[
        str,
        typer.Option(metavar="NAME", help="Pretrained checkpoint: a name on the hub or a folder.", show_default=False),
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Short name of the model.", show_default="the folder's")
    ] = None,
    hyperparameters: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Hyperparameter, such as epochs=3 or learning-rate=5e-5; may be repeated. All: python -m "
            "adverse_events.training.entry_point --help.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a classifier on a prepared corpus and make it ready to serve; run again to go on after an interruption."""
    work = with_extra("ade.train", "train").train
    raise typer.Exit(
        work(corpus, output, model_name=model_name, name=name, hyperparameters=hyperparameters or [], as_json=as_json)
    )


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
            n_draws=bootstrap,
            seed=seed,
            as_json=as_json,
        )
    )


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
