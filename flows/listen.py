"""Listen to X's stream: posts land first, are assessed at once, and reach the lake window by window."""

from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from adverse_events import assembly
from adverse_events.settings import load_settings
from adverse_events.source.archive import LANDING
from flows.row_path import write_landed
from tasks.blocks import aws_sessions, resolve
from tasks.listen import listening, report_listening
from tasks.station import keeps_result, station_runner


@flow(
    name="listen-adverse-events", task_runner=station_runner(), persist_result=keeps_result(), result_serializer="json"
)
def listen_adverse_events(
    lake: str | None = None,
    minutes: Annotated[float, Field(ge=0)] = 0,
    options: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Listen until told to stop, and return what that came to.

    What the landing store has acknowledged survives a kill at any moment; the next run fetches what was posted in
    between, and writes the windows that were left. SIGTERM and SIGINT end a run in good order.

    Args:
        lake: Folder of the lake. Empty: the lake.path setting.
        minutes: End after so many minutes; 0: when told to.
        options: Further settings by dotted name, such as {"search.drugs": "sertraline"}.
    """
    settings = assembly.with_model_fixed(resolve(load_settings(options, {"source.path": LANDING, "lake.path": lake})))

    with aws_sessions(), listening(settings, minutes) as listener:
        while due := listener.next_due():
            write_landed(due, listener, settings)
    return report_listening(listener.account)
