"""Asking again: full jitter, a bounded number of tries."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

import tenacity

from adverse_events.errors import AnswerError, TransientServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 20.0

waiting = logging.getLogger("adverse_events.aws.waiting")
"""Says when something is asked again, and why."""


def patiently(ask: Callable[[], R], *, attempts: int, sleep: Callable[[float], None] | None = None) -> R:
    """Call `ask` until it succeeds, at most `attempts` times; its last error is raised as it is.

    A transient failure and a wrong answer are both asked again: a wrong one may be a fault on the way. The pause
    is drawn evenly from zero to a limit that doubles, so that clients throttled together do not return together.

    Args:
        ask: One request, with its answer checked.
        attempts: Tries, the first included.
        sleep: How to wait; real time when None.

    Source:
        "Exponential Backoff And Jitter", AWS Architecture Blog, on full jitter; read 2026-11.
    """

    def note(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        waiting.info(
            "%s; try %d of %d follows in %.1f s", error, state.attempt_number + 1, attempts, state.upcoming_sleep
        )

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        wait=tenacity.wait_random_exponential(multiplier=FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS),
        retry=tenacity.retry_if_exception_type((TransientServiceError, AnswerError)),
        sleep=sleep or tenacity.nap.sleep,
        before_sleep=note,
        reraise=True,
    )
    return retrying(ask)
