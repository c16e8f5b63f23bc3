"""The project's checkout: flows, tasks and benchmarks live there and are not in the wheel."""

from __future__ import annotations

import sys
from pathlib import Path

from adverse_events.errors import UsageError

LANDMARK = Path("flows") / "detect.py"


def enter(command: str) -> Path:
    """Make the checkout's folders importable and return its root.

    Args:
        command: What needs it, for the message.

    Raises:
        UsageError: Neither the folder above this package nor the current folder is the checkout.
    """
    candidates = (Path(__file__).resolve().parents[2], Path.cwd())
    root = next((folder for folder in candidates if (folder / LANDMARK).is_file()), None)
    if root is None:
        msg = (
            f"`ade {command}` runs the flows, which are not part of the installed package: clone the project and "
            "run it from the clone's folder (ade classify, code, query and report work anywhere)"
        )
        raise UsageError(msg)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return root
