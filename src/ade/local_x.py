"""`ade local-x`: X's protocol over invented posts on this machine for as long as it runs, to rehearse against."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ade import terminal
from ade.rehearsal import exports, serve_until_stopped
from adverse_events.local_x.clock import Clock
from adverse_events.local_x.listener import LocalX
from adverse_events.local_x.state import X_LIMITS, State
from adverse_events.sample.generate import generate
from adverse_events.sample.week import DAYS, SEED, START

if TYPE_CHECKING:
    from pathlib import Path

NOT_X = "nothing leaves this machine, and nothing of X's coverage, ranking or speed is shown"


def local_x(file: Path, n_posts: int, *, limits: bool) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit code.

    Args:
        file: Shell file to write, with the variables that make this server X; removed at the end.
        n_posts: Invented posts of one week.
        limits: Enforce X's rate limits.

    Raises:
        UsageError: The file cannot be written.
    """
    # An hour after the week, so that all of it can be asked for; from there its clock runs.
    state = State(clock=Clock(START + timedelta(days=DAYS, hours=1), runs=True))
    state.limits = dict(X_LIMITS) if limits else {}
    with LocalX(generate(n_posts, SEED), state=state) as server:
        variables = exports({}, {"x.base_url": server.address, "x.bearer_token": state.token, "source.path": "x://all"})
        week = f"--start {START:%Y-%m-%d} --end {START + timedelta(days=DAYS):%Y-%m-%d}"

        def tell() -> None:
            terminal.show_line(f"X's protocol is served on {server.address}; {NOT_X}. Ctrl-C stops it.")
            terminal.show_line(f"\nIn another terminal:\n  . {file}\n  {terminal.program()} estimate {week}")

        return serve_until_stopped(file, variables, tell)
