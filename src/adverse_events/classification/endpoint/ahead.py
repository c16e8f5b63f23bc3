"""Several requests at one time, their answers in order, never more than a few ahead of who reads them."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 2
"""Requests held per request in flight: where the first one is being asked again, the others go on meanwhile."""


class Stopped(Exception):  # noqa: N818 - not a failure: what a worker raises when its answer is no longer wanted
    """The work was called off, by another request's failure or because nobody reads on."""


def in_order(ask: Callable[[T, Event], R], requests: Iterable[T], *, at_once: int) -> Generator[R]:
    """Yield ``ask(request, stop)`` of each request, in their order, `at_once` of them at one time.

    At most ``AHEAD * at_once`` requests and answers are held. The first failure, or closing the generator, sets `stop`
    and drops what has not been sent: `ask` watches it while it waits and raises `Stopped`.

    Args:
        ask: Called in threads of its own.
        requests: Taken one by one, in the caller's thread, as answers are read.
        at_once: Threads.
    """
    stop = Event()
    failures: list[BaseException] = []

    def work(request: T) -> R:
        try:
            return ask(request, stop)
        except BaseException as error:
            failures.append(error)
            stop.set()
            raise

    pool = ThreadPoolExecutor(at_once, thread_name_prefix="endpoint")
    waiting: deque[Future[R]] = deque()
    try:
        for request in requests:
            waiting.append(pool.submit(work, request))
            if len(waiting) >= AHEAD * at_once:
                yield _first(waiting, failures)
        while waiting:
            yield _first(waiting, failures)
    finally:
        stop.set()
        # An answer under way may take a minute; nobody waits for it.
        pool.shutdown(wait=False, cancel_futures=True)


def _first(waiting: deque[Future[R]], failures: list[BaseException]) -> R:
    try:
        return waiting.popleft().result()
    except Stopped:
        # Called off because of a later request: the first failure is the reason, not this.
        raise failures[0] from None
