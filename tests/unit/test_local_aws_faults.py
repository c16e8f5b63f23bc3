"""The switches: which request fails, how, and that it is counted."""

import json
from collections import Counter

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from adverse_events.local_aws.faults import ANY_SERVICE, Fault, Faults, spoilt
from adverse_events.local_aws.wire import Call

ASK = Request(EnvironBuilder().get_environ())
SCORES = [[{"label": "ADE", "score": 0.75}], [{"label": "ADE", "score": 0.25}]]


class Service:
    """Answers, and keeps how often it did."""

    def __init__(self):
        self.n_carried_out = 0

    def __call__(self, _):
        self.n_carried_out += 1
        return Response(json.dumps(SCORES), content_type="application/json")


def seen(faults, service, n_requests, handler=None):
    """Return what a client sees of `n_requests`: a status, or that the connection ends."""
    outcomes = []
    for _ in range(n_requests):
        try:
            answer = faults.carry_out(ASK, Call(service, "Any"), handler or Service())
            outcomes.append("whole" if answer.get_data() == json.dumps(SCORES).encode() else answer.status_code)
        except ConnectionAbortedError:
            outcomes.append("cut")
    return outcomes


def test_nothing_fails_until_a_switch_is_turned():
    faults = Faults()
    assert set(seen(faults, "s3", 50)) == {"whole"}
    assert not faults.done


def test_a_seed_fails_the_same_requests_whatever_other_services_do():
    first, second = Faults(7), Faults(7)
    for faults in (first, second):
        faults.set("glue", {Fault.THROTTLE: 0.3, Fault.CUT: 0.2})
    seen(second, "s3", 13)
    assert seen(first, "glue", 60) == seen(second, "glue", 60)
    assert first.done == second.done


def test_faults_come_at_their_rate_in_every_kind_and_are_counted():
    faults = Faults(1, pause_s=0)
    faults.everywhere(0.5, ("s3", "sagemaker-runtime"))
    seen(faults, "s3", 2000)
    seen(faults, "sagemaker-runtime", 2000)
    by_service = Counter(service for service, _ in faults.done.elements())
    assert all(900 < n < 1100 for n in by_service.values())
    assert {fault for service, fault in faults.done if service == "s3"} == set(ANY_SERVICE)
    assert {fault for service, fault in faults.done if service != "s3"} == {*ANY_SERVICE, Fault.SHORT}


@pytest.mark.parametrize(
    ("fault", "sees", "n_carried_out"),
    [
        (Fault.THROTTLE, 503, 0),
        (Fault.SERVER_ERROR, 500, 0),
        (Fault.HTML, 502, 0),
        (Fault.CUT, "cut", 0),
        (Fault.LOST, "cut", 1),
        (Fault.TRUNCATED, 200, 1),
        (Fault.SLOW, "whole", 1),
    ],
)
def test_a_fault_says_whether_the_request_was_carried_out(fault, sees, n_carried_out):
    faults, service = Faults(pause_s=0), Service()
    faults.set("s3", {fault: 1.0})
    assert seen(faults, "s3", 1, service) == [sees]
    assert service.n_carried_out == n_carried_out


def test_a_service_taken_down_stays_down_until_the_switches_are_cleared():
    faults = Faults()
    seen(faults, "s3", 3)
    faults.take_down("s3", after=2)
    assert seen(faults, "s3", 5) == ["whole", "whole", 500, 500, 500]
    faults.clear()
    assert seen(faults, "s3", 1) == ["whole"]
    assert faults.done["s3", Fault.SERVER_ERROR] == 3


def test_faults_may_begin_later_and_end():
    faults = Faults()
    faults.set("glue", {Fault.CUT: 1.0}, after=2, lasting=2)
    assert seen(faults, "glue", 6) == ["whole", "whole", "cut", "cut", "whole", "whole"]


@pytest.mark.parametrize("rates", [{Fault.CUT: 1.2}, {Fault.CUT: -0.1}, {Fault.CUT: 0.6, Fault.LOST: 0.6}])
def test_rates_that_are_no_shares_are_refused(rates):
    with pytest.raises(ValueError, match="shares"):
        Faults().set("s3", rates)


def test_a_spoilt_model_answer_lacks_the_last_texts_scores_or_their_number():
    short = json.loads(spoilt(Service()(None), Fault.SHORT).get_data())
    assert short == SCORES[:1]
    (whole, without) = json.loads(spoilt(Service()(None), Fault.NAN).get_data())
    assert whole == SCORES[0]
    assert without[0]["score"] != without[0]["score"]


def test_a_truncated_answer_promises_more_than_it_brings():
    whole, cut = Service()(None), spoilt(Service()(None), Fault.TRUNCATED)
    assert int(cut.headers["Content-Length"]) == len(whole.get_data()) > len(b"".join(cut.response))
