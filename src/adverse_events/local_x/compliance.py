"""Batch compliance jobs: ids go up, and a list of those that must go comes back.

Source:
    "Batch compliance", X API v2 documentation, read 2026-11. How X words the refusal of a second job at once is not
    documented; a 409 stands for it here.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adverse_events.local_x.problems import invalid, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from adverse_events.local_x.state import State

TYPES = frozenset({"tweets", "users"})
STATUSES = frozenset({"created", "in_progress", "complete", "expired", "failed"})
UPLOAD_S, DOWNLOAD_S = 15 * 60, 7 * 24 * 3600
LONGEST_NAME = 64


@dataclass
class Job:
    """One job.

    Attributes:
        number: Its id.
        type: tweets or users.
        name: As its maker named it.
        created: Seconds since 1970, by the server's clock; so the others.
        status: As X names it.
        uploaded: When its ids came.
        ids: What came.
        result: Its lines, once it is complete.
    """

    number: int
    type: str
    name: str
    created: float
    status: str = "created"
    uploaded: float = 0.0
    ids: list[str] = field(default_factory=list)
    result: bytes = b""


@dataclass
class Jobs:
    """The jobs of one server, and how they fare.

    Attributes:
        takes_s: Seconds from upload to completion, by the server's clock.
        fails_next: Jobs that will fail instead of completing.
        reasons: Reason by id, where it is neither of `State.why_hidden`.
    """

    takes_s: float = 60.0
    fails_next: int = 0
    reasons: dict[str, str] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)


def routes(state: State) -> list[Route]:
    """Return the routes of compliance jobs; their addresses of files take no token."""
    desk = _Desk(state)
    path = "/2/compliance/jobs"
    return [
        Route(path, desk.create, methods=["POST"], name="compliance/create"),
        Route(path, desk.list, methods=["GET"], name="compliance/list"),
        Route(f"{path}/{{number:int}}", desk.show, methods=["GET"], name="compliance/job"),
        Route("/signed/compliance/{number:int}/ids", desk.upload, methods=["PUT"], name="upload"),
        Route("/signed/compliance/{number:int}/result", desk.download, methods=["GET"], name="download"),
    ]


class _Desk:
    def __init__(self, state: State) -> None:
        self._state, self._jobs = state, state.compliance

    async def create(self, request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
        except ValueError:
            asked = None
        kind = asked.get("type") if isinstance(asked, dict) else None
        if kind not in TYPES:
            return invalid({"type": kind}, "The `type` field must be one of tweets, users")
        name = str(asked.get("name", ""))
        if len(name) > LONGEST_NAME:
            return invalid({"name": name}, f"The `name` field must be at most {LONGEST_NAME} characters")
        with self._settled() as jobs:
            if any(job.type == kind and job.status in {"created", "in_progress"} for job in jobs.values()):
                return problem(409, "Conflict", "You have reached the limit of concurrent jobs of this type: 1")
            job = Job(1_700_000_000_000_000_000 + len(jobs), kind, name, self._state.clock.seconds())
            jobs[job.number] = job
        return JSONResponse({"data": _sent(job, request)})

    def list(self, request: Request) -> Response:
        params = dict(request.query_params)
        if params.get("type") not in TYPES:
            return invalid({"type": params.get("type")}, "The `type` query parameter must be one of tweets, users")
        status = params.get("status")
        if status is not None and status not in STATUSES:
            return invalid({"status": status}, "The `status` query parameter is not known")
        with self._settled() as jobs:
            found = [j for j in jobs.values() if j.type == params["type"] and status in {None, j.status}]
        sent = [_sent(job, request) for job in sorted(found, key=lambda job: -job.number)]
        meta = {"meta": {"result_count": len(sent)}}
        return JSONResponse({"data": sent, **meta} if sent else meta)

    def show(self, request: Request) -> Response:
        with self._settled() as jobs:
            job = jobs.get(int(request.path_params["number"]))
        if job is None:
            return problem(404, "Not Found Error", "Could not find job with id", "resource-not-found")
        return JSONResponse({"data": _sent(job, request)})

    async def upload(self, request: Request) -> Response:
        body = await request.body()
        with self._settled() as jobs:
            job = jobs.get(int(request.path_params["number"]))
            if job is None or job.status != "created":
                return Response("this address is no longer good", 403)
            job.ids = body.decode().split()
            job.uploaded, job.status = self._state.clock.seconds(), "in_progress"
        return Response(status_code=200)

    def download(self, request: Request) -> Response:
        with self._settled() as jobs:
            job = jobs.get(int(request.path_params["number"]))
            if job is None or job.status != "complete":
                return Response("this address is no longer good", 403)
            return Response(job.result, media_type="text/plain")

    @contextmanager
    def _settled(self) -> Iterator[dict[int, Job]]:
        with self._state.lock:
            _settle(self._jobs, self._state)
            yield self._jobs.jobs


def _settle(jobs: Jobs, state: State) -> None:
    """Let every job be what it is by now."""
    now = state.clock.seconds()
    for job in jobs.jobs.values():
        if (job.status == "created" and now > job.created + UPLOAD_S) or (
            job.status == "complete" and now > job.uploaded + jobs.takes_s + DOWNLOAD_S
        ):
            job.status = "expired"
        elif job.status == "in_progress" and now >= job.uploaded + jobs.takes_s:
            if jobs.fails_next:
                jobs.fails_next -= 1
                job.status = "failed"
            else:
                job.status, job.result = "complete", _result(job, jobs, state)


def _result(job: Job, jobs: Jobs, state: State) -> bytes:
    lines = []
    for tweet_id in dict.fromkeys(job.ids):
        hidden = state.why_hidden(int(tweet_id)) if tweet_id.isdecimal() else None
        reason = jobs.reasons.get(tweet_id) or (None if hidden == "edited" else hidden)
        if reason:
            moment = _moment(job.uploaded)
            line = {"id": tweet_id, "action": "delete", "created_at": moment, "redacted_at": moment, "reason": reason}
            lines.append(json.dumps(line if reason != "scrub_geo" else {**line, "action": "scrub_geo"}))
    return "".join(f"{line}\n" for line in lines).encode()


def _sent(job: Job, request: Request) -> dict[str, Any]:
    base = f"{request.base_url}signed/compliance/{job.number}"
    return {
        "id": str(job.number),
        "type": job.type,
        "name": job.name,
        "status": job.status,
        "resumable": False,
        "created_at": _moment(job.created),
        "upload_url": f"{base}/ids",
        "upload_expires_at": _moment(job.created + UPLOAD_S),
        "download_url": f"{base}/result",
        "download_expires_at": _moment(job.created + DOWNLOAD_S),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
