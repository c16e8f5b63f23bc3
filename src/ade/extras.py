"""Commands whose libraries are an extra."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType


def with_extra(module: str, extra: str) -> ModuleType:
    """Import the module that does a command's work.

    Raises:
        UsageError: A library is missing; names it and the `extra` that brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        msg = f"{error.name} is not installed; in the checkout: pip install -c constraints.txt -e '.[{extra}]'"
        raise UsageError(msg) from error
