"""Serving a protocol on this machine until somebody stops it, and the file that points other commands there."""

from __future__ import annotations

import shlex
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from ade.exits import DONE
from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def serve_until_stopped(file: Path, variables: str, tell: Callable[[], None]) -> int:
    """Keep `variables` in `file` until Ctrl-C or SIGTERM; returns the exit code.

    Args:
        file: Shell file to write, readable by whoever may read its folder; removed at the end.
        variables: Its lines.
        tell: Says where the servers are, once the file is there.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        file.write_text(variables, encoding="utf-8")
    except OSError as error:
        msg = f"{file} cannot be written ({error.strerror}); name another with --file"
        raise UsageError(msg) from error
    try:
        tell()
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
    finally:
        file.unlink(missing_ok=True)
    return DONE


def exports(environment: Mapping[str, str], settings: Mapping[str, object]) -> str:
    """Return shell lines that set the variables of `environment`, and `settings` as the variables ade reads."""
    variables = {**environment, **{f"ADE_{name.replace('.', '__').upper()}": str(v) for name, v in settings.items()}}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
