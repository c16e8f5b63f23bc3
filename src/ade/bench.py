"""`ade bench`: the benchmarks of the checkout."""

from __future__ import annotations

import importlib
from typing import Any

from ade import checkout, terminal
from adverse_events.errors import UsageError


def bench(name: str | None, *, as_json: bool) -> int:
    """Run one benchmark or all and print what they measured; returns the exit code.

    Raises:
        UsageError: Not run from a checkout, or one without benchmarks.
    """
    root = checkout.enter("bench")
    try:
        module = importlib.import_module("benchmarks.run")
    except ModuleNotFoundError as error:
        if error.name not in {"benchmarks", "benchmarks.run"}:
            msg = f"the benchmarks need {error.name}; install the development extras: pip install -e '.[dev]'"
            raise UsageError(msg) from error
        msg = f"{root} holds no benchmarks/run.py; update the checkout"
        raise UsageError(msg) from error
    measured: dict[str, Any] = module.run(name)
    if as_json:
        terminal.show_json(measured)
    else:
        terminal.show_table(("measured", "value"), _lines(measured))
    return 0


def _lines(measured: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested results as dotted names and values."""
    lines: list[tuple[str, Any]] = []
    for name, value in measured.items():
        if isinstance(value, dict):
            lines += _lines(value, f"{prefix}{name}.")
        else:
            lines.append((f"{prefix}{name}", round(value, 4) if isinstance(value, float) else value))
    return lines
