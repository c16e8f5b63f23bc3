"""The stream's rules: made of the drugs looked for, and kept in step by difference. Rules of others are left alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from adverse_events.errors import RequestRefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adverse_events.source.x.client import XClient

PATH = "/2/tweets/search/stream/rules"
RULES_PER_REQUEST = 25
"""Kept small, so that one refused rule does not hold up many."""


class Synchronised(NamedTuple):
    """What it took to bring the rules into step.

    Attributes:
        n_kept: Rules of ours that were right already.
        n_added: Rules added.
        n_deleted: Rules of ours that are no longer wanted.
        n_others: Rules of others, left as they are.
    """

    n_kept: int
    n_added: int
    n_deleted: int
    n_others: int


def tag_of(prefix: str, value: str) -> str:
    """Return the tag of a rule: whose it is, and a short name for what it asks for."""
    return f"{prefix}:{hashlib.sha256(value.encode()).hexdigest()[:12]}"


def synchronise(client: XClient, wanted: Sequence[str], prefix: str) -> Synchronised:
    """Make the stream's rules be `wanted`, and those of others.

    New rules are added before old ones go, so that nothing is missed in between; where there is no room for that, the
    old ones go first.

    Args:
        client: Asks X.
        wanted: Values of the rules.
        prefix: Begins the tags of our rules; a rule with another tag is never deleted.

    Raises:
        UsageError: X refuses a rule, or there is no room beside the rules of others.
        ServiceError: X cannot be asked.
    """
    there = _listed(client)
    ours = {rule["value"]: rule["id"] for rule in there if str(rule.get("tag", "")).startswith(f"{prefix}:")}
    others = {rule["value"] for rule in there} - set(ours)
    missing = [value for value in dict.fromkeys(wanted) if value not in ours and value not in others]
    stale = [rule_id for value, rule_id in ours.items() if value not in set(wanted)]
    try:
        n_added = _add(client, missing, prefix)
    except _FullError:
        if not stale:
            msg = (
                f"the stream has no room for {len(missing)} more rules beside the {len(others)} of others; delete some "
                "of those, or raise listen.rule_characters if the plan allows longer rules"
            )
            raise UsageError(msg) from None
        _delete(client, stale)
        stale = []
        n_added = _add(client, missing, prefix)
    _delete(client, stale)
    return Synchronised(len(set(wanted) & set(ours)), n_added, len(ours) - len(set(wanted) & set(ours)), len(others))


class _FullError(Exception):
    """The account may have no more rules."""


def _listed(client: XClient) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        page = client.get(PATH, {"pagination_token": token})
        rules += [rule for rule in page.get("data") or () if isinstance(rule, dict) and {"id", "value"} <= rule.keys()]
        token = (page.get("meta") or {}).get("next_token")
        if not token:
            return rules


def _add(client: XClient, values: Sequence[str], prefix: str) -> int:
    n_added = 0
    for some in _pieces(values):
        body = {"add": [{"value": value, "tag": tag_of(prefix, value)} for value in some]}
        try:
            answer = client.post(PATH, body)
        except RequestRefusedError as error:
            if len(some) > 1:  # one of them; the others may pass
                n_added += sum(_add(client, [value], prefix) for value in some)
                continue
            answer = {"errors": [{"title": error.detail}]}
        n_added += len(answer.get("data") or ())
        for problem in answer.get("errors") or ():
            _check(problem)
    return n_added


def _check(problem: Any) -> None:
    """Raise unless X only says that a rule is there already, perhaps since a request whose answer got lost."""
    title = str(problem.get("title", "")) if isinstance(problem, dict) else ""
    if "duplicate" in title.lower():
        return
    if "cap" in title.lower():
        raise _FullError
    details = problem.get("details") if isinstance(problem, dict) else None
    said = "; ".join(map(str, details)) if isinstance(details, list) else title
    msg = f"X refuses one of the stream's rules: {said[:300]}; lower listen.rule_characters or correct the drug list"
    raise UsageError(msg)


def _delete(client: XClient, rule_ids: Sequence[str]) -> None:
    for some in _pieces(rule_ids):
        # One that is gone already is what was wanted: what X says of it is no trouble.
        client.post(PATH, {"delete": {"ids": list(some)}})


def _pieces(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + RULES_PER_REQUEST] for at in range(0, len(values), RULES_PER_REQUEST))
