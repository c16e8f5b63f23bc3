"""The classifier behind a SageMaker real-time endpoint."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Self

from adverse_events.classification.endpoint.ahead import in_order
from adverse_events.classification.endpoint.asking import Endpoint
from adverse_events.classification.endpoint.batches import Limits, rechunked, requests_of
from adverse_events.classification.endpoint.identity import config_name_of, identity_of, standing_of
from adverse_events.errors import ContractError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from threading import Event

    from adverse_events.aws.session import Cloud
    from adverse_events.classification.endpoint.identity import Identity, Standing
    from adverse_events.classification.endpoint.settings import EndpointSettings
    from adverse_events.classification.protocol import Scored

OUR_TEXTS, OTHERS_TEXTS = 1024, 256
"""Most texts of a request where no setting says. Our container sorts a request's texts by length, so that little is
padded: of 2,340 posts, requests of 256 cost 1.2 times the processor time of requests of 1,024 (measured 2026-11). Many
others score one text after the other, and must answer within a minute what waits behind other requests."""


class SageMakerClassifier:
    """Scores texts at an endpoint of this project's container, or of any Hugging Face text classifier.

    Made by `open`. Posts travel in requests of `texts_per_request`, `requests_in_flight` of them at one time; where
    the model refuses a request, it is split until the posts that it refuses stand alone.
    """

    def __init__(
        self, cloud: Cloud, settings: EndpointSettings, endpoint: Endpoint, identity: Identity, standing: Standing
    ) -> None:
        """Take what `open` found out."""
        self.identity, self.standing = identity, standing
        self._cloud, self._settings, self._endpoint = cloud, settings, endpoint

    @classmethod
    def open(cls, cloud: Cloud, settings: EndpointSettings) -> Self:
        """Ask the endpoint what it is: its status, then the scores of two harmless texts.

        Raises:
            UsageError: No endpoint is set, or it has no such variant.
            PermanentServiceError: It does not exist, does not serve or may not be asked.
            TransientServiceError: It did not answer.
            ContractError: It is not a text classifier, or none of its classes is the ADE class.
        """
        if not settings.name:
            msg = "no endpoint is set; set endpoint.name, or use the embedded model"
            raise UsageError(msg)
        standing = standing_of(cloud, settings.name, settings.variant)
        endpoint = Endpoint(cloud, settings)
        answer = endpoint.probe()
        identity = identity_of(settings.name, answer.card, answer.rows[0].scores, standing, settings.ade_label)
        return cls(cloud, settings, endpoint, identity, standing)

    @property
    def model_version(self) -> str:
        """What our container says of its model; else the endpoint's configuration and model, as named in SageMaker."""
        return self.identity.model_version

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in column order: sorted, the ADE class last."""
        return self.identity.labels

    @property
    def ade_threshold(self) -> float:
        """Decision limit the model was released with, 0-1; 0.5 where the endpoint does not say."""
        return self.identity.ade_threshold

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Limit of each class; empty where the endpoint does not say."""
        return self.identity.thresholds

    @property
    def served_by(self) -> str:
        """The endpoint, and the variants that answered so far."""
        variants = sorted(filter(None, self._endpoint.variants))
        return ", ".join((self._endpoint.who, *(f"variant {variant}" for variant in variants)))

    def score(self, chunks: Iterable[Sequence[str]]) -> Iterator[Scored]:
        """Score texts chunk by chunk, a few requests ahead; see `Classifier.score`."""
        lengths: deque[int] = deque()
        usual = OUR_TEXTS if self.identity.card_version else OTHERS_TEXTS
        limits = Limits(self._settings.texts_per_request or usual, self._settings.bytes_per_request)
        requests = requests_of(chunks, limits, lengths)
        with closing(in_order(self._scored, requests, at_once=self._settings.requests_in_flight)) as parts:
            yield from rechunked(parts, lengths, len(self.labels))
        self._check_unchanged()

    def _scored(self, texts: Sequence[str], stop: Event) -> Scored:
        return self._endpoint.scored(texts, self.identity, stop)

    def _check_unchanged(self) -> None:
        """Ask which configuration answered, of a server that does not say so in each answer."""
        if self.identity.card_version or not self.standing.config_name:
            return
        before, now = self.standing.config_name, config_name_of(self._cloud, self._endpoint.name)
        if now not in {"", before}:
            detail = (
                f"its configuration changed from {before} to {now}: the model was replaced while it answered; run again"
            )
            raise ContractError(self._endpoint.who, detail)
