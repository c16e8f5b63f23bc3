"""The crawler's state machine: waited for, started again, never joined, and never for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from adverse_events.errors import PermanentServiceError, TransientServiceError
from adverse_events.lake.catalog.crawler import MOST_STARTS, Crawler

START = datetime(2026, 3, 1, tzinfo=UTC)


def refusal(code):
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Start")


class Glue:
    """A crawler in time: states by the minute, and what each start meets with."""

    def __init__(self, states, starts=(), crawl_minutes=2, outcome=None):
        self.states, self.starts, self.crawl_minutes = list(states), list(starts), crawl_minutes
        self.outcome = outcome or {"Status": "SUCCEEDED"}
        self.minute, self.started_at, self.last, self.n_starts = 0, None, None, 0

    def clock(self):
        return 60.0 * self.minute

    def sleep(self, seconds):
        assert seconds == 60
        self.minute += 1

    def start_crawler(self, *, Name):  # noqa: N803 - boto3's name
        assert Name == "lake"
        self.n_starts += 1
        met = self.starts.pop(0) if self.starts else None
        if met:
            raise met
        self.started_at = self.minute

    def get_crawler(self, *, Name):  # noqa: N803 - boto3's name
        assert Name == "lake"
        if self.started_at is not None:
            ended = self.minute - self.started_at >= self.crawl_minutes
            state = "READY" if ended or self.minute == self.started_at else "RUNNING"
            if ended:
                self.last = {"StartTime": START + timedelta(minutes=self.started_at), **self.outcome}
        else:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            if isinstance(state, Exception):
                raise state
        return {"Crawler": {"Name": Name, "State": state, **({"LastCrawl": self.last} if self.last else {})}}


def run(glue, timeout_minutes=30):
    crawler = Crawler(
        glue, "lake", timeout_minutes=timeout_minutes, poll_seconds=60, clock=glue.clock, sleep=glue.sleep
    )
    return crawler.run()


def test_an_idle_crawler_is_started_and_waited_for():
    """Right after the start Glue may still say READY, with the crawl before as the last one."""
    glue = Glue(["READY"])
    glue.last = {"StartTime": START - timedelta(days=1), "Status": "FAILED", "ErrorMessage": "long ago"}

    crawl = run(glue)

    assert (crawl.crawler, crawl.started_at, crawl.seconds) == ("lake", START, 120)


def test_a_crawl_at_work_is_waited_for_and_another_one_started():
    """The one at work may have listed the bucket before our objects were there."""
    glue = Glue(["RUNNING", "RUNNING", "STOPPING", "READY"])

    assert run(glue).started_at == START + timedelta(minutes=3)
    assert glue.n_starts == 1


def test_a_crawl_that_began_between_the_look_and_the_start_is_waited_for_too():
    glue = Glue(["READY", "RUNNING", "READY"], starts=[refusal("CrawlerRunningException")])

    assert run(glue).started_at == START + timedelta(minutes=1)
    assert glue.n_starts == 2


def test_starting_ends_after_a_few_tries():
    glue = Glue(["READY"], starts=[refusal("CrawlerRunningException")] * 99)

    with pytest.raises(PermanentServiceError, match=r"others started it.*run again"):
        run(glue)
    assert glue.n_starts == MOST_STARTS


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_a_failed_crawl_ends_with_the_crawlers_own_words(status):
    glue = Glue(["READY"], outcome={"Status": status, "ErrorMessage": "Access Denied on s3://lake/assessments"})

    with pytest.raises(PermanentServiceError, match=rf"{status}: Access Denied on s3://.*data in the lake stand"):
        run(glue)


def test_a_failure_without_words_names_the_log():
    glue = Glue(["READY"], outcome={"Status": "FAILED", "LogGroup": "/aws-glue/crawlers"})

    with pytest.raises(PermanentServiceError, match="see /aws-glue/crawlers"):
        run(glue)


@pytest.mark.parametrize("glue", [Glue(["RUNNING"]), Glue(["READY"], crawl_minutes=999)], ids=["another's", "ours"])
def test_waiting_is_bounded(glue):
    with pytest.raises(PermanentServiceError, match=r"not done after 5 minutes; raise catalog\.crawl_timeout_minutes"):
        run(glue, timeout_minutes=5)
    assert glue.minute <= 6


def test_an_absent_crawler_names_the_setting():
    with pytest.raises(PermanentServiceError, match=r"crawler lake: does not exist.*catalog\.crawler"):
        run(Glue([refusal("EntityNotFoundException")]))


def test_a_crawler_that_may_not_be_started_says_so():
    with pytest.raises(PermanentServiceError, match=r"StartCrawler lake: AccessDeniedException.*permission"):
        run(Glue(["READY"], starts=[refusal("AccessDeniedException")]))


def test_a_throttle_is_worth_another_try():
    with pytest.raises(TransientServiceError):
        run(Glue(["READY"], starts=[refusal("ThrottlingException")]))


def test_progress_is_told_by_state_and_minutes(caplog):
    caplog.set_level("INFO", logger="adverse_events.catalog")

    run(Glue(["READY"], crawl_minutes=4))

    assert [record.message for record in caplog.records] == [
        "crawler lake started",
        "crawler lake is RUNNING, 1 minutes by now",
        "crawler lake is RUNNING, 2 minutes by now",
        "crawler lake is RUNNING, 3 minutes by now",
        "crawler lake is done after 240 s",
    ]
