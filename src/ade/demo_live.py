"""`ade demo-live`: the listener against X's protocol on this machine, end to end, and what came of every post."""

from __future__ import annotations

import importlib
import tempfile
from contextlib import chdir, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from ade import checkout, terminal
from ade.exits import DONE, FAILED
from ade.listen import lines
from ade.run import Asked, flow_run
from ade.surroundings import environment
from adverse_events import assembly
from adverse_events.lake.query import LocalReader
from adverse_events.local_aws.comparison import Comparison, compare
from adverse_events.local_x.clock import Clock
from adverse_events.local_x.feed import Feed
from adverse_events.local_x.listener import LocalX
from adverse_events.local_x.publication import StreamFault
from adverse_events.local_x.published import write_expected
from adverse_events.local_x.state import TOKEN, State
from adverse_events.reporting.page import write_report
from adverse_events.sample.generate import generate
from adverse_events.settings import load_settings
from adverse_events.source.archive import LANDING

if TYPE_CHECKING:
    from collections.abc import Mapping

PER_SECOND = 25
SECONDS = 60
SEED = 11
"""Seed of the posts; they are not those of the bundled week."""

FAULTS = {
    StreamFault.TWICE: 0.01,
    StreamFault.LATER: 0.01,
    StreamFault.HALF_LINE: 0.002,
    StreamFault.CUT: 0.002,
    StreamFault.DISCONNECT: 0.002,
}

WHAT_IT_IS = (
    "This was X's protocol on this machine, not X: posts, authors and events are invented, and what X does beyond its "
    "documentation is not shown. Nothing left the machine."
)


@dataclass(frozen=True)
class Shown:
    """What the demonstration came to.

    Attributes:
        listened: The listener's account.
        n_published: Posts that went out, earlier versions of edited ones included.
        n_expected: Posts the rules ask for, each in its latest version.
        n_landed: Posts in the landing store.
        faults: What went wrong on the stream, how often.
        comparison: The lake against that of `detect` over an archive of the expected posts.
        report: The page.
    """

    listened: Mapping[str, Any]
    n_published: int
    n_expected: int
    n_landed: int
    faults: Mapping[str, int]
    comparison: Comparison
    report: Path


def demo_live(folder: Path, *, seconds: int = SECONDS, per_second: float = PER_SECOND, as_json: bool) -> int:
    """Listen for about a minute, write the lake, and compare; returns the exit code: 1 where anything was lost.

    Args:
        folder: Where lake and report go; an earlier demonstration's are left alone.
        seconds: How long people post.
        per_second: How many posts.
        as_json: Print one JSON document.
    """
    checkout.enter("demo-live")
    started = datetime.now(UTC)
    lake = folder.absolute() / f"lake-{started:%Y%m%d-%H%M%S}"
    output = folder.absolute() / f"report-{started:%Y%m%d-%H%M%S}.html"
    state = State(clock=Clock(started, runs=True), seed=SEED)
    state.stream.rates = FAULTS
    with (
        LocalX(state=state) as server,
        tempfile.TemporaryDirectory(prefix="ade-demo-live-") as name,
        environment({"ADE_X__BEARER_TOKEN": TOKEN}),
        chdir(name),  # away from a settings file of the user's
    ):
        options: dict[str, Any] = {
            "x.base_url": server.address,
            "x.state_folder": name,
            "landing.path": str(Path(name) / "landing.sqlite"),
            "window_minutes": 1,
            "listen.recovery": "stream",
            "listen.settle_seconds": 2,
            "listen.rewrite_seconds": 5,
        }
        if not as_json:
            terminal.show_line(
                f"For {seconds} seconds, {per_second:g} invented posts a second on X's stream, with disconnects, "
                "repeats, edits and half lines ..."
            )
        shown = _run(state, lake, output, options, Path(name), seconds, per_second, quiet=as_json)
    if as_json:
        terminal.show_json(
            {
                "listened": dict(shown.listened),
                "published": shown.n_published,
                "expected": shown.n_expected,
                "landed": shown.n_landed,
                "faults": dict(shown.faults),
                "assessments": shown.comparison.n_rows,
                "is_equal": shown.comparison.is_equal,
                "lake": str(lake),
                "report": str(shown.report),
                "what_it_is": WHAT_IT_IS,
            }
        )
    else:
        _show(shown, lake)
    return DONE if shown.comparison.is_equal and shown.n_landed == shown.n_expected else FAILED


