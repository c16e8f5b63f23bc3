"""The listener against X's protocol on this machine: how fast posts land and are assessed, and whether kills lose any.

The server runs in this process and the listener, ``ade listen``, in one of its own, as in real use; both share the
machine's processors.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from adverse_events.local_x.faults import Fault
from adverse_events.local_x.feed import Feed
from adverse_events.local_x.publication import StreamFault
from adverse_events.sample.generate import generate
from benchmarks.rehearsal import Rehearsal

if TYPE_CHECKING:
    from adverse_events.local_x.state import State
    from adverse_events.sample.post import GeneratedPost

SEED = 7
FAST_PER_SECOND, FAST_SECONDS = 800, 60
CALM_PER_SECOND, CALM_SECONDS = 50, 90
FAULT_POSTS, FAULT_PER_SECOND, KILLS = 50_000, 200, 20

LEAST_LANDED_PER_S, MOST_LANDED_P99_MS, MOST_ASSESSED_P95_MS = 500, 1000, 5000

STREAM_FAULTS = {
    StreamFault.TWICE: 0.005,
    StreamFault.LATER: 0.005,
    StreamFault.HALF_LINE: 0.001,
    StreamFault.CUT: 0.0006,
    StreamFault.DISCONNECT: 0.0006,
}
CONNECT_FAULTS = {Fault.RATE_LIMIT: 0.1, Fault.SERVER_ERROR: 0.15, Fault.CUT: 0.1}


def live(n_posts: int = FAULT_POSTS) -> dict[str, Any]:
    """Measure landing at full speed, delays at an ordinary one, and a run with kills.

    Args:
        n_posts: Posts of the run with kills; the others last a fixed time.

    Returns:
        What `docs/live.md` describes, as JSON values.

    Raises:
        BenchmarkError: A listener did not start or did not end.
    """
    return {
        "seed": SEED,
        "landing": landing_rate(FAST_PER_SECOND, FAST_SECONDS),
        "delays": delays(CALM_PER_SECOND, CALM_SECONDS),
        "faults": fault_run(n_posts, per_second=FAULT_PER_SECOND, kills=KILLS),
        "bar": {
            "landed_per_s": LEAST_LANDED_PER_S,
            "landed_p99_ms": MOST_LANDED_P99_MS,
            "assessed_p95_ms": MOST_ASSESSED_P95_MS,
            "lost": 0,
            "duplicated": 0,
        },
    }


def landing_rate(per_second: int, seconds: int) -> dict[str, Any]:
    """Send faster than the bar for a while and see how fast posts land meanwhile; assessing goes on beside it."""
    with Rehearsal({"window_minutes": 60}) as rehearsal:
        listener = rehearsal.start()
        with Feed(rehearsal.state, posts_asked_for(per_second * seconds), per_second=per_second):
            time.sleep(seconds)
            # Seen from outside, while it runs: what had landed by now, and since the first.
            n_landed, first_ms, last_ms = rehearsal.landed()
        account = listener.end()
        elapsed = (last_ms - first_ms) / 1000
        return {
            "sent_per_s": per_second,
            "seconds": elapsed,
            "landed": n_landed,
            "landed_per_s": n_landed / elapsed,
            "landed_ms": account["landed_ms"],
            "assessed_meanwhile": account["assessed"],
        }


def delays(per_second: int, seconds: int) -> dict[str, Any]:
    """Send at an ordinary rate and see how long after its time a post is landed and assessed."""
    with Rehearsal({"window_minutes": 60}) as rehearsal:
        listener = rehearsal.start()
        with Feed(rehearsal.state, posts_asked_for(per_second * seconds), per_second=per_second):
            time.sleep(seconds)
        time.sleep(2)
        account = listener.end()
        return {
            "sent_per_s": per_second,
            "landed": account["landed"],
            "assessed": account["assessed"],
            "landed_ms": account["landed_ms"],
            "assessed_ms": account["assessed_ms"],
        }


def fault_run(
    n_posts: int, *, per_second: int, kills: int, seed: int = SEED, is_hurried: bool = False
) -> dict[str, Any]:
    """Kill the listener again and again while the stream misbehaves, and compare with what was published.

    Args:
        n_posts: Published, besides the edited versions of some.
        per_second: How fast.
        kills: How often the listener is killed (SIGKILL), at random moments.
        seed: Of posts, faults and kills.
        is_hurried: Fetch gaps from the stream, which is quicker and reaches back five minutes only; and let ``ade
            detect`` write the windows that are not over yet.
    """
    dice = random.Random(seed)  # noqa: S311 - dice, not a secret
    settings = {
        "window_minutes": 1,
        "listen.pause_scale": 0.02,
        "listen.recovery": "stream" if is_hurried else "search",
        "listen.rewrite_seconds": 20,
        "x.max_posts_per_run": 0,
    }
    with Rehearsal(settings, seed) as rehearsal:
        state = rehearsal.state
        state.stream.rates = STREAM_FAULTS
        state.faults.set("stream", CONNECT_FAULTS, after=1)
        state.faults.set("rules", {Fault.SERVER_ERROR: 0.1}, after=1)
        state.faults.set("search/recent", {Fault.SERVER_ERROR: 0.02, Fault.RATE_LIMIT: 0.01, Fault.TRUNCATED: 0.02})
        listener = rehearsal.start()
        n_killed = 0
        feed = Feed(state, posts_asked_for(n_posts, seed), per_second=per_second, edited=0.01, seed=seed)
        pause = 0.9 * n_posts / per_second / max(1, kills)
        with feed:
            for _ in range(kills):
                rehearsal.wait_until_connected(listener)
                time.sleep(dice.uniform(0, pause))
                listener.kill()
                n_killed += 1
                listener = rehearsal.start(waits=False)
            feed.join()
            rehearsal.wait_until_landed(listener, is_written=not is_hurried)
        account = listener.end()
        if is_hurried:
            rehearsal.detect()
        return {**rehearsal.outcome(), "kills": n_killed, "disconnects": _disconnects(state), "last_run": account}


def posts_asked_for(n_posts: int, seed: int = SEED) -> list[GeneratedPost]:
    """Return generated posts of which the stream's rules ask for about three in four."""
    return list(generate(n_posts, seed))


def _disconnects(state: State) -> int:
    return sum(fault in {StreamFault.CUT, StreamFault.DISCONNECT} for fault in state.stream.done.values())
