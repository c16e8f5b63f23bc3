"""`ade report`, `settings` and `sample`: things to look at and to play with."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from ade import terminal
from adverse_events import assembly
from adverse_events.errors import UsageError
from adverse_events.reporting.page import write_report
from adverse_events.sample.week import gold_labels, sample_week
from adverse_events.settings import SETTINGS_FILE, load_settings, setting_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path


def report(lake: str | None, output: Path, start: datetime | None, end: datetime | None, *, as_json: bool) -> int:
    """Write the report page and say where it is; returns the exit code."""
    reader = assembly.reader_for(load_settings({"lake.path": lake}))
    written = write_report(reader, output, start, end).resolve()
    if as_json:
        terminal.show_json({"report": str(written)})
    else:
        terminal.show_line(f"report {written}\nopen   {written.as_uri()}")
    return 0


def settings(overrides: Mapping[str, Any], *, as_json: bool) -> int:
    """Print every setting: value in force, where it came from, what it means; returns the exit code."""
    lines = setting_lines(load_settings(overrides), overrides)
    if as_json:
        terminal.show_json([line._asdict() for line in lines])
        return 0
    unset = [line._replace(value="-" if line.value == "null" else line.value) for line in lines]
    terminal.show_table(("setting", "value", "from", "meaning"), unset)
    terminal.note(f"set one with --set NAME=VALUE, ADE_NAME in the environment (. becomes __) or in {SETTINGS_FILE}")
    return 0


def sample(folder: Path, *, as_json: bool) -> int:
    """Copy the bundled sample week and its gold labels into `folder`; returns the exit code.

    Raises:
        UsageError: One of the files is there already, or the folder cannot be written.
    """
    sources = [*sorted(path for path in sample_week().iterdir() if path.is_file()), gold_labels()]
    targets = [
        folder / (path.name if path == gold_labels() else f"{sample_week().name}/{path.name}") for path in sources
    ]
    taken = next((target for target in targets if target.exists()), None)
    if taken:
        msg = f"{taken} is there already; name another folder"
        raise UsageError(msg)
    try:
        for source, target in zip(sources, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    except OSError as error:
        msg = f"{folder} cannot be written ({os.strerror(error.errno or 0)}); name another folder"
        raise UsageError(msg) from error
    if as_json:
        terminal.show_json({"files": [str(target) for target in targets]})
        return 0
    for target in targets:
        terminal.show_line(str(target))
    terminal.show_line(f"\nNext, type:\n  ade detect --source {folder / sample_week().name} --lake {folder / 'lake'}")
    return 0
