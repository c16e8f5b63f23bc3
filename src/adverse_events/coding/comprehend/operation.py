"""One operation of Comprehend Medical: one text in, its entities out, checked."""

from __future__ import annotations

from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from adverse_events.aws.errors import translated
from adverse_events.aws.retry import patiently
from adverse_events.coding.comprehend.pace import Pace
from adverse_events.coding.wire import from_response
from adverse_events.errors import (
    AnswerError,
    ContractError,
    PermanentServiceError,
    RequestRefusedError,
    TransientServiceError,
)

if TYPE_CHECKING:
    from adverse_events.aws.session import Cloud
    from adverse_events.coding.comprehend.settings import ComprehendSettings
    from adverse_events.records import Entity

SERVICE = "comprehendmedical"

CONDITION = "MEDICAL_CONDITION"
"""Category of the entities read; what DetectEntitiesV2 finds besides (drugs, anatomy, identities) is let go."""

PROBE = "The patient reports nausea."
"""What an operation is asked first, to learn its model's version; no post's words. Its one unit is on no account."""


@dataclass(frozen=True, slots=True)
class OperationKind:
    """What the service offers.

    Attributes:
        name: As AWS writes it.
        method: As boto3 writes it.
        max_bytes: Longest text, UTF-8.

    Source:
        Amazon Comprehend Medical guidelines and quotas, read 2026-11.
    """

    name: str
    method: str
    max_bytes: int


INFER_ICD10CM = OperationKind("InferICD10CM", "infer_icd10_cm", 10_000)
DETECT_ENTITIES = OperationKind("DetectEntitiesV2", "detect_entities_v2", 20_000)


class Operation:
    """Asks one operation; safe to share between threads.

    Args:
        kind: Which operation.
        cloud: The account.
        settings: Quotas, and how many requests may be under way, whoever asks.

    Attributes:
        model_version: The service's, ``n.n.n``; every answer must come from this one.
    """

    def __init__(self, kind: OperationKind, cloud: Cloud, settings: ComprehendSettings) -> None:
        """Make one request, so that a run that cannot be coded fails before it reads a post.

        Raises:
            PermanentServiceError: No permission, no credentials, or no such service in this region.
            TransientServiceError: The service did not answer.
            AnswerError: What answered is not the service.
        """
        self.kind, self._cloud = kind, cloud
        self._pace = Pace(settings.requests_per_second, settings.characters_per_second)
        self._under_way = BoundedSemaphore(settings.requests_in_flight)
        self._contract = f"{SERVICE} {kind.name}"
        self._request: Any = getattr(cloud.client(SERVICE), kind.method)
        try:
            self.model_version = patiently(self._probe, attempts=cloud.settings.max_attempts)
        except TransientServiceError as error:
            regions = cloud.session.get_available_regions(SERVICE)
            if cloud.region in regions:
                raise
            detail = f"no answer in {cloud.region}, a region without it as far as known; set aws.region to one of "
            raise PermanentServiceError(SERVICE, kind.name, detail + ", ".join(regions)) from error

    def ask(self, text: str) -> tuple[Entity, ...]:
        """Return the conditions the service finds in `text`, in text order; they may overlap.

        Raises:
            RequestRefusedError: The service will never answer for this text.
            PermanentServiceError: The service will not answer for any.
            TransientServiceError: It did not answer as often as it was asked.
            AnswerError: Its answers were wrong as often as it was asked.
            ContractError: Another model than the first one answered.
        """
        return patiently(lambda: self._ask_once(text), attempts=self._cloud.settings.max_attempts)

    def _ask_once(self, text: str) -> tuple[Entity, ...]:
        answer = self._answer(text)
        version = self._version(answer)
        if version != self.model_version:
            detail = f"model {self.model_version} was replaced by {version} while it answered; run the windows again"
            raise ContractError(self._contract, detail)
        if answer.get("PaginationToken"):
            # The response has the member; the request has none, so what follows can never be fetched.
            detail = "answered with a first page, and takes no token to ask for the next"
            raise RequestRefusedError(SERVICE, self.kind.name, detail)
        return tuple(entity for entity in from_response(answer, text) if entity.category == CONDITION)

    def _probe(self) -> str:
        answer = self._answer(PROBE)
        from_response(answer, PROBE)
        return self._version(answer)

    def _answer(self, text: str) -> dict[str, Any]:
        with self._under_way:
            self._pace.wait(len(text))
            with translated(SERVICE, self.kind.name):
                answer: dict[str, Any] = self._request(Text=text)
        if answer.keys().isdisjoint(("Entities", "ModelVersion")):
            # boto3 makes an empty answer of a body that is cut short or no JSON.
            detail = "an answer that is cut short or not AWS's; is a proxy in between?"
            raise TransientServiceError(SERVICE, self.kind.name, detail)
        return answer

    def _version(self, answer: dict[str, Any]) -> str:
        version = answer.get("ModelVersion")
        if not (isinstance(version, str) and version):
            raise AnswerError(self._contract, "an answer does not say its ModelVersion")
        return version
