"""The structure of the house, tested like behaviour."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_arrows_point_only_downwards():
    """ade over flows over tasks over the core, and no orchestrator in the core (contracts in pyproject.toml)."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("flow", sorted((ROOT / "flows").glob("*.py")), ids=lambda path: path.stem)
def test_a_flow_file_shadows_no_library(flow):
    """Prefect puts flows/ first on the path, so flows/statistics.py would replace the standard module."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({flow.stem!r}) is not None)"
    assert subprocess.run([sys.executable, "-I", "-c", code], cwd="/", check=False).returncode == 0


def test_no_file_of_the_core_reads_the_environment_or_prints():
    """But for two doors of containers, which SageMaker speaks to through the environment."""
    offenders = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in sorted((ROOT / "src" / "adverse_events").rglob("*.py"))
        if path.parent.name != "training" and path.parts[-2:] != ("serving", "__main__.py")
        for word in (r"\bos\.environ", r"\bgetenv\(", r"\bprint\(")
        if re.search(word, path.read_text())
    ]
    assert offenders == []


def test_no_tracked_file_names_a_package_index():
    tracked = subprocess.run(
        ["git", "grep", "-lIE", "--", r"--(extra-)?index[-]url|--find[-]links", "--", "."],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tracked.stdout == ""
