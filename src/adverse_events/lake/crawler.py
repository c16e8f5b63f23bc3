"""One crawl of a Glue crawler, from start to end.

A crawler does one crawl at a time. One that is already at work may have listed the bucket before our objects were
written, so it is waited for and then started again, never joined.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from adverse_events.aws.errors import translated
from adverse_events.errors import PermanentServiceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

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
        """Start a crawl that began after this call, and wait for its end.

        Raises:
            PermanentServiceError: No such crawler, it may not be started, its crawl failed or was cancelled, or it
                did not end in time. What is in the lake stands.
            TransientServiceError: Glue did not answer.
        """
        began = self._clock()
        before = self._wait_until_ready(began, None)
        for _ in range(MOST_STARTS):
            if self._start():
                crawl = self._wait_until_ready(began, before)
                return self._ended_well(crawl, self._clock() - began)
            before = self._wait_until_ready(began, None)
        raise self._failure(f"was being run by others at each of {MOST_STARTS} tries to start it; run again")

    def _start(self) -> bool:
        """Start a crawl; False when one is at work: another's, or ours if a retried request had started it."""
        try:
            with translated("glue", f"StartCrawler {self._name}"):
                try:
                    self._client.start_crawler(Name=self._name)
                except ClientError as error:
                    if _code(error) != "CrawlerRunningException":
                        raise
                    logger.info("crawler %s is already running", self._name)
                    return False
        except PermanentServiceError as error:
            raise self._explained(error) from error
        logger.info("crawler %s started", self._name)
        return True

    def _wait_until_ready(self, began: float, before: dict[str, Any] | None) -> dict[str, Any] | None:
        """Wait until no crawl is at work, and, when `before` is a last crawl, until there is a newer one."""

    def _look(self) -> dict[str, Any]:
        try:
            with translated("glue", f"GetCrawler {self._name}"):
                crawler: dict[str, Any] = self._client.get_crawler(Name=self._name)["Crawler"]
        except PermanentServiceError as error:
            raise self._explained(error) from error
        return crawler
