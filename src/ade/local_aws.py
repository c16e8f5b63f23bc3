"""`ade local-aws`: AWS's protocols on this machine for as long as it runs, to rehearse settings and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ade import terminal
from ade.rehearsal import exports, serve_until_stopped
from adverse_events.local_aws.stack import LocalAws

if TYPE_CHECKING:
    from pathlib import Path

NOT_AWS = "nothing leaves this machine, and nothing of AWS's models, permissions, limits or prices is shown"


def local_aws(file: Path) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit code.

    Args:
        file: Shell file to write, with the variables that point the AWS clients here and the settings of the AWS
            profile; removed at the end.

    Raises:
        UsageError: The file cannot be written.
    """
    with LocalAws() as aws:
        variables = exports(aws.environment(), aws.provision().settings())

        def tell() -> None:
            terminal.show_line(f"AWS's protocols are served on {aws.address}; {NOT_AWS}. Ctrl-C stops them.")
            terminal.show_line(f"\nIn another terminal:\n  . {file}\n  {terminal.program()} doctor")

        return serve_until_stopped(file, variables, tell)
