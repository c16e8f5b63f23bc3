"""A run in a page of Markdown: for the orchestrator's artifact and for a terminal. It holds no post text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adverse_events.reporting.positive import UNCODED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adverse_events.accounting import RunAccount
    from adverse_events.reporting.account import Account
    from adverse_events.reporting.facts import ReportFacts

TOP = 10
"""Drugs and codes listed."""

CAUTION = (
    "_Not validated. Decision support for trained safety staff; not a medical device. "
    "Counts from social media are hypothesis-generating._"
)


def summary_markdown(facts: ReportFacts, run: RunAccount | None = None) -> str:
    """Return what a run came to, as Markdown.

    Args:
        facts: Facts of the range the run covered.
        run: The run's own account, stated instead of the range's: it knows the posts outside the range and the
            input whose time could not be read.
    """
    account = facts.account
    parts = [
        _headline(account),
        f"**{run.n_windows_not_read:,} windows were not read:** {run.why_not_read}" if run and run.why_not_read else "",
        _section("Account", ["", "Rows", "Share"], _run_rows(run) if run else _account_rows(account)),
        _section("Priority of positive posts", ["", "Posts"], _priority_rows(facts)),
        _section("Drugs in positive posts", ["Ingredient", "Posts"], facts.top_ingredients(TOP)),
        _section(
            "Conditions reported as adverse events",
            ["ICD-10-CM", "Description", "Posts"],
            [_code_row(code, n, facts.descriptions) for code, n in facts.top_codes(TOP)],
        ),
        _section("Rejected", ["Reason", "Rows"], (run or account).rejected.items()),
        _section("Not coded", ["Reason", "Positive posts"], (run or account).uncoded.items()),
        _section("Billed", ["Service", "Units"], (run or account).billable_units.items()),
        _section("In force", ["", ""], [(e.name, ", then ".join(e.values) or "none") for e in account.in_force]),
        _warnings(facts),
        CAUTION,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _priority_rows(facts: ReportFacts) -> list[tuple[str, int]]:
    return [(priority.replace("_", " "), n_posts) for priority, n_posts in facts.posts_by_priority().items()]


def _headline(account: Account) -> str:
    span = account.span
    if span is None:
        return "**No window has been processed.**"
    windows = "1 window" if account.n_windows == 1 else f"{account.n_windows:,} windows"
    gaps = f", {len(account.gaps):,} gaps without a window" if account.gaps else ""
    return f"**{span.start:%Y-%m-%dT%H:%MZ} to {span.end:%Y-%m-%dT%H:%MZ}**, {windows}{gaps}"


def _account_rows(account: Account) -> list[tuple[str, int, str]]:
    return _with_shares([("Rows in", account.rows_in), *_station_rows(account)])


def _run_rows(run: RunAccount) -> list[tuple[str, int, str]]:
    left_alone = [("- outside the range", run.rows_out_of_range), ("- in windows up to date", run.rows_not_due)]
    return _with_shares([("Rows read", run.rows_read), *(line for line in left_alone if line[1]), *_station_rows(run)])


def _station_rows(account: Account | RunAccount) -> list[tuple[str, int]]:
    return [
        ("= assessed", account.rows_assessed),
        ("of them positive", account.rows_positive),
        ("+ screened out", account.rows_screened_out),
        *((reason.replace("_", " "), n) for reason, n in account.screened_out.items()),
        ("+ rejected", account.rows_rejected),
    ]


def _with_shares(lines: list[tuple[str, int]]) -> list[tuple[str, int, str]]:
    total = lines[0][1]
    return [(name, n, f"{100 * n / total:.1f} %" if total else "") for name, n in lines]


def _code_row(code: str, n_posts: int, descriptions: Mapping[str, str]) -> tuple[str, str, int]:
    if code == UNCODED:
        return ("none", "condition without a code", n_posts)
    return (code, descriptions.get(code, ""), n_posts)


def _warnings(facts: ReportFacts) -> str:
    lines = [
        f"- **Several values of {entry.name.lower()} in force**: counts before and after a change are not comparable."
        for entry in facts.account.mixed
    ]
    if facts.n_positives != facts.account.rows_positive:
        lines.append(
            f"- **The lake stores {facts.n_positives:,} positive posts, its receipts account for "
            f"{facts.account.rows_positive:,}**: run the range again."
        )
    return "\n".join(lines)


def _section(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table, or nothing when it has no rows; numbers are aligned right."""
    listed = [list(row) for row in rows]
    if not listed:
        return ""
    rule = ["---:" if isinstance(cell, int) else "---" for cell in listed[0]]
    lines = [" | ".join(_cell(cell) for cell in row) for row in (header, rule, *listed)]
    return f"### {title}\n\n" + "\n".join(f"| {line} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return " ".join(str(value).split()).replace("|", "\\|")
