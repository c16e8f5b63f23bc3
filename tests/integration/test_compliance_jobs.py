"""X says which posts are gone: batch compliance jobs over HTTP, whatever happens to them."""

import json

import pytest
from pydantic import SecretStr

from adverse_events.compliance.batch_job import FRESH_S, JOBS, BatchJobs
from adverse_events.errors import AnswerError, PermanentServiceError, TransientServiceError
from adverse_events.local_x.faults import Fault
from adverse_events.local_x.listener import LocalX
from adverse_events.source.x.client import XClient
from adverse_events.source.x.settings import XSettings

IDS = [str(1_900_000_000_000_000_000 + number) for number in range(20)]


@pytest.fixture
def x():
    with LocalX() as server:
        server.state.delete(IDS[3])
        server.state.protect(IDS[7])
        yield server


@pytest.fixture
def jobs(x):
    settings = XSettings(base_url=x.address, bearer_token=x.state.token)
    clock = x.state.clock
    with XClient(settings, SecretStr(x.state.token), sleep=clock.advance) as client:
        yield BatchJobs(client, poll_s=20, patience_s=600, sleep=clock.advance, clock=clock.seconds)


def gone(jobs, ids=IDS):
    return {deletion.tweet_id: deletion.reason for deletion in jobs.gone(ids)}


def test_posts_that_are_gone_come_back_with_x_s_reason(jobs):
    assert gone(jobs) == {IDS[3]: "deleted", IDS[7]: "protected"}


def test_only_ids_that_x_can_know_are_sent(jobs, x):
    held = [*IDS[:4], "0f" * 16, "call-17", "1" * 20]
    assert gone(jobs, held) == {IDS[3]: "deleted"}
    (job,) = x.state.compliance.jobs.values()
    assert job.ids == IDS[:4]
    assert (jobs.checked.n_asked, jobs.checked.n_not_of_x) == (4, 3)


def test_nothing_is_asked_where_nothing_is_of_x(jobs, x):
    assert gone(jobs, ["call-17"]) == {}
    assert not x.state.asked


def test_a_reason_that_x_has_added_since_is_a_deletion_all_the_same(jobs, x):
    x.state.compliance.reasons = {IDS[0]: "account_frozen", IDS[1]: "deactivated"}
    assert gone(jobs)[IDS[0]] == "deleted"
    assert gone(jobs)[IDS[1]] == "deactivated"


def test_a_post_of_which_only_the_place_must_go_stays(jobs, x):
    x.state.compliance.reasons = {IDS[0]: "scrub_geo"}
    assert IDS[0] not in gone(jobs)
    assert jobs.checked.n_kept_posts == 1


def test_a_run_that_gave_up_waiting_is_gone_on_with(jobs, x):
    x.state.compliance.takes_s = 10_000
    with pytest.raises(PermanentServiceError, match="run again later to go on"):
        gone(jobs)
    x.state.clock.advance(10_000)
    assert len(gone(jobs)) == 2
    assert len(x.state.compliance.jobs) == 1


def test_a_run_killed_before_its_ids_were_sent_sends_them_now(jobs, x):
    with pytest.raises(KeyboardInterrupt):
        _without_upload(jobs)
    assert len(gone(jobs)) == 2
    assert len(x.state.compliance.jobs) == 1


def test_a_job_whose_address_has_expired_is_made_anew(jobs, x):
    with pytest.raises(KeyboardInterrupt):
        _without_upload(jobs)
    x.state.clock.advance(20 * 60)
    assert len(gone(jobs)) == 2
    assert [job.status for job in x.state.compliance.jobs.values()] == ["expired", "complete"]


def test_a_failed_job_is_tried_once_more(jobs, x):
    x.state.compliance.fails_next = 1
    assert len(gone(jobs)) == 2
    assert [job.status for job in x.state.compliance.jobs.values()] == ["failed", "complete"]


def test_a_job_that_fails_twice_is_reported(jobs, x):
    x.state.compliance.fails_next = 2
    with pytest.raises(PermanentServiceError, match="failed, and the one before it"):
        gone(jobs)


def test_another_job_under_way_is_named(jobs):
    jobs.client.post(JOBS, {"type": "tweets", "name": "somebody else's"})
    with pytest.raises(TransientServiceError, match="one at a time"):
        gone(jobs)


def test_an_answer_that_was_lost_makes_no_second_job(jobs, x):
    x.state.faults.set("compliance/create", {Fault.LOST: 1.0}, lasting=1)
    assert len(gone(jobs)) == 2
    assert len(x.state.compliance.jobs) == 1


def test_the_next_day_asks_anew(jobs, x):
    gone(jobs)
    x.state.delete(IDS[9])
    assert len(gone(jobs)) == 2  # a run repeated at once reads the same job's answer
    x.state.clock.advance(FRESH_S + 100)
    assert len(gone(jobs)) == 3


def test_a_result_that_is_no_json_is_an_error_that_names_its_line(jobs, x):
    gone(jobs)
    (job,) = x.state.compliance.jobs.values()
    job.result += b"{nonsense\n"
    with pytest.raises(AnswerError, match="line 3"):
        gone(jobs)


def test_posts_nobody_asked_about_are_passed_over(jobs, x):
    gone(jobs)
    (job,) = x.state.compliance.jobs.values()
    job.result += json.dumps({"id": "77", "reason": "deleted"}).encode() + b"\n"
    assert "77" not in gone(jobs)


def _without_upload(jobs):
    def killed(url, content):
        raise KeyboardInterrupt

    original = jobs.client.upload
    jobs.client.upload = killed
    try:
        list(jobs.gone(IDS))
    finally:
        jobs.client.upload = original
