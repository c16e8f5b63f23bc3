"""Exit codes of every command, and which error leads to which."""

from __future__ import annotations

from adverse_events.errors import AdverseEventsError, UsageError

DONE = 0
FAILED = 1
USAGE = 2
REJECTS = 3
PARTLY = 4
INTERRUPTED = 130

MEANINGS = {
    DONE: "done",
    FAILED: "the run failed; nothing is left half-written",
    USAGE: "wrong usage or settings; nothing was done",
    REJECTS: "done, but inputs were rejected and --strict was given",
    PARTLY: "done in part: a spend cap or the account's allowance stopped the reading; run again to go on",
    INTERRUPTED: "stopped by Ctrl-C or SIGTERM; what was finished is kept, run again to go on",
}


def code_of(error: AdverseEventsError) -> int:
    """Return the exit code that `error` leads to."""
    return USAGE if isinstance(error, UsageError) else FAILED


def strictly(*, strict: bool, n_rejects: int) -> int:
    """Return the exit code of a run that is done with `n_rejects` refused inputs."""
    return REJECTS if strict and n_rejects else DONE
