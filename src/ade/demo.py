"""`ade demo`: the bundled sample week from end to end, and how well the result agrees with its gold labels."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ade import terminal
from ade.run import Asked, checked, flow_run, show_account, show_record
from adverse_events import assembly
from adverse_events.reporting.page import write_report
from adverse_events.sample.week import gold_labels, sample_week

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adverse_events.lake.reader import LakeReader
    from adverse_events.settings import Settings

NEXT = (
    '{ade} query "SELECT icd10cm_description, count(*) FROM detected_events GROUP BY 1 ORDER BY 2 DESC" --lake {lake}',
    '{ade} code "two weeks on sertraline and I cannot sleep, my hands shake"',
    "{ade} detect --source YOUR-POSTS.csv --assume-time 2026-03-01T00:00Z --lake lake",
)


@dataclass(frozen=True)
class Gold:
    """What is true about one post.

    Attributes:
        codes: ICD-10-CM codes of its adverse events; empty unless `is_ade`.
    """

    is_ade: bool
    codes: frozenset[str]
    is_other_language: bool = False


@dataclass(frozen=True)
class Found:
    """What the lake says about one assessed post; `codes` are those of events that count."""

    is_ade: bool
    codes: frozenset[str]
    duplicates: tuple[str, ...]
    has_event: bool = False


@dataclass(frozen=True)
class Agreement:
    """How a lake agrees with gold labels.

    Attributes:
        precision: Of the assessed posts flagged, the share that are ADEs, 0-1; so for the other ratios.
        recall: Of the assessed ADEs, the share flagged.
        f1: Harmonic mean of the two.
        event_precision: As precision, for posts in which an event counts: flagged, and not denied, supposed,
            somebody else's or the reason for taking the drug. So for the other two.
        n_ade: ADE posts in the gold labels.
        n_ade_duplicates: Of those, posts represented by an equal post that was assessed.
        n_ade_other_language: Of those, posts not assessed because the model reads English only.
        n_ade_screened_out: Of those, posts that screening lost otherwise.
        code_recall: Of the gold codes of flagged ADEs, the share found.
        code_precision: Of the codes given to flagged ADEs, the share in the gold labels.
    """

    precision: float
    recall: float
    f1: float
    event_precision: float
    event_recall: float
    event_f1: float
    n_ade: int
    n_ade_duplicates: int
    n_ade_other_language: int
    n_ade_screened_out: int
    code_recall: float
    code_precision: float


def demo(lake: Path, output: Path, *, as_json: bool) -> int:
    """Run the sample week, report on it and compare it with its gold labels; returns the exit code."""
    asked = Asked(source=str(sample_week()), lake=str(lake))
    settings = checked(asked)
    done = flow_run("detect", asked, quiet=as_json)
    reader = assembly.reader_for(settings)
    report = write_report(reader, output)
    agreement = agree(read_gold(gold_labels()), read_lake(reader), lake_id(settings))
    if as_json:
        places = {"lake": str(lake), "report": str(report), "flow_run_url": done.url}
        terminal.show_json({"account": done.account.to_json(), "agreement": asdict(agreement), **places})
        return 0
    terminal.show_line("A week of synthetic posts, screened, scored, coded and stored:\n")
    show_account(done.account)
    terminal.show_line("\nAgainst the gold labels of the sample week (synthetic posts say little about real ones):\n")
    terminal.show_table(("", "", ""), _agreement_rows(agreement))
    terminal.show_line(f"\nlake    {lake}\nreport  {report.resolve().as_uri()}\n\nNext, type:")
    for command in NEXT:
        terminal.show_line(f"  {command.format(ade=terminal.program(), lake=lake)}")
    show_record(done)
    return 0


def read_gold(path: Path) -> dict[str, Gold]:
    """Read gold labels, by the post's own id."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["tweet_id"]: Gold(
                row["is_ade"] == "1",
                frozenset(event.rpartition("=")[2] for event in row["events"].split(";") if event),
                row["kind"] == "other_language",
            )
            for row in csv.DictReader(file)
        }


