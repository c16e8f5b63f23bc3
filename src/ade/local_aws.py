"""`ade local-aws`: AWS's protocols on this machine for as long as it runs, to rehearse settings and commands."""

from __future__ import annotations

import shlex
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from ade import terminal
from ade.exits import DONE
from adverse_events.errors import UsageError
from adverse_events.local_aws.stack import LocalAws

if TYPE_CHECKING:
    from collections.abc import Mapping
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
        settings = aws.provision().settings()
        try:
            file.write_text(exports(aws.environment(), settings), encoding="utf-8")
        except OSError as error:
            msg = f"{file} cannot be written ({error.strerror}); name another with --file"
            raise UsageError(msg) from error
        terminal.show_line(f"AWS's protocols are served on {aws.address}; {NOT_AWS}. Ctrl-C stops them.")
        terminal.show_line(f"\nIn another terminal:\n  . {file}\n  {terminal.program()} doctor")
        try:
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
        finally:
            file.unlink(missing_ok=True)
    return DONE


def exports(environment: Mapping[str, str], settings: Mapping[str, object]) -> str:
    """Return shell lines that set the variables of `environment`, and `settings` as the variables ade reads."""
    variables = {**environment, **{f"ADE_{name.replace('.', '__').upper()}": str(v) for name, v in settings.items()}}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
