"""`ade doctor`: ask now for everything that a run will need, and say what is missing."""

from __future__ import annotations

import importlib
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import httpx

from ade import checkout, terminal
from ade.exits import DONE, FAILED
from ade.options import assigned
from adverse_events.aws.doctor.embedded import embedded_checks
from adverse_events.aws.doctor.examination import checks_for, examine
from adverse_events.aws.doctor.protocol import Check
from adverse_events.errors import AdverseEventsError, TransientServiceError
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from adverse_events.aws.doctor.examination import Finding
    from adverse_events.settings import Settings

PATIENCE = 5.0
"""Seconds a configured Prefect server has to say that it is there."""

SERVER, BLOCKS = "Prefect server", "Prefect blocks"


def doctor(assignments: Sequence[str] | None = None, *, as_json: bool = False) -> int:
    """Print what every check found; returns 0 where nothing is missing, else 1. A doubt alone is no failure.

    Args:
        assignments: Settings as ``NAME=VALUE``.
        as_json: Print one JSON document.

    Raises:
        UsageError: An unknown setting or a value that does not fit.
    """
    findings: list[Finding] = []
    for finding in diagnose(load_settings(assigned(assignments))):
        findings.append(finding)
        if not as_json:
            _show(finding)
    named = {status: [found.name for found in findings if found.status == status] for status in _MARKS}
    is_fine = len(named["ok"]) + len(named["doubtful"]) == len(findings)
    if as_json:
        terminal.show_json({"ok": is_fine, "findings": [finding.to_json() for finding in findings]})
    elif len(named["ok"]) == len(findings):
        terminal.show_line(f"all {len(findings)} fine")
    else:
        worse = ("missing", "not asked", "doubtful")
        others = (f"; {status}: {', '.join(named[status])}" for status in worse if named[status])
        terminal.show_line(f"{len(named['ok'])} of {len(findings)} fine{''.join(others)}")
    return DONE if is_fine else FAILED


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Make all checks that `settings` call for, the Prefect ones first, and yield what each found."""
    if api := _api():
        yield from examine([_server_check(api)])
    if not (settings.lake.needs_block or settings.aws.credentials_block or settings.x.needs_block):
        yield from examine(_checks(settings))
        return
    try:
        resolved, sessions = _with_blocks(settings)
        with sessions:
            checks = checks_for(resolved)
            yield from examine([_blocks_check(resolved, None)])
            yield from examine(checks)
    except AdverseEventsError as error:
        yield from examine([_blocks_check(settings, error)])


def _checks(settings: Settings) -> list[Check]:
    try:
        return checks_for(settings)
    except AdverseEventsError as error:  # such as a profile that does not exist
        opening = _failed("credentials", "open a session", error, "correct aws.profile")
        return [*embedded_checks(settings), opening]


def _with_blocks(settings: Settings) -> tuple[Settings, AbstractContextManager[None]]:
    """Return the settings with their blocks read, and what lets sessions be made from them."""
    checkout.enter("doctor")
    # Not before now: it imports Prefect, which takes seconds.
    blocks = importlib.import_module("tasks.blocks")
    resolved: Settings = blocks.resolve(settings)
    return resolved, blocks.aws_sessions() if resolved.aws.credentials_block else nullcontext()


def _blocks_check(settings: Settings, error: AdverseEventsError | None) -> Check:
    credentials, bucket = settings.aws.credentials_block, settings.lake.bucket_block
    named = {"AwsCredentials": credentials, "S3Bucket": bucket, "Secret": settings.x.bearer_token_block}
    asked = (
        "load " + " and ".join(f"{kind} {name}" for kind, name in named.items() if name) if any(named.values()) else ""
    )
    if error:
        return _failed(BLOCKS, asked, error, "create the block in the Prefect UI, or correct the setting")
    return Check(BLOCKS, asked or "load the blocks that are named", lambda: f"the lake is {settings.lake.path}")


def _failed(name: str, asked: str, error: AdverseEventsError, remedy: str) -> Check:
    def examine_again() -> str:
        raise error

    return Check(name, asked, examine_again, remedy)


def _api() -> str:
    """Return the address of the Prefect server in force; empty where none is, or Prefect is not to be asked."""
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415 - takes seconds, and only here

    return PREFECT_API_URL.value() or ""


def _server_check(api: str) -> Check:
    def healthy() -> str:
        try:
            httpx.get(f"{api}/health", timeout=PATIENCE).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise TransientServiceError(SERVER, api, f"no answer ({type(error).__name__})") from error
        return "healthy"

    return Check(SERVER, f"GET {api}/health", healthy, "start it (make up), or correct PREFECT_API_URL")


_MARKS: dict[str, Any] = {"ok": "ok     ", "doubtful": "?      ", "missing": "MISSING", "not asked": "-      "}


def _show(finding: Finding) -> None:
    show = terminal.show_line
    show(terminal.printable(f"{_MARKS[finding.status]} {finding.name}: {finding.found}"))
    if finding.status == "missing":
        show(terminal.printable(f"          asked: {finding.asked}"))
    if finding.remedy:
        show(terminal.printable(f"          remedy: {finding.remedy}"))
    if finding.status == "missing":
        for permission in finding.permissions:
            show(f"          needs: {permission}")
    for permission in finding.untried:
        show(f"          not tried: {permission}")
