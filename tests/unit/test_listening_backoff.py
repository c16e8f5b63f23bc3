"""Connecting again: the pauses X prescribes."""

import pytest

from adverse_events.listening.backoff import Backoff, Trouble


@pytest.mark.parametrize(
    ("trouble", "pauses", "longest"),
    [
        (Trouble.NETWORK, [0.25, 0.5, 0.75, 1.0], 16.0),
        (Trouble.HTTP, [5, 10, 20, 40], 320),
        (Trouble.RATE_LIMIT, [60, 120, 240, 480], 960),
    ],
)
def test_each_kind_of_trouble_has_the_pauses_x_prescribes(trouble, pauses, longest):
    backoff = Backoff()
    assert [backoff.pause(trouble) for _ in range(4)] == pauses
    assert max(backoff.pause(trouble) for _ in range(100)) == longest


def test_a_line_heard_or_another_kind_of_trouble_starts_anew():
    backoff = Backoff()
    backoff.pause(Trouble.HTTP)
    backoff.succeeded()
    assert backoff.pause(Trouble.HTTP) == 5
    assert backoff.pause(Trouble.NETWORK) == 0.25
    assert backoff.pause(Trouble.HTTP) == 5
