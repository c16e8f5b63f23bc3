"""Entry point of the command line: runs a command and turns whatever goes wrong into one line and an exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ade import terminal
from ade.app import app
from ade.exits import FAILED, INTERRUPTED, USAGE, code_of
from adverse_events.errors import AdverseEventsError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEBUG = "--debug"

STOPPED = "stopped; what was finished is kept, run the same command again to go on"

NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "ORT_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""Both switches of Prefect, one for its SDK and one for its server, and that of ONNX Runtime."""

QUIET = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL", "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore"}
"""What keeps Prefect's own lines off the terminal; the log of a run in its UI stays as it is."""


def main() -> None:
    """Run the command line on the arguments of this process; the console script ``ade``."""
    arguments = sys.argv[1:]
    # Prefect reads these when it is imported, which only some commands do, later.
    for name, value in (NO_TELEMETRY if DEBUG in arguments else {**NO_TELEMETRY, **QUIET}).items():
        os.environ.setdefault(name, value)
    # Service managers stop a process so; what it staged is removed on the way out, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if "--json" not in arguments:
        terminal.note_waiting()
    code = run(arguments)
    if code == INTERRUPTED:
        # What had to be cleaned up has been; requests under way in threads would hold the process up to a minute.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code, see `ade.exits`; never a traceback unless ``--debug`` asks for it.

    Args:
        arguments: What follows ``ade``; none shows the help.
    """
    debug, as_json = DEBUG in arguments, "--json" in arguments
    given = [argument for argument in arguments if argument != DEBUG] or ["--help"]
    try:
        code = typer.main.get_command(app).main(given, prog_name="ade", standalone_mode=False)
    except AdverseEventsError as error:
        return _failed(error, str(error), code_of(error), debug=debug, as_json=as_json)
    except typer.TyperException as error:  # an option or argument that the command does not take
        return _failed(error, f"{error.format_message()} `ade --help` says more", USAGE, debug=debug, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except OSError as error:
        message = f"{error.filename or 'input or output'}: {os.strerror(error.errno or 0)}"
        return _failed(error, message, FAILED, debug=debug, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the outermost door: a defect must not throw post text at a terminal
        message = f"unexpected {type(error).__name__} in {_place(error)}, a defect of ade: please report this line"
        return _failed(error, message, FAILED, debug=debug, as_json=as_json)
    if code == INTERRUPTED:
        _complain(STOPPED, as_json=as_json, prefix="")
    return code if isinstance(code, int) else 0


def _failed(error: BaseException, message: str, code: int, *, debug: bool, as_json: bool) -> int:
    if debug:
        traceback.print_exception(error)
    _complain(message, as_json=as_json)
    return code


def _complain(message: str, *, as_json: bool, prefix: str = "error: ") -> None:
    line = json.dumps({"error": message}) if as_json else f"{prefix}{' '.join(message.split())}"
    with contextlib.suppress(BrokenPipeError):
        print(line, file=sys.stderr)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"


if __name__ == "__main__":
    main()
