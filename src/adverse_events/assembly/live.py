"""The parts that speak to X, built from the settings."""

from __future__ import annotations

import hashlib
import json
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

from adverse_events.errors import UsageError
from adverse_events.screening.lexicon_data import LexiconData, read_lexicon
from adverse_events.source.x.estimate import estimate
from adverse_events.source.x.queries import names_of, queries_of
from adverse_events.source.x.search import XSearch
from adverse_events.source.x.search_settings import PRODUCTS
from adverse_events.source.x.settings import checked_token
from adverse_events.source.x.state import XState
from adverse_events.windows import windows_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from adverse_events.privacy import IdentityKey
    from adverse_events.settings import Settings
    from adverse_events.source.x.client import XClient
    from adverse_events.source.x.estimate import Estimate
    from adverse_events.source.x.settings import XSettings
    from adverse_events.windows import Window


def search_for(
    settings: Settings,
    windows: Sequence[Window],
    key: IdentityKey,
    token: SecretStr,
    due: Iterable[Window] | None = None,
    *,
    run: str | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> XSearch:
    """Return the search for posts of `windows`.

    Args:
        settings: What to ask for, and of whom.
        windows: The range.
        key: Key of the pseudonyms.
        token: The App's bearer token.
        due: Those of the windows to read; all when None.
        run: Name of the run, for the cap on what one may read.
        sleep: How to wait.

    Raises:
        UsageError: A drug that is not in the lexicon.
        PermanentServiceError: The state file cannot be used.
    """
    return XSearch(
        client_for(settings.x, token, sleep=sleep),
        XState(settings.x.state_place, run),
        settings.x,
        settings.search,
        product=PRODUCTS[settings.source.path or ""],
        queries=queries_for(settings),
        windows=windows,
        due=due,
        privacy=settings.privacy,
        key=key,
        name=settings.source.channel,
        sleep=sleep,
    )


def client_for(settings: XSettings, token: SecretStr, *, sleep: Callable[[float], object] = time.sleep) -> XClient:
    """Return a client of X.

    Args:
        settings: Where, and how patiently.
        token: The App's bearer token.
        sleep: How to wait.
    """
    from adverse_events.source.x.client import XClient  # noqa: PLC0415 - who reads files need not wait for httpx

    return XClient(settings, token, sleep=sleep)


def estimate_for(settings: Settings, windows: Sequence[Window], client: XClient) -> Estimate:
    """Return what searching `windows` would come to.

    Args:
        settings: What would be asked for.
        windows: The range.
        client: Asks X.

    Raises:
        UsageError: A drug that is not in the lexicon.
        ServiceError: X refuses or does not answer.
    """
    return estimate(
        client,
        settings.x,
        settings.search,
        product=PRODUCTS[settings.source.path or ""],
        queries=queries_for(settings),
        windows=windows,
        reads_profiles=settings.privacy.mode == "case",
    )


def queries_for(settings: Settings) -> tuple[str, ...]:
    """Return the queries for the drugs of the settings.

    Raises:
        UsageError: A drug that is not in the lexicon, or a suffix that leaves no room.
    """
    search = settings.search
    longest = search.longest_query(PRODUCTS.get(settings.source.path or "", "recent"))
    return queries_of(_names(settings), search.suffix, longest)


def rules_for(settings: Settings) -> tuple[str, ...]:
    """Return the rules of the stream for the drugs of the settings; errors as for `queries_for`."""
    return queries_of(_names(settings), settings.search.suffix, settings.listen.rule_characters)


def asked_for(settings: Settings) -> str:
    """Return what is searched for, for a window's recipe: which names, and what else a post must meet."""
    names = hashlib.sha256(json.dumps(_names(settings)).encode()).hexdigest()
    return json.dumps({"names": names, "suffix": settings.search.suffix}, sort_keys=True)


def windows_of(settings: Settings, start: datetime | None, end: datetime | None) -> list[Window]:
    """Return the windows of a range to search.

    Raises:
        UsageError: No range, or one off the grid.
    """
    if start is None or end is None:
        msg = f"{settings.source.path} is searched over a range; give --start and --end (a flow: start and end)"
        raise UsageError(msg)
    return list(windows_between(start, end, settings.window_minutes))


def check_token(settings: XSettings) -> None:
    """Look whether there is a bearer token.

    Raises:
        UsageError: None is set.
    """
    if not (settings.bearer_token or settings.bearer_token_secret or settings.bearer_token_block):
        msg = (
            "no bearer token for X; set ADE_X__BEARER_TOKEN, or name a Secrets Manager secret (x.bearer_token_secret) "
            "or a Prefect Secret block (x.bearer_token_block)"
        )
        raise UsageError(msg)


def token_of(text: str) -> SecretStr:
    """Return the bearer token that a secret store holds as `text`.

    Raises:
        UsageError: It can be none; the message does not quote it.
    """
    try:
        return checked_token(SecretStr(text))
    except ValueError as error:
        msg = f"the stored bearer token of X {error}"
        raise UsageError(msg) from None


def _names(settings: Settings) -> list[str]:
    search = settings.search
    return names_of(search.drugs, _lexicon(), include_ambiguous=search.include_ambiguous)


@lru_cache(maxsize=1)
def _lexicon() -> LexiconData:
    return read_lexicon()
