"""The local X server and a listener's settings, for tests."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from adverse_events.local_x.clock import Clock
from adverse_events.local_x.listener import LocalX
from adverse_events.local_x.state import TOKEN, State
from adverse_events.sample.clock import iso_milliseconds, snowflake
from adverse_events.source.x.client import XClient
from adverse_events.source.x.settings import XSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def running_state(seed: int = 0) -> State:
    """Return the state of a server whose clock is the real one, and whose heart beats fast."""
    state = State(clock=Clock(datetime.now(UTC), runs=True), seed=seed)
    state.stream.heartbeat_s = 0.1
    return state


@contextmanager
def x_client(state: State, **settings: Any) -> Iterator[XClient]:
    """Serve `state` and provide a client of it."""
    with (
        LocalX(state=state) as server,
        XClient(XSettings(base_url=server.address, **settings), SecretStr(TOKEN)) as client,
    ):
        yield client


def tweet(number: int, text: str, moment: datetime, **fields: Any) -> dict[str, Any]:
    """Return a Tweet object written at `moment`; `number` tells apart those of one millisecond."""
    tweet_id = str(snowflake(moment, number))
    return {
        "id": tweet_id,
        "text": text,
        "created_at": iso_milliseconds(moment),
        "edit_history_tweet_ids": [tweet_id],
        "author_id": "77",
        "lang": "en",
        **fields,
    }


def publish(state: State, *tweets: dict[str, Any]) -> list[str]:
    """Let posts go out now; returns their ids."""
    for each in tweets:
        state.add(each)
    state.stream.publish([int(each["id"]) for each in tweets], state.clock.seconds())
    return [each["id"] for each in tweets]


def listen_options(address: str, folder: Path) -> dict[str, Any]:
    """Return the settings of a listener that finds everything in `folder` and does not dawdle."""
    return {
        "x.base_url": address,
        "x.state_folder": str(folder / "state"),
        "landing.path": str(folder / "landing.sqlite"),
        "lake.path": str(folder / "lake"),
        "window_minutes": 1,
        "search.drugs": "sertraline,ibuprofen",
        "listen.recovery": "stream",
        "listen.settle_seconds": 0,
        "listen.rewrite_seconds": 0.5,
        "listen.pause_scale": 0.02,
        "listen.assess_seconds": 0.1,
    }
