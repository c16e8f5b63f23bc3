"""Runs of the flows: recorded by a Prefect server where one is configured, else in place.

Imported only by commands that run a flow, after `ade.checkout.enter`: Prefect takes seconds to load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import httpx
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL, get_current_settings

from adverse_events.errors import TransientServiceError
from flows.backfill import backfill_adverse_events
from flows.comply import comply_with_deletions
from flows.detect import detect_adverse_events
from flows.flight_check import flight_check
from flows.listen import listen_adverse_events
from flows.monitor import monitor_adverse_events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prefect import Flow, State

    from adverse_events.accounting import RunAccount
    from adverse_events.compliance.comply import ComplianceAccount

SERVER_PATIENCE = 5.0
"""Seconds a configured server has to say that it is there."""

FLOWS: Mapping[str, Flow[..., Any]] = {
    "detect": detect_adverse_events,
    "backfill": backfill_adverse_events,
    "listen": listen_adverse_events,
    "comply": comply_with_deletions,
    "flight-check": flight_check,
    "monitor": monitor_adverse_events,
}


@dataclass(frozen=True)
class FlowRun:
    """What a run came to, and where its record is kept.

    Attributes:
        account: The closed account.
        url: Page of the run in the Prefect UI; None when no server keeps a record.
    """

    account: RunAccount
    url: str | None


def run_flow(name: Literal["detect", "backfill"], parameters: Mapping[str, Any]) -> FlowRun:
    """Run a flow to its end.

    Raises:
        TransientServiceError: A server is configured and does not answer.
        AdverseEventsError: Whatever the flow raised.
    """
    return FlowRun(*run_to_end(name, parameters))


def run_to_end(name: str, parameters: Mapping[str, Any]) -> tuple[Any, str | None]:
    """Run a flow of `FLOWS` to its end; returns its result and the page of its record. Errors as for `run_flow`."""
    flow = FLOWS[name]
    api = PREFECT_API_URL.value()
    if not api:
        return flow.fn(**parameters), None
    _check_server(api)
    state = cast("State[Any]", flow(**parameters, return_state=True))
    return state.result(), _run_page(api, state.state_details.flow_run_id)


def run_compliance(parameters: Mapping[str, Any]) -> tuple[ComplianceAccount, str | None]:
    """Run the compliance flow to its end; returns its account, and its page in the Prefect UI where there is one.

    Raises:
        TransientServiceError: A server is configured and does not answer.
        AdverseEventsError: Whatever the flow raised.
    """
    return run_to_end("comply", parameters)


def _check_server(api: str) -> None:
    settings = get_current_settings().api
    verify: Any = False if settings.tls_insecure_skip_verify else settings.ssl_cert_file or True
    try:
        httpx.get(f"{api}/health", timeout=SERVER_PATIENCE, verify=verify).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        detail = f"does not answer ({type(error).__name__}); start it with make up or unset PREFECT_API_URL"
        raise TransientServiceError("Prefect server", api, detail) from error


def _run_page(api: str, run_id: object) -> str:
    ui = PREFECT_UI_URL.value() or api.removesuffix("/api")
    return f"{ui}/runs/flow-run/{run_id}"