def _run(
    state: State,
    lake: Path,
    output: Path,
    options: dict[str, Any],
    folder: Path,
    seconds: int,
    per_second: float,
    *,
    quiet: bool,
) -> Shown:
    posting = Thread(target=_post, args=(state, seconds, per_second, is_over := Event()), daemon=True)
    posting.start()
    flow_runs = importlib.import_module("ade.flow_runs")  # not before now: it imports Prefect, which takes seconds
    # A few seconds more than people post, so that what they wrote last is heard.
    listened, _ = flow_runs.run_to_end("listen", {"lake": str(lake), "minutes": (seconds + 6) / 60, "options": options})
    is_over.set()
    posting.join()
    # The last window was not over yet: the landing store is a source like any other.
    asked = Asked(source=LANDING, lake=str(lake), options=options)
    flow_run("detect", asked, quiet=quiet)
    archive, other = folder / "published.jsonl", folder / "other"
    n_expected = write_expected(state, archive)
    flow_run("detect", Asked(source=str(archive), lake=str(other), options=options), quiet=quiet)
    with closing(assembly.landing_store_for(load_settings(options))) as landing:
        n_landed = landing.count(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    faults: dict[str, int] = {}
    for fault in state.stream.done.values():
        faults[fault] = faults.get(fault, 0) + 1
    return Shown(
        listened,
        len(state.stream.published),
        n_expected,
        n_landed,
        faults,
        compare(LocalReader(lake), LocalReader(other)),
        write_report(LocalReader(lake), output),
    )


def _post(state: State, seconds: int, per_second: float, is_over: Event) -> None:
    """Let people post once somebody listens."""
    while not state.stream.n_connected:
        if is_over.wait(0.05):
            return
    with Feed(state, generate(int(seconds * per_second), SEED), per_second=per_second, edited=0.02, seed=SEED) as feed:
        feed.join()


def _show(shown: Shown, lake: Path) -> None:
    faults = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in sorted(shown.faults.items())) or "none"
    terminal.show_table(
        ("", "", ""),
        [
            ("published", f"{shown.n_published:,}", f"on the way: {faults}"),
            ("asked for by the rules", f"{shown.n_expected:,}", "each in its latest version"),
            ("landed", f"{shown.n_landed:,}", "before anything else, masked"),
            ("assessed at once", f"{shown.listened['assessed']:,}", "for what cannot wait"),
            ("serious events raised", f"{shown.listened.get('serious_events', 0):,}", "as Prefect events"),
            ("in the lake", f"{shown.comparison.n_rows:,}", "assessments; the others were screened out"),
        ],
    )
    terminal.show_line(f"\n{_verdict(shown.comparison)}\n")
    terminal.show_table(("the listener", ""), lines(shown.listened))
    terminal.show_line(f"\nlake    {lake}\nreport  {shown.report.resolve().as_uri()}\n\n{WHAT_IT_IS}")


def _verdict(comparison: Comparison) -> str:
    if comparison.is_equal:
        return (
            f"Equal to `ade detect` over an archive of what was published: {comparison.n_rows:,} assessments, row for "
            "row."
        )
    differing = ", ".join(f"{name} in {n:,} rows" for name, n in comparison.differing.items())
    return f"NOT equal to an archive of what was published: {comparison.n_rows_other:,} assessments there; {differing}"
