"""A listener put together from the settings and the parts that `assembly` chose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from adverse_events.landing.masking import Masker
from adverse_events.landing.protocol import milliseconds
from adverse_events.listening.account import Account
from adverse_events.listening.assessor import Assessor
from adverse_events.listening.closing import Closing
from adverse_events.listening.deliveries import Deliveries
from adverse_events.listening.lander import Lander
from adverse_events.listening.listener import Listener, Parts, last_heard
from adverse_events.listening.reader import Reader
from adverse_events.listening.recovery import Recovery
from adverse_events.listening.rules import synchronise
from adverse_events.listening.waiting import Waiting
from adverse_events.source.x.client import XClient
from adverse_events.source.x.fields import fields_for
from adverse_events.source.x.state import XState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import SecretStr

    from adverse_events.landing.protocol import LandedPost, LandedReject, LandingStore
    from adverse_events.listening.serious import SeriousEvent
    from adverse_events.listening.stations import Stations
    from adverse_events.privacy import IdentityKey
    from adverse_events.settings import Settings


def build(
    settings: Settings,
    *,
    key: IdentityKey,
    token: SecretStr,
    store: LandingStore,
    stations: Stations,
    rules: Sequence[str],
    queries: Sequence[str],
    on_serious: Callable[[SeriousEvent], None],
) -> Listener:
    """Return a listener; nothing is asked of X yet.

    Args:
        settings: All of them.
        key: Key of the pseudonyms.
        token: The App's bearer token.
        store: Where posts land; closed by the listener.
        stations: Assess what has landed.
        rules: What the stream is asked for.
        queries: The same in search's words, for gaps.
        on_serious: Told of each serious event, in a thread of the listener's.

    Raises:
        ServiceError: The store or the state file cannot be used.
    """
    listen, stop, account = settings.listen, Event(), Account()
    waiting: Waiting[LandedPost | LandedReject] = Waiting(listen.waiting_posts)
    client = XClient(settings.x, token, sleep=stop.wait)
    deliveries = Deliveries(
        Masker(key, keeps_ids=settings.privacy.mode == "case"),
        max_characters=settings.source.max_characters,
        retention_days=settings.landing.retention_days,
    )
    heard = last_heard(store)
    if heard is None:
        # From now on a run that is killed at once, too, leaves its successor a gap to fetch.
        store.set_mark("heard", milliseconds(datetime.now(UTC)))
    recovery = None
    if listen.recovery == "search":
        recovery = Recovery(
            client,
            queries,
            deliveries,
            waiting,
            account,
            settings=settings.x,
            state=XState(settings.x.state_place),
            privacy=settings.privacy,
            stop=stop,
        )
    assessor = Assessor(store, stations, listen, settings.window_minutes, account, on_serious=on_serious, stop=stop)
    parts = Parts(
        client=client,
        store=store,
        waiting=waiting,
        reader=Reader(
            client,
            listen,
            deliveries,
            waiting,
            account,
            synchronise=partial(_synchronise, client, rules, listen.rule_tag, account),
            recover=recovery.add if recovery else None,
            stop=stop,
            last_heard=heard,
            fields=fields_for(settings.privacy),
        ),
        recovery=recovery,
        lander=Lander(store, waiting, assessor.landed, account, patience_seconds=listen.patience_seconds, stop=stop),
        assessor=assessor,
        closing=Closing(
            store,
            window_minutes=settings.window_minutes,
            retention_days=settings.landing.retention_days,
            settle_seconds=listen.settle_seconds,
            rewrite_seconds=listen.rewrite_seconds,
        ),
    )
    # A day later than the last window that is still written, so that such a window is whole.
    kept = timedelta(days=settings.landing.retention_days + 1)
    return Listener(parts, account, stop, expire=lambda: store.expire(datetime.now(UTC) - kept))


def _synchronise(client: XClient, rules: Sequence[str], tag: str, account: Account) -> None:
    done = synchronise(client, rules, tag)
    account.add("rules_added", done.n_added)
    account.add("rules_deleted", done.n_deleted)
