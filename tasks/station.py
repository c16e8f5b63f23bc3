"""The house policy of a task: what every station shares.

Under a flow run a station is an ordinary Prefect task. Called with no flow run around it, as `ade` does when
no Prefect server is configured, it runs in place: nothing would keep its record, so none is made. Retries
hold in both cases.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import stamina
from prefect import Task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.events import emit_event
from prefect.settings import get_current_settings
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from adverse_events import progress
from adverse_events.errors import TransientServiceError
from adverse_events.staging import Batch
from tasks.blocks import aws_sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from prefect.client.schemas.objects import State, TaskRun
    from prefect.futures import PrefectFuture
    from prefect.task_runners import TaskRunner

P = ParamSpec("P")
R = TypeVar("R")

# Prefect gives these lines a way into the run's log (prefect.toml), but leaves them the root's level, WARNING.
logging.getLogger("adverse_events").setLevel(logging.INFO)

RETRIES = 4
"""Further tries after a transient failure; with doubling pauses they outlast a minute of throttling."""


BATCHES_AT_ONCE = 4
"""Batches under way together. The embedded model already takes every core; a remote one waits on the network."""

STATIONS_PER_BATCH = 4


def station_runner() -> TaskRunner[PrefectFuture[Any]]:
    """Return the threads stations run on: a batch holds one for each station, waiting for the one before."""
    return cast(
        "TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=BATCHES_AT_ONCE * STATIONS_PER_BATCH)
    )


def keeps_result() -> bool:
    """Say whether a flow's account is kept: where the deployment sets PREFECT_RESULTS_PERSIST_BY_DEFAULT, else not.

    Read when a flow's file is loaded, which each run does in a process of its own. What a station returns never is.
    """
    return get_current_settings().results.persist_by_default


class Station(Task[P, R]):
    """A task that also runs where no flow run is."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        """Run the station: under the flow run there is, else in place."""
        if FlowRunContext.get():
            return super().__call__(*args, **kwargs)
        return self._in_place(*args, **kwargs)

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Hand the station to the flow's task runner, or run it now and return its finished future."""
        if FlowRunContext.get():
            return super().submit(*args, **kwargs)
        future: Future[R] = Future()
        future.set_result(self._in_place(*map(_settled, args), **{k: _settled(v) for k, v in kwargs.items()}))
        return future

    def _in_place(self, *args: Any, **kwargs: Any) -> R:
        for attempt in stamina.retry_context(on=TransientServiceError, attempts=RETRIES + 1, timeout=None):
            with attempt:
                return self.fn(*args, **kwargs)
        raise AssertionError  # stamina returns or raises above


def station(name: str) -> Callable[[Callable[P, R]], Station[P, R]]:
    """Make a station of a function: retried when asking again can help, never cached, its progress named.

    No time limit: Prefect cannot interrupt a task in a worker thread; a limit would only fail it after the fact.

    Args:
        name: The station's name in the Prefect UI and on progress bars.
    """

    def wrap(function: Callable[P, R]) -> Station[P, R]:
        return Station(
            progress.of_station(name)(_timed(name, aws_sessions()(function))),
            name=name,
            retries=RETRIES,
            retry_delay_seconds=exponential_backoff(2),
            retry_jitter_factor=0.5,
            retry_condition_fn=worth_retrying,
            cache_policy=NO_CACHE,
            persist_result=False,
        )

    return wrap


def worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Say whether asking again can help: only after a `TransientServiceError`."""
    return isinstance(state.result(raise_on_failure=False), TransientServiceError)


def publish(key: str, markdown: Callable[[], str], description: str) -> None:
    """Keep a text as an artifact of the flow run; without a flow run there is nothing to attach it to.

    Args:
        key: Name of the artifact.
        markdown: Makes the text; not called where it would not be kept, for it may read a lake.
        description: What the artifact is.
    """
    if FlowRunContext.get():
        create_markdown_artifact(markdown(), key=key, description=description)


def announce(event: str, resource_id: str, payload: dict[str, Any]) -> None:
    """Raise a Prefect event of the flow run; without a flow run nobody listens.

    Args:
        event: Its name, such as adverse-events.monitor.crossed.
        resource_id: What it is about.
        payload: Plain JSON values; never a word of a post.
    """
    context = FlowRunContext.get()
    if context and context.flow_run:
        emit_event(
            event,
            resource={"prefect.resource.id": resource_id},
            related=[of_flow_run(context.flow_run.id)],
            payload=payload,
        )


def of_flow_run(run_id: object) -> dict[str, str]:
    """Return the resource by which an event names its flow run."""
    return {"prefect.resource.id": f"prefect.flow-run.{run_id}", "prefect.resource.role": "flow-run"}


def _timed(name: str, function: Callable[P, R]) -> Callable[P, R]:
    @wraps(function)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        started = time.perf_counter()
        result = function(*args, **kwargs)
        if isinstance(result, Batch):
            return cast("R", result.took(name, time.perf_counter() - started))
        return result

    return timed


def _settled(value: Any) -> Any:
    return value.result() if isinstance(value, Future) else value
