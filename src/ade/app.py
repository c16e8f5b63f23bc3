"""The commands and their flags; what they do is in the module each imports when it is called."""

# ruff: noqa: PLC0415 - a command imports its work when it is called, so that `ade --help` need not wait for it

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ade import (
    cloud_commands,
    commands_models,
    compliance_commands,
    evaluate_command,
    learning_commands,
    live_commands,
    watching_commands,
)
from ade.exits import MEANINGS
from ade.options import AsJson, Assignments, End, Start, Strict, assigned, moment, span
from adverse_events import __version__

EPILOG = "\n".join(("Exit codes:", *(f"{code:>4}  {meaning}" for code, meaning in MEANINGS.items())))

app = typer.Typer(
    name="ade",
    help="Find, code and count adverse drug events in social media posts.",
    epilog=EPILOG,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

SourceOption = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="File, folder or glob of posts, here or s3://: JSON, CSV, TSV or Parquet, plain, gzip or zstd.",
    ),
]
LakeOption = Annotated[
    str | None, typer.Option(metavar="DIR", help="Folder of the lake or s3:// address; default: lake.path setting.")
]
TextColumn = Annotated[str | None, typer.Option(metavar="NAME", help="Column of the text.")]
IdColumn = Annotated[str | None, typer.Option(metavar="NAME", help="Column of the id; derived when there is none.")]
TimeColumn = Annotated[str | None, typer.Option(metavar="NAME", help="Column of the time.")]
LangColumn = Annotated[str | None, typer.Option(metavar="NAME", help="Column of the language code.")]
AuthorColumn = Annotated[str | None, typer.Option(metavar="NAME", help="Column of the author; case mode only.")]
AssumeTime = Annotated[str | None, typer.Option(metavar="TIME", help="Time of posts that have none.")]
Force = Annotated[bool, typer.Option("--force", metavar="", help="Work on every window, up to date or not.")]


class Split(StrEnum):
    """Splits of the shipped gold set."""

    SEEN = "seen"
    DEV = "dev"
    UNSEEN = "unseen"
    MET = "met"
    FRESH = "fresh"
    ALL = "all"


class Arithmetic(StrEnum):
    """Arithmetic of the embedded model."""

    INT8 = "int8"
    FLOAT32 = "float32"


class Operation(StrEnum):
    """Operations of Comprehend Medical whose response shape JSON can have."""

    INFER_ICD10CM = "InferICD10CM"
    DETECT_ENTITIES = "DetectEntitiesV2"


def _show_version(value: bool) -> None:  # noqa: FBT001 - Typer's callback signature
    if value:
        print(f"ade {__version__}")
        raise typer.Exit


@app.callback()
def ade(
    *,
    version: Annotated[
        bool, typer.Option("--version", metavar="", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", metavar="", help="Print the traceback of an error, and Prefect's own log; works anywhere."
        ),
    ] = False,
) -> None:
    """Find, code and count adverse drug events in social media posts."""
    del version, debug  # the first acts in its callback, the second is taken out before the commands see it


@app.command()
def demo(
    *,
    lake: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the lake.")] = Path("demo/lake"),
    output: Annotated[Path, typer.Option(metavar="FILE", help="Report page to write.")] = Path("demo/report.html"),
    as_json: AsJson = False,
) -> None:
    """Run the bundled week of synthetic posts from end to end and report on it."""
    from ade.demo import demo as work

    raise typer.Exit(work(lake, output, as_json=as_json))


