"""What every test needs: nothing of the developer's own settings, key or server reaches it."""

import os
import tempfile

import pytest

# Prefect reads this when it is first imported, which is while tests are collected.
_prefect_home = tempfile.TemporaryDirectory(prefix="adverse-events-prefect-", ignore_cleanup_errors=True)
os.environ["PREFECT_HOME"] = _prefect_home.name


@pytest.fixture(autouse=True)
def _a_person_of_its_own(monkeypatch, tmp_path_factory):
    for name in os.environ:
        if name.startswith(("ADE_", "PREFECT_API_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "config"))
