"""The policy every station shares: what is tried again, what runs in place, and how its time is kept."""

from concurrent.futures import Future

import pytest
import stamina
from prefect.tasks import Task

from adverse_events import progress
from adverse_events.errors import PermanentServiceError, TransientServiceError
from adverse_events.staging import Batch
from tasks.station import RETRIES, publish, station, worth_retrying
from tests.staged_batches import hours


@pytest.fixture
def no_pauses():
    """Retries come at once, as many as ever."""
    with stamina.set_testing(True, attempts=RETRIES + 1):
        yield


class Service:
    """A service that raises `error` for the first `n_failures` calls."""

    def __init__(self, error, n_failures):
        self.error, self.n_failures, self.n_calls = error, n_failures, 0

    def __call__(self):
        self.n_calls += 1
        if self.n_calls <= self.n_failures:
            raise self.error
        return "answer"


THROTTLED = TransientServiceError("endpoint", "invoke", "throttled")
REFUSED = PermanentServiceError("endpoint", "invoke", "no such endpoint")


def test_a_service_that_may_answer_later_is_asked_again(no_pauses):
    service = Service(THROTTLED, RETRIES)
    assert station("ask")(lambda: service())() == "answer"  # noqa: PLW0108 - a station is made of a function
    assert service.n_calls == RETRIES + 1


def test_one_that_never_answers_fails_with_its_own_error(no_pauses):
    service = Service(THROTTLED, RETRIES + 1)
    with pytest.raises(TransientServiceError, match="throttled"):
        station("ask")(lambda: service())()  # noqa: PLW0108 - as above
    assert service.n_calls == RETRIES + 1


@pytest.mark.parametrize("error", [REFUSED, ValueError("a defect")], ids=lambda error: type(error).__name__)
def test_one_that_will_refuse_again_is_asked_once(no_pauses, error):
    service = Service(error, 1)
    with pytest.raises(type(error)):
        station("ask")(lambda: service())()  # noqa: PLW0108 - as above
    assert service.n_calls == 1


@pytest.mark.parametrize(("error", "is_worth_it"), [(THROTTLED, True), (REFUSED, False), (ValueError(), False)])
def test_under_a_server_the_same_errors_are_worth_a_retry(error, is_worth_it):
    class Failed:
        def result(self, *, raise_on_failure):
            assert not raise_on_failure
            return error

    assert worth_retrying(None, None, Failed()) is is_worth_it


def test_a_station_is_a_prefect_task_with_the_house_policy():
    made = station("ask")(lambda: None)
    assert isinstance(made, Task)
    assert (made.name, made.retries, made.retry_condition_fn) == ("ask", RETRIES, worth_retrying)
    assert (made.persist_result, made.timeout_seconds) == (False, None)


def test_without_a_flow_run_submitting_runs_now_and_waits_for_what_it_is_given():
    double = station("double")(lambda n, *, plus=0: 2 * n + plus)
    first = double.submit(3)
    assert isinstance(first, Future)
    assert double.submit(first, plus=double.submit(0, plus=1)).result() == 13


def test_the_time_a_station_takes_is_kept_with_its_batch(tmp_path):
    batch = Batch(hours(1), tmp_path / "rows.arrow", (), {}, {"fetch": 1.0})
    done = station("screen")(lambda given: given)(batch)
    assert done.durations["fetch"] == 1.0
    assert 0 <= done.durations["screen"] < 1


def test_progress_inside_a_station_carries_its_name():
    heard = []
    with progress.listening(lambda name, n_rows: heard.append((name, n_rows))):
        station("screen")(lambda: progress.advance(7))()
    assert heard == [("screen", 7)]


def test_publishing_without_a_flow_run_does_nothing():
    assert publish("key", lambda: "# text", "nothing") is None
