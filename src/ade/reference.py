"""The page ``docs/cli.md``, generated from the commands themselves: ``python -m ade.reference > docs/cli.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from ade.app import app
from ade.exits import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

INTRODUCTION = """\
<!-- Generated: python -m ade.reference > docs/cli.md -->
# The command line

Results go to standard output; notes, progress and errors go to standard error. `--json` prints one JSON document
instead of text for people, draws no progress, and makes an error `{"error": "..."}` on standard error. Progress is
drawn only on a terminal. An error is one line; `--debug`, anywhere on the line, adds the traceback. No message of
this project quotes a post.

Times are ISO 8601 with a zone, such as `2026-03-01T00:00Z`; a bare date is that day's first instant in UTC. A range is
half-open: `--end` itself is outside.

`demo`, `detect`, `backfill` and `bench` run from the project's checkout. Where `PREFECT_API_URL` is configured, a run
is recorded by that server; otherwise it runs in place and its only record is the lake's receipts. The other commands
work wherever the package is installed.
"""

FORMATS = """\
## What the files hold

`ade classify` writes one line per input row, in order: `{"row": 1, "ade_probability": 0.93, "is_ade": true}`. A row
that cannot be read gets `{"row": 2, "error": "null_text", "ade_probability": null, "is_ade": null}`.

`ade code FILE` writes one line per input row, in order: `{"row": 1, "Entities": [...]}` in the shape of Comprehend
Medical's InferICD10CM, each entity with its `Role`; offsets count characters of the text as given. A row that cannot be
read gets `{"row": 2, "error": "null_text", "Entities": null}`.

`row` counts from 1: rows of a CSV, TSV or Parquet file, lines of a JSON lines file, posts of a response page. Blank
lines of a text file (empty, or only spaces) are no rows.
"""


def reference() -> str:
    """Return the page as Markdown."""
    root: Any = typer.main.get_command(app)
    sections = [INTRODUCTION, _exit_codes()]
    sections += [_section(name, command) for name, command in _commands(root)]
    return "\n".join([*sections, FORMATS])


def _commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command with the words that call it; a group stands before its own."""
    for name, command in group.commands.items():
        yield f"{prefix}{name}", command
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix}{name} ")


def _exit_codes() -> str:
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return f"## Exit codes\n\n| code | meaning |\n| ---: | --- |\n{rows}"


def _section(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    rest = "COMMAND" if hasattr(command, "commands") else "[OPTIONS]"
    usage = " ".join(["ade", name, *(p.metavar or p.name.upper() for p in arguments), rest])
    rows = "".join(f"| {_named(p)} | {_meaning(p)} |\n" for p in command.params)
    table = f"\n| | |\n| --- | --- |\n{rows}" if rows else ""
    return f"## ade {name}\n\n```\n{usage}\n```\n\n{command.help}\n{table}"


def _named(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`".replace("|", "\\|")
    names = ", ".join(f"`{name}`" for name in parameter.opts)
    return f"{names} {parameter.metavar or ''}".strip().replace("|", "\\|")


def _meaning(parameter: Any) -> str:
    default = parameter.default
    shown = f" Default: `{default}`." if default not in (None, False) and default != [] else ""
    return f"{parameter.help or ''}{shown}".replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