def read_lake(lake: LakeReader) -> dict[str, Found]:
    """Read the assessed posts of `lake`, by the id kept there."""
    with lake.connect() as connection:
        rows = connection.sql(
            "SELECT tweet_id, is_ade, duplicate_tweet_ids, "
            "list_transform(list_filter(events, lambda e: e.is_event), lambda e: e.icd10cm_code) AS codes, "
            "len(list_filter(events, lambda e: e.is_event)) > 0 AS has_event FROM assessments"
        ).to_arrow_table()
    return {
        row["tweet_id"]: Found(
            row["is_ade"],
            frozenset(code for code in row["codes"] if code),
            tuple(row["duplicate_tweet_ids"]),
            row["has_event"],
        )
        for row in rows.to_pylist()
    }


def lake_id(settings: Settings) -> Callable[[str], str]:
    """Return what turns a post's own id into the one kept in a lake made with `settings`."""
    if settings.privacy.mode == "case":
        return str
    key = assembly.identity_key_for(settings)
    return lambda tweet_id: key.pseudonym(tweet_id, "tweet")


def agree(gold: dict[str, Gold], found: dict[str, Found], to_lake_id: Callable[[str], str]) -> Agreement:
    """Compare `gold` (by the post's own id) with what was `found` (by the lake's)."""
    truth = {to_lake_id(tweet_id): label for tweet_id, label in gold.items()}
    assessed = {tweet_id: (truth[tweet_id], post) for tweet_id, post in found.items() if tweet_id in truth}
    events = [label.is_ade for label, post in assessed.values() if post.has_event]
    hits = [(label, post) for label, post in assessed.values() if label.is_ade and post.is_ade]
    n_flagged = sum(post.is_ade for _, post in assessed.values())
    n_ade_assessed = sum(label.is_ade for label, _ in assessed.values())
    duplicates = {copy for post in found.values() for copy in post.duplicates}
    not_assessed = {tweet_id for tweet_id, label in truth.items() if label.is_ade and tweet_id not in assessed}
    foreign = {tweet_id for tweet_id in not_assessed - duplicates if truth[tweet_id].is_other_language}
    n_codes_right = sum(len(label.codes & post.codes) for label, post in hits)
    precision, recall = _ratio(len(hits), n_flagged), _ratio(len(hits), n_ade_assessed)
    return Agreement(
        precision=precision,
        recall=recall,
        f1=_ratio(2 * len(hits), n_flagged + n_ade_assessed),
        event_precision=_ratio(sum(events), len(events)),
        event_recall=_ratio(sum(events), n_ade_assessed),
        event_f1=_ratio(2 * sum(events), len(events) + n_ade_assessed),
        n_ade=sum(label.is_ade for label in truth.values()),
        n_ade_duplicates=len(not_assessed & duplicates),
        n_ade_other_language=len(foreign),
        n_ade_screened_out=len(not_assessed - duplicates - foreign),
        code_recall=_ratio(n_codes_right, sum(len(label.codes) for label, _ in hits)),
        code_precision=_ratio(n_codes_right, sum(len(post.codes) for _, post in hits)),
    )


def _agreement_rows(a: Agreement) -> list[tuple[str, str, str]]:
    fates = (
        f"{a.n_ade_screened_out:,} lost in screening",
        f"{a.n_ade_other_language:,} not in English",
        f"{a.n_ade_duplicates:,} kept as the copy of another",
    )
    return [
        ("flagged is_ade", f"F1 {a.f1:.3f}", f"precision {a.precision:.3f}, recall {a.recall:.3f}, of assessed posts"),
        (
            "with an event",
            f"F1 {a.event_f1:.3f}",
            f"precision {a.event_precision:.3f}, recall {a.event_recall:.3f}, as in view detected_events",
        ),
        ("ADE posts", f"{a.n_ade:,}", ", ".join(fates)),
        (
            "ICD-10-CM codes of hits",
            f"{a.code_recall:.0%} found",
            f"{a.code_precision:.0%} of the codes given are in the gold labels",
        ),
    ]


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
