"""Batch compliance jobs of X: which of the posts that are held may no longer be kept.

A job is known by its name, a hash of its ids: a run that was killed finds the job it had made and goes on with it,
and no state is kept here. X runs one job of a type at a time.

Source:
    "Batch compliance", X API v2 documentation, read 2026-11.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from adverse_events.compliance.deletion_list import KEEPS_POST, Deletion, reason_of
from adverse_events.errors import AnswerError, PermanentServiceError, TransientServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from adverse_events.source.x.client import XClient

logger = logging.getLogger("adverse_events.comply")

SERVICE = "X API"
JOB = "X API compliance job"
JOBS = "/2/compliance/jobs"
IDS_PER_JOB = 1_000_000
NAME = "adverse-events-"
LONGEST_ID_DIGITS = 19
MARGIN_S = 60
"""An address that expires sooner is not used any more."""

FRESH_S = 6 * 3600
"""Age of a job whose answer still counts: a killed run goes on with it, the next day's run asks anew."""

_UNDER_WAY = frozenset({"created", "in_progress"})
_DIGITS = 16


@dataclass
class Checked:
    """What asking X came to; complete once the deletions were taken.

    Attributes:
        n_asked: Distinct ids asked about.
        n_not_of_x: Ids held that X cannot know: derived from the text, or of another channel.
        n_deletions: Posts to delete.
        n_kept_posts: Posts of which X wants only the place forgotten.
    """

    n_asked: int = 0
    n_not_of_x: int = 0
    n_deletions: int = 0
    n_kept_posts: int = 0


@dataclass(frozen=True)
class BatchJobs:
    """Asks X which posts are gone.

    Attributes:
        client: Asks as one App.
        poll_s: Seconds between two looks at a job.
        patience_s: Longest wait for one job, seconds; a later run goes on with it.
        sleep: How to wait.
        clock: Seconds since 1970.
    """

    client: XClient
    poll_s: float = 30.0
    patience_s: float = 3600.0
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.time
    checked: Checked = field(default_factory=Checked)

    def gone(self, ids: Iterator[str] | Sequence[str]) -> Iterator[Deletion]:
        """Yield the posts among `ids` that X says are gone, with its reason.

        Raises:
            TransientServiceError: X did not answer, or another job of this App is under way.
            PermanentServiceError: X refused, the job failed twice, or it is not done in time: run again to go on.
            AnswerError: A line of the result is no JSON.
        """
        of_x = set()
        for each in ids:
            if each.isdecimal() and each.isascii() and len(each) <= LONGEST_ID_DIGITS:
                of_x.add(each)
            else:
                self.checked.n_not_of_x += 1
        self.checked.n_asked = len(of_x)
        left = iter(sorted(of_x))
        while some := list(islice(left, IDS_PER_JOB)):
            yield from self._read(self._result(some), frozenset(some))

    def _result(self, ids: Sequence[str]) -> list[bytes]:
        content = "".join(f"{each}\n" for each in ids).encode()
        name = f"{NAME}{hashlib.sha256(content).hexdigest()[:_DIGITS]}"
        job = self._found(name) or self._created(name)
        for is_last in (False, True):
            if job["status"] == "created":
                self.client.upload(_given(job, "upload_url"), content)
            job = self._settled(job)
            if job["status"] == "complete":
                return self.client.download(_given(job, "download_url"))
            logger.warning("compliance job %s %s", job["id"], job["status"])
            if not is_last:
                job = self._created(name)
        detail = f"job {job['id']} {job['status']}, and the one before it; look into it in the developer console"
        raise PermanentServiceError(SERVICE, "compliance job", detail)

    def _found(self, name: str) -> dict[str, Any] | None:
        """Return the newest job of this name that can still be used; raise where another is in the way."""
        jobs = self.client.get(JOBS, {"type": "tweets"}).get("data") or []
        for job in sorted((_checked(job) for job in jobs), key=lambda job: -int(job["id"])):
            if job.get("name") == name and self._is_usable(job):
                return job
            if job.get("name") != name and job["status"] in _UNDER_WAY:
                detail = (
                    f"job {job['id']} ({job.get('name')}) is under way, and X runs one at a time; run again when it "
                    "is done (a job that never got its ids ends by itself after 15 minutes)"
                )
                raise TransientServiceError(SERVICE, "compliance job", detail)
        return None

    def _is_usable(self, job: dict[str, Any]) -> bool:
        limits = {"created": "upload_expires_at", "complete": "download_expires_at"}
        if job["status"] == "complete" and _seconds(job.get("created_at")) < self.clock() - FRESH_S:
            return False
        if job["status"] == "in_progress":
            return True
        expires = limits.get(job["status"])
        return expires is not None and _seconds(job.get(expires)) > self.clock() + MARGIN_S

    def _created(self, name: str) -> dict[str, Any]:
        try:
            return _checked(self.client.post(JOBS, {"type": "tweets", "name": name}).get("data"))
        except PermanentServiceError:
            # The answer to an earlier try may have been lost: then the job that is in the way is this one.
            job = self._found(name)
            if job is None:
                raise
            return job

    def _settled(self, job: dict[str, Any]) -> dict[str, Any]:
        deadline = self.clock() + self.patience_s
        while True:
            job = _checked(self.client.get(f"{JOBS}/{job['id']}").get("data"))
            if job["status"] not in _UNDER_WAY:
                return job
            if self.clock() >= deadline:
                # Not a transient error, though it will pass: who waited so long should not wait again at once.
                detail = f"job {job['id']} is not done after {self.patience_s:.0f} s; run again later to go on with it"
                raise PermanentServiceError(SERVICE, "compliance job", detail)
            self.sleep(self.poll_s)

    def _read(self, lines: list[bytes], asked: frozenset[str]) -> Iterator[Deletion]:
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                tweet_id, given = str(entry["id"]), entry.get("reason") or entry.get("action")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                detail = f"line {number} of the job's result cannot be read; run again"
                raise AnswerError(JOB, detail) from error
            if tweet_id not in asked:
                continue
            reason = reason_of(given, "deleted") if isinstance(given, str) else "deleted"
            if reason in KEEPS_POST:
                self.checked.n_kept_posts += 1
                continue
            self.checked.n_deletions += 1
            # A reason that X has added since is a deletion all the same.
            yield Deletion(tweet_id, reason or "deleted")


def _checked(job: Any) -> dict[str, Any]:
    if not isinstance(job, dict) or not str(job.get("id", "")).isdecimal() or not isinstance(job.get("status"), str):
        raise AnswerError(JOB, "the answer describes no job; run again")
    return job


def _given(job: dict[str, Any], name: str) -> str:
    url = job.get(name)
    if not isinstance(url, str):
        raise AnswerError(JOB, f"the answer has no {name}; run again")
    return url


def _seconds(moment: Any) -> float:
    try:
        found = datetime.fromisoformat(str(moment))
    except ValueError:
        return 0.0
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
