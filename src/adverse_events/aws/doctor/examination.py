"""What a run will need, asked before a run does: each thing found, or missing with the permission and the remedy.

The checks follow the settings in force. Those that need AWS are in modules that are loaded only then; the embedded
ones work without its libraries. Every check runs, whatever the others find, unless it needs one that failed. What a
check writes it takes away again, except on buckets with versioning, which keep the old version until it expires.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from adverse_events.aws.doctor.embedded import embedded_checks
from adverse_events.aws.doctor.protocol import Check, Doubt
from adverse_events.errors import AdverseEventsError, ServiceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from adverse_events.aws.doctor.protocol import Permission
    from adverse_events.settings import Settings

Status = Literal["ok", "doubtful", "missing", "not asked"]

_DENIED = re.compile(r"AccessDenied|403 |UnauthorizedOperation|KMSAccessDenied|NotAuthorized")


class Part(NamedTuple):
    """A part of the settings that stands on AWS, and why."""

    setting: str
    value: str


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        name: What was checked.
        status: ok; doubtful, which stops nothing; missing; or not asked, because what it needs is missing.
        asked: What was asked.
        found: What came back: a description, or why not.
        remedy: What to do; empty where all is well.
        permissions: What asking takes, exactly.
        untried: What a run takes besides and nobody can try without changing something.
    """

    name: str
    status: Status
    asked: str
    found: str
    remedy: str = ""
    permissions: tuple[Permission, ...] = ()
    untried: tuple[Permission, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain JSON values."""
        return {
            "name": self.name,
            "status": self.status,
            "asked": self.asked,
            "found": self.found,
            "remedy": self.remedy,
            "permissions": [permission._asdict() for permission in self.permissions],
            "untried": [permission._asdict() for permission in self.untried],
        }


def checks_for(settings: Settings) -> list[Check]:
    """Return the checks of everything that runs with `settings` use, in the order to make them.

    Raises:
        UsageError: A credentials block that cannot be read, or a profile that does not exist.
    """
    checks = embedded_checks(settings)
    parts = parts_on_aws(settings)
    if not parts:
        return checks
    try:
        from adverse_events.aws.doctor.cloud import cloud_checks  # noqa: PLC0415 - needs an extra, and only here
    except ImportError as error:
        return [*checks, _missing_extra(error, parts)]
    return [*checks, *cloud_checks(settings)]


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Make the checks one after the other and yield what each found."""
    well: set[str] = set()
    for check in checks:
        finding = _finding(check, well)
        if finding.status in {"ok", "doubtful"}:
            well.add(check.name)
        yield finding


def parts_on_aws(settings: Settings) -> list[Part]:
    """Return which settings need AWS; none for the embedded default."""
    named = {
        "lake.path": settings.lake.path if settings.lake.is_s3 else "",
        "endpoint.name": settings.endpoint.name or "",
        "coding.service": settings.coding.service if settings.coding.service == "comprehend" else "",
        "privacy.identity_key_secret": "" if settings.privacy.identity_key else settings.privacy.identity_key_secret,
        "x.bearer_token_secret": "" if settings.x.bearer_token else settings.x.bearer_token_secret or "",
        "source.path": settings.source.path if str(settings.source.path).startswith("s3://") else "",
    }
    return [Part(setting, value) for setting, value in named.items() if value]


def _finding(check: Check, well: set[str]) -> Finding:
    def finding(status: Status, found: str, remedy: str = "") -> Finding:
        return Finding(check.name, status, check.asked, found, remedy, check.permissions, check.untried)

    if lacking := [name for name in check.needs if name not in well]:
        return finding("not asked", f"needs {' and '.join(lacking)}")
    try:
        found = check.examine()
    except (AdverseEventsError, OSError) as error:
        return finding("missing", str(error), _remedy(check, error))
    return finding("doubtful", found.found, check.remedy) if isinstance(found, Doubt) else finding("ok", found)


def _remedy(check: Check, error: Exception) -> str:
    if isinstance(error, ServiceError) and _DENIED.match(error.detail) and check.permissions:
        return f"allow {'; '.join(map(str, check.permissions))}"
    return check.remedy


def _missing_extra(error: ImportError, parts: list[Part]) -> Check:
    """Return a check that fails: the libraries for AWS are not there."""

    def examine() -> str:
        msg = f"{error.name} is not installed"
        raise UsageError(msg) from error

    using = ", ".join(f"{setting} = {value}" for setting, value in parts)
    remedy = "pip install -c constraints.txt -e '.[aws]', in the checkout"
    return Check("AWS libraries", f"import of what {using} needs", examine, remedy=remedy)
