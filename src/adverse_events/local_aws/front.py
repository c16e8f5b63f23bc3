"""The one door: every request of a client comes in here, is counted, may be struck by a fault, and is passed on."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Request, Response

from adverse_events.local_aws.athena import Athena
from adverse_events.local_aws.wire import Call, call_of, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adverse_events.local_aws.counts import Counts
    from adverse_events.local_aws.crawler import Crawlers
    from adverse_events.local_aws.faults import Faults
    from adverse_events.local_aws.runtime import Endpoints
    from adverse_events.local_aws.transform import TransformJobs
    from adverse_events.local_aws.wire import Handler

_BAD_REQUEST = 400
_CONDITIONS = ("If-Match", "If-None-Match")


class ControlPlane:
    """moto, which keeps what the services of this machine hold in memory.

    All of them in one process share one memory: `reset` forgets it.
    """

    def __init__(self) -> None:
        """Make the application; a service's part is loaded when it is first asked."""
        self._app = _Dispatcher(create_backend_app)
        self._one_at_a_time = Lock()

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        # moto checks a condition and stores in two steps; S3 does both in one.
        is_conditional = any(name in request.headers for name in _CONDITIONS)
        with self._one_at_a_time if is_conditional else nullcontext():
            return Response.from_app(self._app, _unread(request), buffered=True)

    def reset(self) -> None:
        """Forget everything."""
        Response.from_app(self._app, Request.from_values("/moto-api/reset", method="POST").environ, buffered=True)


class _Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]
    """moto's choice of who answers a host, made once per host: moto itself lists its folder at every request."""

    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        """Know no host yet."""
        super().__init__(create_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return moto's name of the service that answers `host`; moto calls this one at a time."""
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


class Front:
    """Passes each request on to whom it is for.

    Args:
        control: Answers what nobody else does.
        apps: Who answers a service's requests, by boto3's name of the service.
        athena: Answers queries.
        crawlers: Run what Glue starts.
        jobs: Run what SageMaker creates.
        endpoints: What the endpoints are at.
    """

    def __init__(
        self,
        control: ControlPlane,
        apps: Mapping[str, Handler],
        athena: Athena,
        crawlers: Crawlers,
        jobs: TransformJobs,
        endpoints: Endpoints,
    ) -> None:
        """Know whom to ask."""
        self._control, self._apps, self._athena = control, apps, athena
        self._crawlers, self._jobs, self._endpoints = crawlers, jobs, endpoints

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        call = call_of(request)
        if call.service in self._apps:
            return self._apps[call.service](request)
        if call.service == "athena" and call.operation in Athena.OPERATIONS:
            return self._athena(request)
        worker = _WORKERS.get(call)
        return worker(self, request) if worker else self._control(request)

    def _start_crawler(self, request: Request) -> Response:
        return self._crawlers.start(request.get_json(force=True)["Name"]) or json_answer({})

    def _get_crawler(self, request: Request) -> Response:
        return self._overlaid(request, lambda said: {"Crawler": self._crawlers.described(said["Crawler"])})

    def _get_crawlers(self, request: Request) -> Response:
        return self._overlaid(
            request, lambda said: {**said, "Crawlers": [self._crawlers.described(each) for each in said["Crawlers"]]}
        )

    def _describe_endpoint(self, request: Request) -> Response:
        return self._overlaid(request, self._endpoints.described)

    def _create_transform_job(self, request: Request) -> Response:
        answer = self._control(request)
        if answer.status_code < _BAD_REQUEST:
            self._jobs.created(request.get_json(force=True))
        return answer

    def _describe_transform_job(self, request: Request) -> Response:
        return self._overlaid(request, self._jobs.described)

    def _stop_transform_job(self, request: Request) -> Response:
        return self._jobs.stop(request.get_json(force=True)["TransformJobName"]) or json_answer({})

    def _overlaid(self, request: Request, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
        """Return what the control plane answers, changed where it answers at all."""
        answer = self._control(request)
        return answer if answer.status_code >= _BAD_REQUEST else json_answer(change(json.loads(answer.get_data())))


_WORKERS: dict[Call, Callable[[Front, Request], Response]] = {
    Call("glue", "StartCrawler"): Front._start_crawler,  # noqa: SLF001 - its own methods, by operation
    Call("glue", "GetCrawler"): Front._get_crawler,  # noqa: SLF001
    Call("glue", "GetCrawlers"): Front._get_crawlers,  # noqa: SLF001
    Call("sagemaker", "DescribeEndpoint"): Front._describe_endpoint,  # noqa: SLF001
    Call("sagemaker", "CreateTransformJob"): Front._create_transform_job,  # noqa: SLF001
    Call("sagemaker", "DescribeTransformJob"): Front._describe_transform_job,  # noqa: SLF001
    Call("sagemaker", "StopTransformJob"): Front._stop_transform_job,  # noqa: SLF001
}


def watched(front: Handler, counts: Counts, faults: Faults) -> Handler:
    """Return `front` as clients see it: counted, and failing as the switches say."""

    def answer(request: Request) -> Response:
        call = call_of(request)
        counts.asked(*call)
        return faults.carry_out(request, call, front)

    return answer


def _unread(request: Request) -> dict[str, Any]:
    """Return the request for a further application, its body as if nobody had read it."""
    environ = dict(request.environ)
    if "wsgi.input_terminated" not in environ:
        environ["wsgi.input"] = io.BytesIO(request.get_data())
    return environ
