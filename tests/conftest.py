"""What every test needs: nothing of the developer's own settings, key or server reaches it."""

import os

import pytest


@pytest.fixture(autouse=True)
def _a_person_of_its_own(monkeypatch, tmp_path_factory):
    for name in os.environ:
        if name.startswith(("ADE_", "PREFECT_API_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "config"))
