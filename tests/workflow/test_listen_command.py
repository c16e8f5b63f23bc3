"""`ade listen` from end to end: killed and restarted, and ended in good order."""

import pytest

from ade.__main__ import run as ade
from ade.exits import USAGE
from benchmarks.live import fault_run


@pytest.mark.timeout(280)
def test_kills_and_disconnects_lose_nothing_and_double_nothing():
    """Every post the server published and the rules ask for has landed once and is in the lake once."""
    outcome = fault_run(400, per_second=60, kills=1, is_hurried=True)
    assert outcome["kills"] == 1
    assert outcome["asked_for"] > 200
    assert {name: n for name, n in outcome.items() if name.endswith(("lost", "duplicated", "unexpected"))} == {
        "lost": 0,
        "unexpected": 0,
        "lake_lost": 0,
        "lake_duplicated": 0,
        "lake_unexpected": 0,
    }


def test_a_listener_without_a_token_says_what_to_set(capsys):
    assert ade(["listen"]) == USAGE
    assert "ADE_X__BEARER_TOKEN" in capsys.readouterr().err
