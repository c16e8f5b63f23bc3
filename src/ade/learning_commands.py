"""The commands that make a classifier, and their flags."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ade.extras import with_extra
from ade.labelled_options import GroupColumn, LabelColumn, LabelMap, TextColumn, listed, mapped, numbers, told
from ade.options import AsJson
from adverse_events.errors import UsageError

Tracking = Annotated[
    str | None,
    typer.Option(
        metavar="URI",
        help="Keep runs in MLflow too: sqlite:///FILE, a server, or the ARN of a SageMaker-managed one.",
        show_default=False,
    ),
]

Hyperparameters = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Hyperparameter, such as epochs=3 or learning-rate=5e-5; may be repeated. All: python -m "
        "adverse_events.training.entry_point --help.",
    ),
]
ModelName = Annotated[
    str, typer.Option(metavar="NAME", help="Pretrained checkpoint: a name on the hub or a folder.", show_default=False)
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
    origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TEXT", help="Where a source came from, for the card of models trained on it; may be repeated."
        ),
    ] = None,
    licence: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=TEXT", help="What a source may be used for, for the card; may be repeated."),
    ] = None,
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
            told={"origin": told(origin, "--origin"), "licence": told(licence, "--licence")},
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
    model_name: ModelName,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Short name of the model.", show_default="the folder's")
    ] = None,
    hyperparameters: Hyperparameters = None,
    tracking: Tracking = None,
    as_json: AsJson = False,
) -> None:
    """Train a classifier on a prepared corpus and make it ready to serve; run again to go on after an interruption."""
    work = with_extra("ade.train", "train").train
    raise typer.Exit(
        work(
            corpus,
            output,
            model_name=model_name,
            name=name,
            hyperparameters=hyperparameters or [],
            tracking=tracking,
            as_json=as_json,
        )
    )


def cross_validate(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="What ade corpus wrote.", show_default=False)],
    *,
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder to write; the same one goes on.", show_default=False)
    ],
    model_name: ModelName,
    folds: Annotated[int, typer.Option(metavar="N", min=2, help="Parts; each is held out once.")] = 5,
    seed: Annotated[int, typer.Option(metavar="N", help="Other parts; 0 are everybody's.")] = 0,
    hyperparameters: Hyperparameters = None,
    as_json: AsJson = False,
) -> None:
    """Score a recipe on documents its models have not seen, all training texts in turn; the scores can teach, too."""
    work = with_extra("ade.cross_validate", "train")
    raise typer.Exit(
        work.run(
            corpus,
            output,
            model_name=model_name,
            folds=folds,
            seed=seed,
            hyperparameters=hyperparameters or [],
            as_json=as_json,
        )
    )


def tune(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="What ade corpus wrote.", show_default=False)],
    *,
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder of the search; the same one goes on.", show_default=False)
    ],
    model_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Checkpoint to choose from: hub name or folder; may be repeated. Default: five of the BioBERT family.",
            show_default=False,
        ),
    ] = None,
    learning_rate: Annotated[
        str, typer.Option(metavar="LOW,HIGH", help="Bounds, searched by logarithm.")
    ] = "5e-6,5e-4",
    length: Annotated[str, typer.Option(metavar="N,...", help="Sequence lengths, tokens.")] = "16,32,64,128,256",
    batch_size: Annotated[str, typer.Option(metavar="N,...", help="Batch sizes.")] = "16,32,64,128,256",
    trials: Annotated[int, typer.Option(metavar="N", min=1, help="Trials, earlier ones included.")] = 20,
    hours: Annotated[float, typer.Option(metavar="N", help="Hours; the trial under way is finished.")] = 8.0,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the search.")] = 13,
    tracking: Tracking = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Hyperparameter of every trial; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search for better hyperparameters on the validation texts; run it again to go on after an interruption."""
    space = {
        "learning_rate": numbers(learning_rate, float, "--learning-rate"),
        "max_length": numbers(length, int, "--length"),
        "batch_size": numbers(batch_size, int, "--batch-size"),
        **({"model_name": tuple(model_name)} if model_name else {}),
    }
    raise typer.Exit(
        with_extra("ade.tune", "train").tune(
            corpus,
            output,
            space=space,
            budget={"trials": trials, "hours": hours, "seed": seed},
            baseline={},
            fixed=fixed or [],
            tracking=tracking,
            as_json=as_json,
        )
    )