@app.command()
def detect(
    *,
    source: SourceOption = None,
    start: Start = None,
    end: End = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    time_column: TimeColumn = None,
    lang_column: LangColumn = None,
    author_column: AuthorColumn = None,
    assume_time: AssumeTime = None,
    lake: LakeOption = None,
    assignments: Assignments = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Screen, score, code and store the posts of a range, or every window that the source covers."""
    from ade.run import Asked, run

    columns = (text_column, id_column, time_column, lang_column, author_column)
    options = _source_options(columns, assume_time, assignments)
    raise typer.Exit(run("detect", Asked(source, lake, *span(start, end), options), strict=strict, as_json=as_json))


@app.command()
def backfill(
    *,
    source: SourceOption = None,
    start: Start = None,
    end: End = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    time_column: TimeColumn = None,
    lang_column: LangColumn = None,
    author_column: AuthorColumn = None,
    assume_time: AssumeTime = None,
    lake: LakeOption = None,
    force: Force = False,
    assignments: Assignments = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """As detect, but only windows that are missing or out of date; run it again to resume."""
    from ade.run import Asked, run

    columns = (text_column, id_column, time_column, lang_column, author_column)
    options = _source_options(columns, assume_time, assignments)
    asked = Asked(source, lake, *span(start, end), options, force=force)
    raise typer.Exit(run("backfill", asked, strict=strict, as_json=as_json))


@app.command()
def listen(
    *,
    lake: LakeOption = None,
    minutes: Annotated[float, typer.Option(metavar="N", min=0, help="End after so many minutes; 0: never.")] = 0,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Listen to X's filtered stream: land, assess and store posts as they come, until Ctrl-C or SIGTERM."""
    from ade.listen import listen as work

    raise typer.Exit(work(lake, minutes, assigned(assignments), as_json=as_json))


@app.command()
def classify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV, JSON lines or Parquet.", show_default=False)],
    *,
    text_column: Annotated[str, typer.Option(metavar="NAME", help="Column of the text.")] = "text",
    output: Annotated[Path, typer.Option(metavar="FILE", help="JSON lines to write; - is standard output.")] = Path(
        "-"
    ),
    threshold: Annotated[
        float | None, typer.Option(metavar="P", help="Lowest probability called an ADE; default: the model's own.")
    ] = None,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Model folder; default: the shipped one.")] = None,
    arithmetic: Annotated[
        Arithmetic | None,
        typer.Option(metavar="int8|float32", help="Arithmetic of the model; float32 checks int8.", show_default=False),
    ] = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Score every row of a file: one line per row, in order, with row, ade_probability and is_ade.

    A row that cannot be read gets a line too, with its error and nulls.
    """
    from ade.texts import classify as work

    overrides = {
        "classifier.ade_threshold": threshold,
        "classifier.model": model,
        "classifier.arithmetic": arithmetic and arithmetic.value,
        # Who names a model means the one in process, whatever endpoint the settings name.
        "endpoint.name": "" if model or arithmetic else None,
    }
    raise typer.Exit(work(file, text_column, output, overrides, strict=strict, as_json=as_json))


@app.command()
def code(
    text_or_file: Annotated[
        str, typer.Argument(metavar="TEXT|FILE", help="A text in quotes, or a file of texts.", show_default=False)
    ],
    *,
    text_column: Annotated[str, typer.Option(metavar="NAME", help="Column of the text, for a file.")] = "text",
    drug_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column of the drugs a text is about, several joined by a semicolon."),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="JSON lines to write; - is standard output.")] = Path(
        "-"
    ),
    operation: Annotated[
        Operation,
        typer.Option(help="Whose response shape JSON has, of Comprehend Medical's operations.", case_sensitive=False),
    ] = Operation.INFER_ICD10CM,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Code the conditions of a text, or of every row of a file, to ICD-10-CM, and say why.

    A text is explained: the words and the entry of the lexicon behind each code, role, trait and situation. A file
    gets one line per row, in order. JSON has Comprehend Medical's shape, plus Role, CauseCode, Seriousness and more.
    """
    from ade.conditions import code as work

    shape = operation.value
    raise typer.Exit(work(text_or_file, text_column, drug_column, output, shape, strict=strict, as_json=as_json))


@app.command("evaluate-coder")
def evaluate_coder(
    gold: Annotated[
        Path | None,
        typer.Argument(metavar="[GOLD]", help="CSV of marked posts; the shipped gold set when left out."),
    ] = None,
    *,
    split: Annotated[
        Split | None,
        typer.Option(metavar="seen|dev|unseen|met|fresh|all", help="Print only this split.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Page to write: HTML, or Markdown tables (.md).")
    ] = None,
    effects: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV with text, effect and drug: are formal effects found?"),
    ] = None,
    reviews: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV with text, label, WD, EF, INF, SSI and DI: which roles do they get?"),
    ] = None,
    with_baselines: Annotated[
        bool, typer.Option("--baselines/--no-baselines", metavar="", help="Measure two plain ways beside the coder.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Measure the condition coder on a gold set: codes, spans, roles, traits, and two baselines.

    The gold file is described in the package, beside the shipped one: adverse_events/coding/evaluation/data.
    """
    from ade.evaluation import evaluate_coder as work

    raise typer.Exit(
        work(
            gold,
            split=split and split.value,
            output=output,
            effects=effects,
            reviews=reviews,
            with_baselines=with_baselines,
            as_json=as_json,
        )
    )


@app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT, in quotes.", show_default=False)],
    *,
    lake: LakeOption = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", metavar="", help="Print CSV as in RFC 4180.")] = False,
) -> None:
    """Ask the lake: assessments, rejects, receipts, detected_events, lambda_predictions."""
    from ade.ask import ask

    raise typer.Exit(ask(sql, lake, as_json=as_json, as_csv=as_csv))


@app.command()
def report(
    *,
    lake: LakeOption = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Page to write.")] = Path("report.html"),
    start: Start = None,
    end: End = None,
    as_json: AsJson = False,
) -> None:
    """Write one self-contained page about what the lake holds."""
    from ade.show import report as work

    first, last = moment(start, "--start"), moment(end, "--end")
    raise typer.Exit(work(lake, output, first, last, as_json=as_json))


@app.command()
def settings(*, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """List every setting: its value, where that came from and what it means. Secrets are hidden."""
    from ade.show import settings as work

    raise typer.Exit(work(assigned(assignments), as_json=as_json))


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Created when missing.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy the bundled sample week and its gold labels into a folder, to play with."""
    from ade.show import sample as work

    raise typer.Exit(work(folder, as_json=as_json))


app.command()(compliance_commands.comply)
app.command()(compliance_commands.forget)


@app.command("demo-live")
def demo_live(
    *,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where lake and report go.")] = Path("demo-live"),
    as_json: AsJson = False,
) -> None:
    """Listen for a minute to X's protocol on this machine, and compare the lake with what was published."""
    from ade.extras import with_extra

    raise typer.Exit(with_extra("ade.demo_live", "local-x").demo_live(folder, as_json=as_json))


app.command()(live_commands.estimate)
app.command()(live_commands.hydrate)
app.command("local-x")(live_commands.local_x)
app.command("demo-aws")(cloud_commands.demo_aws)
app.command("local-aws")(cloud_commands.local_aws)
app.command()(cloud_commands.doctor)
app.command("flight-check")(watching_commands.flight_check)
app.command()(watching_commands.monitor)
app.command()(cloud_commands.serve)
app.command()(cloud_commands.package)
app.command()(learning_commands.corpus)
app.command()(learning_commands.train)
app.command("cross-validate")(learning_commands.cross_validate)
app.command()(learning_commands.tune)
app.command()(evaluate_command.evaluate)
app.add_typer(commands_models.models_app)


@app.command()
def bench(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One benchmark; all of them when left out.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Measure speed and memory against the reference loop."""
    from ade.bench import bench as work

    raise typer.Exit(work(name, as_json=as_json))


@app.command()
def version(*, as_json: AsJson = False) -> None:
    """Print the version."""
    from ade.terminal import show_json, show_line

    if as_json:
        show_json({"version": __version__})
    else:
        show_line(f"ade {__version__}")


def _source_options(
    columns: tuple[str | None, ...], assume_time: str | None, assignments: list[str] | None
) -> dict[str, object]:
    """Return the settings that the flags of a source stand for; a flag of its own wins over ``--set``."""
    assumed = moment(assume_time, "--assume-time")
    names = ("text_column", "id_column", "time_column", "lang_column", "author_column")
    given = {f"source.{name}": value for name, value in zip(names, columns, strict=True) if value is not None}
    # As text: the options of a flow are kept as JSON.
    return {**assigned(assignments), **given, **({"source.assume_time": assumed.isoformat()} if assumed else {})}
