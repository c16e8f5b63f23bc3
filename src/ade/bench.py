"""`ade bench`: the benchmarks of the checkout."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ade import checkout, terminal
from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_LARGE = 10


def bench(name: str | None, *, as_json: bool) -> int:
    """Run one benchmark or all and print what they measured; returns the exit code.

    Raises:
        UsageError: Not run from a checkout, one without benchmarks, or no benchmark of that name.
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
    measured: dict[str, dict[str, Any]] = module.run(name)
    if as_json:
        terminal.show_json(measured)
    else:
        for part, values in measured.items():
            terminal.show_table((part, "value"), _lines(values))
    return 0


def _lines(measured: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield nested results as dotted names and values."""
    for name, value in measured.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _shown(value) if isinstance(value, float) else value


def _shown(value: float) -> str:
    """Return `value` with the digits that a reader can use: shares and ratios need more of them than speeds."""
    return f"{value:.4f}" if abs(value) < _LARGE else f"{value:,.1f}"
