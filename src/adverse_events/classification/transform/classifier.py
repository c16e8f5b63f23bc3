"""The classifier as SageMaker Batch Transform jobs: for backfills too large for an endpoint."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from adverse_events.classification.endpoint.asking import score_rows
from adverse_events.classification.endpoint.batches import rechunked
from adverse_events.classification.endpoint.classifier import SageMakerClassifier
from adverse_events.classification.protocol import Scored
from adverse_events.classification.transform.files import JobFolder
from adverse_events.classification.transform.job import JobFailedError, job_name, job_request, run_job
from adverse_events.errors import ContractError, PermanentServiceError, UsageError
from adverse_events.serving import payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from adverse_events.aws.session import Cloud
    from adverse_events.classification.endpoint.identity import Standing
    from adverse_events.classification.endpoint.settings import EndpointSettings
    from adverse_events.classification.transform.files import Part

logger = logging.getLogger(__name__)


class TransformClassifier:
    """Scores texts with the model of an endpoint, in a job of its own; made by `open`.

    All texts of one `score` are one job: they are written to S3 before it starts, and removed with its output after.
    A file of them that the job could not do, for a post that the model refuses or fails on, is asked of the endpoint,
    which finds that post.
    """

    def __init__(
        self, cloud: Cloud, settings: EndpointSettings, endpoint: SageMakerClassifier, model_name: str
    ) -> None:
        """Take what `open` found out."""
        self.identity, self.model_name = endpoint.identity, model_name
        self._cloud, self._settings, self._endpoint = cloud, settings, endpoint
        self._has_asked_endpoint = False

    @classmethod
    def open(cls, cloud: Cloud, settings: EndpointSettings) -> Self:
        """Ask the endpoint what it is, and the control plane which model that is.

        Raises:
            UsageError: No ``transform_path``, or variants of several models and none chosen.
            PermanentServiceError: The endpoint's model may not be seen; or as `SageMakerClassifier.open`.
            TransientServiceError: As `SageMakerClassifier.open`.
            ContractError: As `SageMakerClassifier.open`.
        """
        if not settings.transform_path:
            msg = "a Batch Transform job needs a folder; set endpoint.transform_path to s3://bucket/folder"
            raise UsageError(msg)
        # A wrong path fails here, before a post is read.
        JobFolder(cloud, settings.transform_path, "")
        endpoint = SageMakerClassifier.open(cloud, settings)
        return cls(cloud, settings, endpoint, _only_model(settings.name, endpoint.standing))

    @property
    def model_version(self) -> str:
        """As the endpoint's."""
        return self.identity.model_version

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in column order: sorted, the ADE class last."""
        return self.identity.labels

    @property
    def ade_threshold(self) -> float:
        """As the endpoint's, 0-1."""
        return self.identity.ade_threshold

    @property
    def thresholds(self) -> Mapping[str, float]:
        """As the endpoint's."""
        return self.identity.thresholds

    @property
    def served_by(self) -> str:
        """The model as SageMaker names it, and the endpoint where it was asked too."""
        asked = (f", {self._endpoint.served_by}") if self._has_asked_endpoint else ""
        return f"Batch Transform of model {self.model_name}{asked}"

    def score(self, chunks: Iterable[Sequence[str]]) -> Iterator[Scored]:
        """Score all `chunks` in one job, then yield; see `Classifier.score`."""
        job = job_name(str(self._settings.name))
        lengths: list[int] = []
        with JobFolder(self._cloud, str(self._settings.transform_path), job) as folder:
            parts = folder.write(chunks, lengths)
            is_whole = self._run(job, folder, parts) if any(part.is_sent for part in parts) else True
            outputs = folder.outputs() if parts else {}
            answers = (
                self._scored(job, part, _lines(folder, outputs.get(part.name)))
                if is_whole or part.name in outputs or not part.is_sent
                else self._asked(folder, part)
                for part in parts
            )
            yield from rechunked(answers, deque(lengths), len(self.labels))

    def _run(self, job: str, folder: JobFolder, parts: Sequence[Part]) -> bool:
        """Run the job; returns whether it did every file."""
        logger.info("transform job %s: %d posts in %d files", job, sum(part.n_rows for part in parts), len(parts))
        request = job_request(
            job,
            self.model_name,
            folder,
            self._settings,
            # Only this project's container is known to take many lines at once.
            many_per_request=bool(self.identity.card_version),
            kms_key=self._cloud.settings.kms_key,
        )
        try:
            run_job(self._cloud, request, self._settings.transform_timeout_minutes)
        except JobFailedError as failed:
            logger.warning("%s; the endpoint is asked for the files without output", failed)
            return False
        return True

    def _asked(self, folder: JobFolder, part: Part) -> Scored:
        """Return the scores of a part that the job could not do, asked of the endpoint."""
        self._has_asked_endpoint = True
        (scored,) = self._endpoint.score([folder.texts(part)])
        return _placed(part, scored)

    def _scored(self, job: str, part: Part, lines: Sequence[Any]) -> Scored:
        """Return the scores of one part, its texts and its answers joined by id."""
        who = f"transform job {job}"
        expected = [number for number in range(part.start, part.start + part.n_rows) if number not in part.refusals]
        answers: dict[str, Any] = {}
        strangers: list[str] = []
        waiting = {str(number) for number in expected}
        for line in lines:
            if not isinstance(line, dict) or "id" not in line or "SageMakerOutput" not in line:
                raise ContractError(who, "an output line lacks its id or SageMakerOutput; was the job changed?")
            identifier = str(line["id"])
            if identifier in waiting:
                waiting.remove(identifier)
                answers[identifier] = line["SageMakerOutput"]
            else:
                strangers.append(identifier)
        if waiting or strangers:
            n_double = sum(identifier in answers for identifier in strangers)
            detail = (
                f"of {len(expected)} posts, {len(waiting)} have no answer and {n_double} more than one, and "
                f"{len(strangers) - n_double} answers belong to none; run again"
            )
            # An id that is not ours may be anything, a post included.
            named = sorted(waiting or filter(str.isdecimal, strangers), key=int)
            raise ContractError(who, detail, tuple(named[:_IDS_NAMED]))
        return self._arranged(who, part, [answers[str(number)] for number in expected])

    def _arranged(self, who: str, part: Part, outputs: Sequence[Any]) -> Scored:
        try:
            rows = [
                payload.text_scores(_classes(row), says_truncated=bool(self.identity.card_version)) for row in outputs
            ]
            scored = score_rows(rows, self.labels)
        except payload.PayloadError as error:
            raise ContractError(who, str(error)) from None
        return _placed(part, scored)


