"""Patience: what is asked again, how often, and how long is waited."""

import pytest

from adverse_events.aws.retry import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, patiently
from adverse_events.errors import AnswerError, ContractError, PermanentServiceError, TransientServiceError

THROTTLED = TransientServiceError("endpoint", "invoke", "throttled")
SHORT = AnswerError("endpoint", "7 answers came back for 8 texts")


class Service:
    """Fails with each of `errors` in turn, then answers."""

    def __init__(self, *errors):
        self.errors, self.n_asked = list(errors), 0

    def __call__(self):
        self.n_asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_throttles_and_wrong_answers_are_asked_again():
    service, pauses = Service(THROTTLED, SHORT, THROTTLED), []
    assert patiently(service, attempts=4, sleep=pauses.append) == "answer"
    assert (service.n_asked, len(pauses)) == (4, 3)


@pytest.mark.parametrize("error", [THROTTLED, SHORT], ids=lambda error: type(error).__name__)
def test_the_last_error_is_raised_as_it_is(error):
    service = Service(*[error] * 9)
    with pytest.raises(type(error)) as caught:
        patiently(service, attempts=3, sleep=lambda _seconds: None)
    assert caught.value is error
    assert service.n_asked == 3


@pytest.mark.parametrize(
    "error",
    [PermanentServiceError("s3", "put", "denied"), ContractError("endpoint", "other classes"), ValueError("a defect")],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_pass_is_asked_once(error):
    service = Service(error)
    with pytest.raises(type(error)):
        patiently(service, attempts=5, sleep=pytest.fail)
    assert service.n_asked == 1


def test_pauses_are_drawn_below_a_limit_that_doubles_up_to_the_longest():
    drawn = []
    for _ in range(200):
        pauses = []
        with pytest.raises(TransientServiceError):
            patiently(Service(*[THROTTLED] * 12), attempts=12, sleep=pauses.append)
        drawn.append(pauses)
    for index, pauses in enumerate(zip(*drawn, strict=True)):
        limit = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**index)
        assert all(0 <= pause <= limit for pause in pauses)
        # Full jitter fills the whole range; the chance that 200 draws leave a third of it empty is below 1e-30.
        assert min(pauses) < limit / 3
        assert max(pauses) > limit * 2 / 3


def test_each_further_try_is_said_with_its_reason_and_number(caplog):
    failures = iter([TransientServiceError("athena", "GetQueryExecution", "HTTP 503"), None])

    def ask():
        if failure := next(failures):
            raise failure
        return "answered"

    with caplog.at_level("INFO", "adverse_events"):
        assert patiently(ask, attempts=3, sleep=lambda _: None) == "answered"
    (line,) = caplog.messages
    assert line.startswith("athena GetQueryExecution: HTTP 503; try 2 of 3 follows in ")
