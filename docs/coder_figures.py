# ruff: noqa: INP001 - a script beside the page it serves, not a package
"""Measure the coder and write the figures into its page: ``python docs/coder_figures.py``.

Takes the flags of ``ade evaluate-coder`` that name corpora; without them their checks are left out of the page.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from ade.__main__ import run
from adverse_events.coding.evaluation.figures import with_figures

PAGE = Path(__file__).with_name("coder.md")


def main() -> int:
    """Run ``ade evaluate-coder`` with the arguments given here and rewrite the figures of the page."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.md"
        code = run(["evaluate-coder", *sys.argv[1:], "--json", "--output", str(figures)])
        if code == 0:
            command = "python docs/coder_figures.py, which runs ade evaluate-coder"
            page = with_figures(PAGE.read_text(encoding="utf-8"), figures.read_text(encoding="utf-8"), command)
            PAGE.write_text(page, encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