def _placed(part: Part, scored: Scored) -> Scored:
    """Return what is said of the texts of `part` that were sent, with those between that were not."""
    if not part.refusals:
        return scored
    refusals = {number - part.start: why for number, why in part.refusals.items()}
    sent = [index for index in range(part.n_rows) if index not in refusals]
    probabilities = np.full((part.n_rows, scored.probabilities.shape[1]), np.nan, np.float32)
    probabilities[sent] = scored.probabilities
    is_truncated: list[bool | None] = [None] * part.n_rows
    for index, cut in zip(sent, scored.is_truncated, strict=True):
        is_truncated[index] = cut
    refusals.update({sent[index]: why for index, why in scored.refusals.items()})
    return Scored(probabilities, is_truncated, refusals)


def _lines(folder: JobFolder, key: str | None) -> list[Any]:
    return folder.read(key) if key else []


def _classes(output: Any) -> Any:
    """Return the classes of one answer: some containers put those of a single text in a list of one."""
    is_nested = isinstance(output, list) and len(output) == 1 and isinstance(output[0], list)
    return output[0] if is_nested else output


def _only_model(endpoint: str | None, standing: Standing) -> str:
    models = sorted({model for model in standing.model_names.values() if model})
    if not models:
        detail = "the endpoint's model cannot be seen; allow sagemaker:DescribeEndpoint and DescribeEndpointConfig"
        raise PermanentServiceError("sagemaker", f"DescribeEndpointConfig of {endpoint}", detail)
    if len(models) > 1:
        msg = f"endpoint {endpoint} serves {' and '.join(models)}; set endpoint.variant to choose one for the job"
        raise UsageError(msg)
    return models[0]


_IDS_NAMED = 5
