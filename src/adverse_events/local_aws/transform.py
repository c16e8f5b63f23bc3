"""Batch Transform jobs that transform: a created one reads S3, asks the container line by line, and writes S3.

The control plane on this machine calls a job Completed the moment it is created; what a job is at is kept here and laid
over its answers.
"""

from __future__ import annotations

import json
import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from adverse_events.local_aws.inside import split_url
from adverse_events.local_aws.wire import error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from werkzeug.wrappers import Response

    from adverse_events.local_aws.container import Container
    from adverse_events.local_aws.inside import Inside

SERVICE = "sagemaker"
_MEGABYTE = 1 << 20
_DEFAULT_PAYLOAD_MB = 6
_OK = 200


class JobError(Exception):
    """Why a job failed, as its FailureReason says."""


class TransformJobs:
    """Runs the Batch Transform jobs that are created.

    Args:
        inside: Where S3 and the control plane answer.
        container: Runs the model.
    """

    def __init__(self, inside: Inside, container: Container) -> None:
        """Start without a job."""
        self._inside, self._container = inside, container
        self._lock = Lock()
        self._states: dict[str, dict[str, Any]] = {}
        self._stops: dict[str, Event] = {}

    def created(self, job: dict[str, Any]) -> None:
        """Run a job that the control plane has accepted.

        Args:
            job: The CreateTransformJob request.
        """
        name = job["TransformJobName"]
        with self._lock:
            self._states[name] = {"TransformJobStatus": "InProgress"}
            self._stops[name] = Event()
        Thread(target=self._run, args=(job,), name=f"transform job {name}", daemon=True).start()

    def stop(self, name: str) -> Response | None:
        """Ask job `name` to stop; returns AWS's error, None when it will."""
        with self._lock:
            if self._states.get(name, {}).get("TransformJobStatus") != "InProgress":
                return error(SERVICE, "ValidationException", f"The job {name} is not in progress.", 400)
            self._states[name]["TransformJobStatus"] = "Stopping"
            self._stops[name].set()
        return None

    def described(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return a DescribeTransformJob answer with what the job is at."""
        with self._lock:
            state = dict(self._states.get(job["TransformJobName"], {}))
        if "TransformEndTime" not in state:
            job = {name: value for name, value in job.items() if name != "TransformEndTime"}
        return {**{name: value for name, value in job.items() if name != "FailureReason"}, **state}

    def _run(self, job: dict[str, Any]) -> None:
        name = job["TransformJobName"]
        outcome = {"TransformJobStatus": "Failed", "FailureReason": "InternalServerError: see the job's log"}
        try:
            is_whole = self._transform(job, self._stops[name])
            outcome = {"TransformJobStatus": "Completed" if is_whole else "Stopped"}
        except JobError as failed:
            outcome["FailureReason"] = str(failed)
        except ClientError as failed:
            outcome["FailureReason"] = f"ClientError: {failed.response['Error']['Message']}"
        except (BotoCoreError, httpx.HTTPError) as failed:  # as when this machine's services are being stopped
            outcome["FailureReason"] = f"InternalServerError: {type(failed).__name__}"
        finally:
            with self._lock:
                self._states[name] = {**outcome, "TransformEndTime": time.time()}

    def _transform(self, job: dict[str, Any], stop: Event) -> bool:
        """Transform every input file that can be; False when the job was stopped before the last.

        Raises:
            JobError: There is none, or one could not be transformed: it has no output, the others have.
        """
        source = job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        bucket, prefix = split_url(source)
        keys = self._inside.keys(source)
        if not keys:
            msg = f"ClientError: No files found under {source}"
            raise JobError(msg)
        out_bucket, out_prefix = split_url(job["TransformOutput"]["S3OutputPath"])
        failed: JobError | None = None
        for key in keys:
            if stop.is_set():
                return False
            lines = self._inside.read(bucket, key).splitlines(keepends=True)
            try:
                written = b"".join(self._answered(job, lines, stop))
            except JobError as failure:
                failed = failure
                continue
            # The folder below the given prefix is kept in the output (SageMaker developer guide, Batch Transform).
            name = key.removeprefix(prefix).lstrip("/") or key.rpartition("/")[2]
            self._inside.write(out_bucket, f"{out_prefix.rstrip('/')}/{name}.out".lstrip("/"), written)
        if failed:
            raise failed
        return not stop.is_set()

    def _answered(self, job: dict[str, Any], lines: Sequence[bytes], stop: Event) -> Iterator[bytes]:
        """Yield the output lines for those of one file."""
        processing = job.get("DataProcessing", {})
        content_type = job["TransformInput"].get("ContentType", "application/jsonlines")
        accept = job["TransformOutput"].get("Accept", content_type)
        for request in requests_of(lines, job):
            if stop.is_set():
                return
            answer = self._container.invoke(b"".join(request), content_type, accept)
            if answer.status != _OK:
                msg = f"ClientError: See job logs for more information: the model answered {answer.status}"
                raise JobError(msg)
            given = [line for line in answer.body.split(b"\n") if line.strip()]
            if processing.get("JoinSource") != "Input":
                yield answer.body if answer.body.endswith(b"\n") else answer.body + b"\n"
                continue
            if len(given) != len(request):
                msg = f"ClientError: {len(given)} records came back for {len(request)}; they cannot be joined"
                raise JobError(msg)
            for line, scores in zip(request, given, strict=True):
                joined = {**json.loads(line), "SageMakerOutput": json.loads(scores)}
                yield json.dumps(filtered(joined, processing.get("OutputFilter", "$"))).encode() + b"\n"


def requests_of(lines: Sequence[bytes], job: dict[str, Any]) -> Iterator[list[bytes]]:
    """Yield the lines of each request: one with SingleRecord, else as many as fit MaxPayloadInMB.

    Raises:
        JobError: The file is not split by line.
    """
    if job["TransformInput"].get("SplitType", "None") != "Line":
        msg = "ClientError: only SplitType Line is served on this machine"
        raise JobError(msg)
    room = job.get("MaxPayloadInMB", _DEFAULT_PAYLOAD_MB) * _MEGABYTE
    request: list[bytes] = []
    n_bytes = 0
    for line in filter(bytes.strip, lines):
        if request and (job.get("BatchStrategy") == "SingleRecord" or n_bytes + len(line) > room):
            yield request
            request, n_bytes = [], 0
        request.append(line)
        n_bytes += len(line)
    if request:
        yield request


def filtered(record: dict[str, Any], path: str) -> Any:
    """Return what the JSONPath `path` leaves of `record`: ``$``, ``$.name`` or ``$['one','two']``.

    Raises:
        JobError: Another path.
    """
    if path == "$":
        return record
    if path.startswith("$[") and path.endswith("]"):
        names = [name.strip().strip("'\"") for name in path[2:-1].split(",")]
        return {name: record[name] for name in names if name in record}
    if path.startswith("$.") and path[2:].isidentifier():
        return record.get(path[2:])
    msg = f"ClientError: the filter {path} is not served on this machine"
    raise JobError(msg)
