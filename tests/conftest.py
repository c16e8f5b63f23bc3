"""What every test needs: nothing of the developer's own settings, key or server reaches it."""

import atexit
import os
import tempfile

import pytest

from adverse_events import assembly

# Prefect reads this when it is first imported, which is while tests are collected.
_prefect_home = tempfile.TemporaryDirectory(prefix="adverse-events-prefect-", ignore_cleanup_errors=True)
os.environ["PREFECT_HOME"] = _prefect_home.name
atexit.register(_prefect_home.cleanup)


@pytest.fixture(autouse=True)
def _a_person_of_its_own(monkeypatch, tmp_path_factory):
    for name in os.environ:
        if name.startswith(("ADE_", "AWS_", "PREFECT_API_")):
            monkeypatch.delenv(name)
    # Never a real account, nor a wait for the metadata of a machine in the cloud.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
    yield
    # A process opens an account once; each test has another behind the same settings.
    assembly.remote_parts.cache_clear()
