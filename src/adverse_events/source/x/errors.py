"""X API v2's refusals as ours: may asking again help, and what should a person do.

Source:
    "Response codes and errors" and "Partial errors", X API v2 documentation, read 2026-11; problem bodies as quoted in
    public issue threads of its client libraries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from adverse_events.errors import PermanentServiceError, RequestRefusedError, TransientServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import httpx

SERVICE = "X API"

_BAD_REQUEST, _UNAUTHORIZED, _PAYMENT, _FORBIDDEN = 400, 401, 402, 403
_TOO_MANY, _SERVER = 429, 500
_REDIRECTS = range(300, 400)

_LONGEST_DETAIL = 300
_CAPPED = re.compile(r"usage-?capped|UsageCap", re.IGNORECASE)
_SPENT = re.compile(r"credits?-?depleted|problems/credits|spend(ing)?-?(cap|limit)", re.IGNORECASE)
"""X documents that requests are blocked without credits and above a spending limit, and not what it answers then."""

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

UNAUTHORIZED = (
    "X does not accept the bearer token; generate it again in the developer console (App, Keys and tokens) and set "
    "ADE_X__BEARER_TOKEN, x.bearer_token_secret or x.bearer_token_block"
)
NOT_ENROLLED = (
    "the App of this token may not use this endpoint (client-not-enrolled): in the developer console, attach the App "
    "to a Project whose plan includes it, then generate the token again"
)
NO_ACCESS = (
    "this account's plan does not include the endpoint; choose one that does in the developer console, or use recent "
    "search (x://recent) instead of the full archive"
)
CREDITS = (
    "the account has no credits left, or its spending limit is reached; buy credits or raise the limit in the "
    "developer console, then run again: what was read is kept"
)
CAPPED = (
    "the account's monthly cap on posts is reached; wait for the next billing period or raise the cap in the "
    "developer console, then run again: what was read is kept"
)

RECENT_REACH = "recent search reaches back 7 days: choose a later start, or the full archive (x://all)"


class RateLimitError(TransientServiceError):
    """Too many requests; the endpoint answers again when its period ends."""

    def __init__(self, operation: str, detail: str, wait_s: float | None) -> None:
        """Name the `operation`, what X said, and the seconds until its period ends; None where it did not say."""
        super().__init__(SERVICE, operation, detail)
        self.args = (operation, detail, wait_s)
        self.wait_s = wait_s


class AllowanceError(PermanentServiceError):
    """Nothing more may be read for now: the account's cap, its credits, or a spend cap of these settings."""

    def __init__(self, operation: str, detail: str) -> None:
        """Name the `operation` and the remedy."""
        super().__init__(SERVICE, operation, detail)
        self.args = (operation, detail)


class ExpiredPageError(RequestRefusedError):
    """A page token is no longer good; its query has to be begun again."""

    def __init__(self, operation: str) -> None:
        """Name the `operation`."""
        super().__init__(SERVICE, operation, "the page token has expired")
        self.args = (operation,)


def refusal(
    operation: str, status: int, body: Any, *, wait_s: float | None = None
) -> TransientServiceError | PermanentServiceError:
    """Return the error that an answer of `status` stands for.

    Args:
        operation: Method and path, without parameters.
        status: HTTP status, not 2xx.
        body: Its JSON; anything else where it has none.
        wait_s: Seconds until the rate limit's period ends, where the answer says so.
    """
    problems = list(_problems(body))
    said = _said(problems)
    if status >= _SERVER:
        return TransientServiceError(SERVICE, operation, f"HTTP {status}{said}")
    if status in {_PAYMENT, _TOO_MANY} or (status == _FORBIDDEN and _SPENT.search(_kinds(problems))):
        return _exhausted(operation, status, problems, wait_s)
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        return PermanentServiceError(SERVICE, operation, _forbidden(status, problems))
    if status in _REDIRECTS:
        return PermanentServiceError(SERVICE, operation, f"HTTP {status}: another address answers; correct x.base_url")
    if status == _BAD_REQUEST and _names_page_token(problems):
        return ExpiredPageError(operation)
    reach = f"; {RECENT_REACH}" if "'start_time' must be on or after" in said else ""
    return RequestRefusedError(SERVICE, operation, f"HTTP {status}{said}{reach}")


def _exhausted(
    operation: str, status: int, problems: list[Mapping[str, Any]], wait_s: float | None
) -> AllowanceError | RateLimitError:
    kinds = _kinds(problems)
    if _CAPPED.search(kinds):
        return AllowanceError(operation, CAPPED)
    if status == _PAYMENT or _SPENT.search(kinds):
        return AllowanceError(operation, CREDITS)
    return RateLimitError(operation, f"too many requests{_said(problems)}", wait_s)


def _forbidden(status: int, problems: list[Mapping[str, Any]]) -> str:
    kinds = _kinds(problems)
    if status == _UNAUTHORIZED:
        return UNAUTHORIZED
    if "client-not-enrolled" in kinds:
        return f"{NOT_ENROLLED}{_required(problems)}"
    if "client-forbidden" in kinds or any(problem.get("code") == _SUBSET for problem in problems):
        return f"{NO_ACCESS}{_required(problems)}"
    return f"forbidden{_said(problems)}; check the App's plan and permissions"


def _kinds(problems: list[Mapping[str, Any]]) -> str:
    return " ".join(str(problem.get(key, "")) for problem in problems for key in ("type", "title", "reason"))


_SUBSET = 453
"""Error code of "You currently have access to a subset of X API V2 endpoints"."""


def _problems(body: Any) -> Iterable[Mapping[str, Any]]:
    """Yield the problem a body describes, and the ones it lists."""
    if isinstance(body, dict):
        yield body
        errors = body.get("errors")
        if isinstance(errors, list):
            yield from (each for each in errors if isinstance(each, dict))


def _said(problems: list[Mapping[str, Any]]) -> str:
    """Return what X says of a refusal, fit for a message: it speaks of parameters, never of posts."""
    texts: dict[str, None] = {}
    for problem in problems:
        for key in ("title", "detail", "message"):
            if isinstance(text := problem.get(key), str) and text:
                texts[_UNPRINTABLE.sub(" ", text).strip()] = None
    joined = "; ".join(texts)
    return f": {joined[:_LONGEST_DETAIL]}" if joined else ""


def _required(problems: list[Mapping[str, Any]]) -> str:
    required = next((str(p["required_enrollment"]) for p in problems if p.get("required_enrollment")), "")
    return f" (X asks for: {_UNPRINTABLE.sub(' ', required)[:80]})" if required else ""


def _names_page_token(problems: list[Mapping[str, Any]]) -> bool:
    return any(
        "next_token" in str(problem.get("message", "")) or "next_token" in (problem.get("parameters") or {})
        for problem in problems
    )


def dropped(operation: str, error: httpx.HTTPError) -> TransientServiceError:
    """Return the error of a request without a whole answer."""
    return TransientServiceError(SERVICE, operation, f"no whole answer ({type(error).__name__})")
