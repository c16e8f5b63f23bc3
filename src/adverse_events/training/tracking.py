"""Runs kept in MLflow: parameters, curves, artifacts and the hashes of the data, in SQLite or on SageMaker.

MLflow would add who ran what from where; that is overwritten, and its own telemetry is off. Texts never go there.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, Field

from adverse_events.errors import PermanentServiceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SQLITE = "sqlite:///"
_LONGEST = 500
"""Characters of a parameter's value; MLflow's own limit is 6,000."""

_PRIVATE_TAGS = {"mlflow.user": "unnamed", "mlflow.source.name": "adverse_events", "mlflow.source.type": "JOB"}
"""Tags that MLflow fills with the user's name and the script's path unless they are given."""


class TrackingSettings(BaseModel, frozen=True, extra="forbid"):
    """Where runs are kept."""

    uri: str = Field(
        "sqlite:///mlflow.db",
        description="MLflow's store: sqlite:///FILE, an http(s) server, or the ARN of a SageMaker-managed one.",
    )
    experiment: str = Field("ade-classifier", min_length=1, description="Experiment that runs are filed under.")


class MlflowTracker:
    """One run in MLflow; what the training entry point calls a tracker.

    Args:
        settings: Where to keep it.
        name: Name of the run.

    Raises:
        UsageError: A store that this installation cannot use.
    """

    def __init__(self, settings: TrackingSettings, name: str) -> None:
        """Open the store and the experiment, making either where it is missing."""
        self._client = _client(settings)
        self._name = name
        self._run_id = ""
        with _translated(settings.uri):
            found = self._client.get_experiment_by_name(settings.experiment)
            self._experiment = found.experiment_id if found else self._create(settings)

    def start(self, parameters: Mapping[str, Any]) -> None:
        """Begin a run with its recipe and the hashes of its data."""
        with _translated(self._name):
            run = self._client.create_run(self._experiment, run_name=self._name, tags=_PRIVATE_TAGS)
            self._run_id = run.info.run_id
            for key, value in parameters.items():
                self._client.log_param(self._run_id, key, str(value)[:_LONGEST])

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Record metrics of one epoch at a step."""
        with _translated(self._name):
            for key, value in metrics.items():
                self._client.log_metric(self._run_id, key, float(value), step=step)

    def finish(self, artifacts: Sequence[Path]) -> None:
        """End the run with the files it made; folders are kept whole."""
        with _translated(self._name):
            for path in artifacts:
                if path.is_dir():
                    self._client.log_artifacts(self._run_id, str(path), path.name)
                else:
                    self._client.log_artifact(self._run_id, str(path))
            self._client.set_terminated(self._run_id)

    def fail(self) -> None:
        """End the run as failed, if one was begun."""
        if self._run_id:
            with _translated(self._name):
                self._client.set_terminated(self._run_id, status="FAILED")

    def __enter__(self) -> Self:
        """Return this tracker."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the run as failed where something went wrong."""
        if kind is not None:
            self.fail()

    def _create(self, settings: TrackingSettings) -> str:
        location = None
        if settings.uri.startswith(SQLITE):
            # Beside the database: otherwise artifacts would land in the current folder, wherever that is.
            location = Path(settings.uri.removeprefix(SQLITE)).resolve().with_suffix(".artifacts").as_uri()
        return str(self._client.create_experiment(settings.experiment, artifact_location=location))


def _client(settings: TrackingSettings) -> Any:
    if settings.uri.startswith("file:") or not ("://" in settings.uri or settings.uri.startswith("arn:")):
        msg = f"tracking.uri {settings.uri} is no store that MLflow still supports; use {SQLITE}FILE"
        raise UsageError(msg)
    # MLflow reads it at its import, and takes DO_NOT_TRACK for set only where it says "true".
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        from mlflow.tracking import MlflowClient  # noqa: PLC0415 - takes seconds, and is an extra
    except ImportError as error:
        msg = f"{error.name} is not installed; in the checkout: pip install -c constraints.txt -e '.[train]'"
        raise UsageError(msg) from error
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if settings.uri.startswith(SQLITE):
        Path(settings.uri.removeprefix(SQLITE)).resolve().parent.mkdir(parents=True, exist_ok=True)
    with _translated(settings.uri):
        return MlflowClient(tracking_uri=settings.uri)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - as above

    try:
        yield
    except MlflowException as error:
        if "Unsupported URI" in str(error) or "UnsupportedModelRegistry" in type(error).__name__:
            msg = f"tracking.uri {what} needs a plugin that is not installed: pip install sagemaker-mlflow"
            raise UsageError(msg) from error
        raise PermanentServiceError("mlflow", what, type(error).__name__) from error
