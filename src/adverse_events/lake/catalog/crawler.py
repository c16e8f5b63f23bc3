"""One crawl of a Glue crawler, from start to end.

A crawler does one crawl at a time. One that is already at work may have listed the bucket before our objects were
written, so it is waited for and then started again, never joined.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from adverse_events.aws.errors import translated
from adverse_events.errors import PermanentServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("adverse_events.catalog")

MOST_STARTS = 5
"""Starts tried while others keep starting the same crawler."""

_SECONDS_BETWEEN_NOTES = 60.0


class CrawlerClient(Protocol):
    """What is asked of boto3's Glue client."""

    def get_crawler(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's own name
        """Return the crawler's state and its last crawl."""

    def start_crawler(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's own name
        """Start a crawl."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """A crawl that ended well.

    Attributes:
        crawler: Its name.
        started_at: By Glue's clock, aware.
        seconds: How long it was waited for, earlier crawls of others included.
    """

    crawler: str
    started_at: datetime
    seconds: float


class Crawler:
    """Starts one crawler and waits for it.

    Args:
        client: boto3's Glue client.
        name: The crawler.
        timeout_minutes: Longest wait in all.
        poll_seconds: Pause between two looks.
        clock: Seconds that only go forward.
        sleep: How to wait.
    """

    def __init__(
        self,
        client: CrawlerClient,
        name: str,
        *,
        timeout_minutes: float,
        poll_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the crawler as it is; nothing is asked yet."""
        self._client, self._name = client, name
        self._timeout_minutes, self._poll_seconds = timeout_minutes, poll_seconds
        self._clock, self._sleep = clock, sleep

    def run(self) -> Crawl:
        """Run a crawl that begins after this call, to its end.

        Raises:
            PermanentServiceError: No such crawler, it may not be started, its crawl failed or was cancelled, or it
                did not end in time. What is in the lake stands.
            TransientServiceError: Glue did not answer.
        """
        began = self._clock()
        for _ in range(MOST_STARTS):
            before = _last_start(self._when_ready(began))
            if self._start():
                crawler = self._when_ready(began, newer_than=before)
                return self._ended_well(crawler, self._clock() - began)
        detail = f"others started it at each of {MOST_STARTS} tries; run again"
        raise self._failure(detail)

    def _start(self) -> bool:
        """Start a crawl; False when one is at work: another's, or ours if a request sent twice had started it."""
        with translated("glue", f"StartCrawler {self._name}"):
            try:
                self._client.start_crawler(Name=self._name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "CrawlerRunningException":
                    raise
                logger.info("crawler %s is already running", self._name)
                return False
        logger.info("crawler %s started", self._name)
        return True

    def _when_ready(self, began: float, newer_than: datetime | None = None) -> dict[str, Any]:
        """Return the crawler once no crawl is at work and, where asked, its last crawl is newer."""
        noted_at = began
        while True:
            crawler = self._look()
            if crawler["State"] == "READY" and (newer_than is None or _last_start(crawler) > newer_than):
                return crawler
            now = self._clock()
            if now - began > 60 * self._timeout_minutes:
                detail = (
                    f"is {crawler['State']} and not done after {self._timeout_minutes:g} minutes; raise "
                    "catalog.crawl_timeout_minutes, or look at the crawler's log"
                )
                raise self._failure(detail)
            if now - noted_at >= _SECONDS_BETWEEN_NOTES:
                logger.info("crawler %s is %s, %.0f minutes by now", self._name, crawler["State"], (now - began) / 60)
                noted_at = now
            self._sleep(self._poll_seconds)

    def _look(self) -> dict[str, Any]:
        with translated("glue", f"GetCrawler {self._name}"):
            try:
                crawler: dict[str, Any] = self._client.get_crawler(Name=self._name)["Crawler"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "EntityNotFoundException":
                    raise self._failure(_ABSENT) from error
                raise
        return crawler

    def _ended_well(self, crawler: dict[str, Any], seconds: float) -> Crawl:
        last = crawler["LastCrawl"]
        if last.get("Status") in _FAILED:
            reason = last.get("ErrorMessage") or f"no reason given; see {last.get('LogGroup', 'its log')}"
            detail = f"ended as {last['Status']}: {reason}"
            raise self._failure(detail)
        logger.info("crawler %s is done after %.0f s", self._name, seconds)
        return Crawl(self._name, last["StartTime"], seconds)

    def _failure(self, detail: str) -> PermanentServiceError:
        return PermanentServiceError("glue", f"crawler {self._name}", f"{detail}. The data in the lake stand")


def _last_start(crawler: dict[str, Any]) -> datetime:
    """Return when the crawler's last crawl started, by Glue's clock; long ago when there was none."""
    started: datetime = crawler.get("LastCrawl", {}).get("StartTime", _NEVER)
    return started


_NEVER = datetime.min.replace(tzinfo=UTC)
_FAILED = frozenset({"FAILED", "CANCELLED"})
_ABSENT = (
    "does not exist in this account and region; create it with the infrastructure template, or correct or unset "
    "catalog.crawler"
)
