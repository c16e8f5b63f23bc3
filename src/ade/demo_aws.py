"""`ade demo-aws`: the sample week over AWS's protocols on this machine, beside the embedded default, and the bill."""

from __future__ import annotations

import os
import tempfile
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ade import terminal
from ade.exits import DONE, FAILED
from ade.run import Asked, checked, flow_run, show_account, show_record
from adverse_events import assembly
from adverse_events.lake.query import LocalReader
from adverse_events.local_aws.comparison import NAMES_THE_MAKER, Comparison, compare
from adverse_events.local_aws.stack import SERVICES, LocalAws
from adverse_events.reporting.page import write_report
from adverse_events.sample.week import sample_week

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from ade.flow_runs import FlowRun
    from adverse_events.local_aws.provision import Provisioned

WHAT_IT_IS = (
    "This was AWS's protocols on this machine, not AWS: boto3, awswrangler and the flow are real, and so are S3's, "
    "Glue's, Athena's, SageMaker's and Comprehend Medical's requests and answers; what answered them is moto and this "
    "project's own model and coder. It shows nothing of AWS's models, permissions, limits, speed or prices."
)

QUESTION = (
    "SELECT icd10cm_code, icd10cm_description, count(DISTINCT tweet_id) AS n_posts FROM detected_events "
    "WHERE icd10cm_code IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT 5"
)
"""Asked in Athena's SQL."""

EMBEDDED = {"endpoint.name": "", "coding.service": "embedded", "catalog.database": None}


DAILY = {"window_minutes": 1440}
"""Objects depend on the windows, not on the posts: what a quiet source should be kept in."""


@dataclass(frozen=True)
class Shown:
    """What the run over the wire came to.

    Attributes:
        done: The run.
        comparison: Its assessments against those of the embedded default.
        requests: Requests by service and operation.
        n_objects: Objects in the lake's folder of the bucket, in windows of an hour.
        n_objects_daily: Objects of the same week in windows of a day.
        answer: Result of `QUESTION`.
    """

    done: FlowRun
    comparison: Comparison
    requests: Mapping[str, int]
    n_objects: int
    n_objects_daily: int
    answer: pa.Table


def demo_aws(output: Path, *, as_json: bool) -> int:
    """Run the sample week on both profiles and compare; returns the exit code: 1 where the assessments differ.

    Args:
        output: Where the report page of the run over the wire is written.
        as_json: Print one JSON document.
    """
    output = output.absolute()
    with (
        LocalAws() as aws,
        tempfile.TemporaryDirectory(prefix="ade-demo-") as folder,
        environment(aws.environment()),
        chdir(folder),  # away from a settings file of the user's
    ):
        made = aws.provision()
        shown = _run(aws, made, Path(folder) / "lake", quiet=as_json)
        report = write_report(assembly.reader_for(_asked(made).settings), output)
    comparison = shown.comparison
    if as_json:
        terminal.show_json(
            {
                "account": shown.done.account.to_json(),
                "is_equal": comparison.is_equal,
                "rows": comparison.n_rows,
                "rows_embedded": comparison.n_rows_other,
                "differing": dict(comparison.differing),
                "requests": dict(shown.requests),
                "s3_objects": shown.n_objects,
                "s3_objects_daily_windows": shown.n_objects_daily,
                "athena": shown.answer.to_pylist(),
                "report": str(report),
                "flow_run_url": shown.done.url,
                "what_it_is": WHAT_IT_IS,
            }
        )
    else:
        _show(made, shown, report)
    return DONE if comparison.is_equal else FAILED


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables while the block runs, and hide the user's own settings and accounts from it."""
    before = {name: value for name, value in os.environ.items() if name.startswith(("ADE_", "AWS_"))}
    for name in before:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)
        os.environ.update(before)


def _run(aws: LocalAws, made: Provisioned, embedded_lake: Path, *, quiet: bool) -> Shown:
    asked = _asked(made)
    settings = checked(asked)
    done = flow_run("detect", asked, quiet=quiet)
    requests = aws.counts.by_operation()
    answer = assembly.reader_for(settings).query(QUESTION)
    # Inside the same environment: whatever the settings file says, no real account is reached.
    flow_run("detect", Asked(source=str(sample_week()), lake=str(embedded_lake), options=EMBEDDED), quiet=quiet)
    comparison = compare(assembly.reader_for(settings), LocalReader(embedded_lake))
    n_objects = len(aws.inside.keys(made.lake))
    daily = f"s3://{made.bucket}/daily"
    flow_run("detect", Asked(source=str(sample_week()), lake=daily, options=EMBEDDED | DAILY), quiet=quiet)
    return Shown(done, comparison, requests, n_objects, len(aws.inside.keys(daily)), answer)


def _asked(made: Provisioned) -> Asked:
    options: dict[str, Any] = {name: value for name, value in made.settings().items() if name != "lake.path"}
    return Asked(source=str(sample_week()), lake=made.lake, options=options)


def _show(made: Provisioned, shown: Shown, report: Path) -> None:
    account, comparison = shown.done.account, shown.comparison
    terminal.show_line("A week of synthetic posts, over AWS's protocols:\n")
    show_account(account)
    terminal.show_line(f"\n{_verdict(comparison)}\n")
    terminal.show_table(("service", "requests"), _by_service(shown.requests))
    terminal.show_line(
        f"{terminal.counted(account.rows_read, 'post')} read, {account.rows_assessed:,} scored, "
        f"{account.rows_positive:,} coded; {terminal.counted(shown.n_objects, 'object')} in {made.lake}"
    )
    hourly, daily = (account.rows_assessed / n for n in (shown.n_objects, shown.n_objects_daily))
    terminal.show_line(
        f"one object per {hourly:.1f} posts scored in windows of an hour; in windows of a day (window_minutes=1440) "
        f"{shown.n_objects_daily}, one per {daily:.0f}\n"
    )
    terminal.show_line(f"Athena, asked: {QUESTION}\n")
    terminal.show_table(shown.answer.column_names, [list(row.values()) for row in shown.answer.to_pylist()])
    terminal.show_line(f"\nreport  {report.resolve().as_uri()}\n\n{WHAT_IT_IS}")
    show_record(shown.done)


def _verdict(comparison: Comparison) -> str:
    if comparison.is_equal:
        return (
            f"Equal to the embedded default: {comparison.n_rows:,} assessments, row for row, in every column but "
            f"{', '.join(NAMES_THE_MAKER)}."
        )
    if comparison.n_rows != comparison.n_rows_other:
        return f"NOT equal: {comparison.n_rows:,} assessments, {comparison.n_rows_other:,} on the embedded default."
    differing = ", ".join(f"{name} in {n:,} rows" for name, n in comparison.differing.items())
    return f"NOT equal to the embedded default: {differing}."


def _by_service(requests: Mapping[str, int]) -> list[tuple[str, int]]:
    totals = dict.fromkeys(SERVICES, 0)
    for call, n_requests in requests.items():
        service = call.partition(" ")[0]
        totals[service] = totals.get(service, 0) + n_requests
    return list(totals.items())
